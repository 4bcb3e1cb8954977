import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.caption.loops import LIMITS, RUN, is_loop, repeated_share

SENTENCE = "a man in a blue shirt walks his dog along the quiet river bank at dusk "
ZH = "画面中央是一座红色的木桥，桥下的河水清澈见底，两岸长满了青草。"


@pytest.mark.parametrize(
    ("caption", "language", "loops"),
    [
        (SENTENCE * 2, "en", True),
        (SENTENCE, "en", False),
        (
            "The image shows a harbour. " + SENTENCE + "Boats lie at the pier in the sun.",
            "en",
            False,
        ),
        (ZH * 3, "zh", True),
        (ZH, "zh", False),
        (ZH + "远处有山，天空是灰白色的，云层很低，看不到太阳。", "zh", False),
        ("no " * 40, "en", True),
        ("", "en", False),
    ],
)
def test_a_caption_that_goes_in_circles_is_told_from_one_that_does_not(caption, language, loops):
    assert is_loop(caption, language) is loops


@given(st.lists(st.integers(0, 10**6), min_size=RUN, max_size=60, unique=True))
def test_a_caption_without_a_repeated_word_repeats_nothing(words):
    assert repeated_share(" ".join(f"w{word}" for word in words)) == 0


@given(st.text(max_size=200), st.integers(3, 9))
def test_a_share_is_a_share_and_repeating_a_text_never_lowers_it(text, times):
    once, often = repeated_share(text), repeated_share(f"{text} " * times)
    assert 0 <= once <= often <= 1


@given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=25), st.integers(25, 40))
def test_every_period_shows_when_it_is_repeated_long_enough(period, times):
    assert repeated_share(" ".join(period * times)) > max(LIMITS.values())

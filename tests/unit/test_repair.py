import math

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.audit.repair import repair_captions


def row(sentence, answer="yes", sure=0.99, text=None, sample="a"):
    told = {"yes": None, "no": None, answer: math.log(sure)}
    other = "no" if answer == "yes" else "yes"
    told[other] = math.log(1 - sure) if sure < 1 else None
    return {
        "sample_id": sample,
        "text_xxh3": f"digest of {sample}",
        "caption_chars": 100,
        "sentence": sentence,
        "text": text or f"Sentence {sentence}.",
        "answer": answer,
        "yes_logprob": told["yes"],
        "no_logprob": told["no"],
        "cannot_tell_logprob": None,
    }


def test_what_the_judge_is_sure_not_to_find_is_left_out():
    rows = [row(0), row(1, "no", 0.97), row(2, "no", 0.9), row(3)]
    (found,) = repair_captions(rows, "en", 0.95)
    assert found.text == "Sentence 0. Sentence 2. Sentence 3."
    assert (found.removed, found.chars_before) == ((1,), 100)


def test_chinese_sentences_follow_each_other_without_a_space():
    rows = [row(0, text="图中有狗。"), row(1, "no"), row(2, text="天是蓝的。")]
    (found,) = repair_captions(rows, "zh", 0.95)
    assert found.text == "图中有狗。天是蓝的。"


def test_a_judge_that_tells_no_probabilities_removes_nothing():
    silent = row(0, "no") | {"yes_logprob": None, "no_logprob": None}
    assert repair_captions([silent, row(1)], "en", 0.95) == []


def test_other_captions_stay_as_they_are():
    rows = [row(0, sample="a"), row(0, "no", sample="b"), row(1, sample="b")]
    assert [one.sample_id for one in repair_captions(rows, "en", 0.95)] == ["b"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["yes", "no"]), st.floats(0.5, 1.0, exclude_max=True)),
        min_size=1,
        max_size=6,
    )
)
def test_every_sentence_is_either_left_or_removed(answers):
    rows = [row(place, answer, sure) for place, (answer, sure) in enumerate(answers)]
    found = repair_captions(rows, "en", 0.9)
    removed = set(found[0].removed) if found else set()
    left = " ".join(one["text"] for one in rows if one["sentence"] not in removed)
    assert not found or found[0].text == left
    assert all(answers[place][0] == "no" and answers[place][1] > 0.89 for place in removed)

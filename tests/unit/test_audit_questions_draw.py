from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.stages.auditing.audit_questions import asking_order, draw_captions

IDS = [f"single_en/sa_000000/{number}" for number in range(500)]


def test_a_draw_is_the_same_every_time_and_another_for_another_seed():
    assert draw_captions(IDS, 64, 1) == draw_captions(IDS, 64, 1)
    assert set(draw_captions(IDS, 64, 1)) != set(draw_captions(IDS, 64, 2))


def test_a_larger_draw_holds_the_smaller_one():
    assert draw_captions(IDS, 100, 1)[:64] == draw_captions(IDS, 64, 1)


def test_captions_that_come_or_go_change_no_others_rank():
    drawn = [IDS[place] for place in draw_captions(IDS, 64, 1)]
    fewer = [one for one in IDS if one != drawn[10]]
    assert [fewer[place] for place in draw_captions(fewer, 63, 1)] == drawn[:10] + drawn[11:]


def test_a_shard_with_few_captions_gives_all_of_them():
    assert sorted(draw_captions(IDS[:5], 64, 1)) == [0, 1, 2, 3, 4]


@given(st.integers(0, 30), st.integers())
def test_every_sentence_is_asked_about_once(sentences, seed):
    assert sorted(asking_order("a", sentences, seed)) == list(range(sentences))


def test_sentences_come_in_every_order():
    firsts = {asking_order(sample, 5, 1)[0] for sample in IDS}
    assert firsts == set(range(5))

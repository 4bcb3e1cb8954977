import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sa1b_captions.sentences import split_sentences


def texts(caption):
    return [sentence.text for sentence in split_sentences(caption)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["A dog sits on a bench.", "Behind it stands a red house."],
        ["The image shows a street.", "Is it wet?", "It seems so!", "Cars pass."],
        ["The sign of St. Peter's hangs above the door.", "Two people wait."],
        ["A bottle of 3.5 litres stands on the table.", "It is green."],
        ["Mr. Smith's shop is closed.", "The clock shows 5 p.m.", "A cat sleeps."],
        ["Flags of the U.S. Army and of J. R. Hartley hang there.", "The wall is grey."],
        ["The shop is on Main St.", "The road is empty."],
        ["It reads “Stop! Look around.” in white letters.", "A man waits."],
        ['A sign says "No entry."', "The gate is shut."],
        ["A banner (of the club, founded approx. 1920) is red.", "Trees grow."],
        ["The page www.example.com is on the poster.", "It is blue."],
        ["Bus No. 12 waits.", "3 people get on."],
        ["The words fade away...", "A child runs."],
        ["Something reads ...and more, e.g. Bread.", "It ends here"],
    ],
    ids=lambda sentences: sentences[0][:24],
)
def test_english_sentences_come_apart_where_they_end(sentences):
    assert texts(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["图中有一只狗。", "它坐在长椅上。", "天空是蓝色的"],
        ["牌子上写着“停！”，旁边站着一个人。", "地面很湿。"],
        ["这是什么？", "一辆宽3.5米的车！", "车是红色的。"],
        ["他说：“禁止入内。”", "门关着。"],
        ["墙上写着OPEN.", "旁边有一棵树。"],
        ["店名是“U.S. Cafe”；门口有两把椅子。", "灯亮着。"],
        ["桌上有苹果、香蕉等……的水果。", "盘子是白的。"],
    ],
    ids=lambda sentences: sentences[0][:12],
)
def test_chinese_sentences_need_no_space_between_them(sentences):
    joint = " " if sentences[0].endswith(".") else ""
    assert texts(joint.join(sentences)) == sentences


def test_what_says_nothing_is_no_sentence():
    assert texts("") == texts(" \n ") == texts("... !? 。") == []


def test_loose_marks_stay_with_a_neighbour():
    assert texts("… A dog.  ** ! A cat.") == ["… A dog.  ** !", "A cat."]


captions = st.text(
    st.sampled_from("aB 1.!?…。！？“”\"'()，,;猫狗\n\t-*") | st.characters(codec="utf-8"),
    max_size=60,
)


@given(captions)
@example("Mr. A. b。) C")
def test_every_character_but_spaces_lies_in_exactly_one_sentence(caption):
    sentences = split_sentences(caption)
    place = 0
    for sentence in sentences:
        assert not caption[place : sentence.start].strip()
        assert caption[sentence.start : sentence.end] == sentence.text == sentence.text.strip()
        assert any(character.isalnum() for character in sentence.text)
        place = sentence.end
    left = caption[place:]
    assert not left.strip() or not (sentences or any(c.isalnum() for c in left))


@given(captions)
def test_a_sentence_by_itself_is_one_sentence(caption):
    for sentence in split_sentences(caption):
        assert texts(sentence.text) == [sentence.text]


@given(st.lists(st.sampled_from(["A dog sits.", "It rains!", "The wall is red?"]), max_size=8))
def test_plain_sentences_come_back_as_they_were_joined(sentences):
    assert texts(" ".join(sentences)) == sentences

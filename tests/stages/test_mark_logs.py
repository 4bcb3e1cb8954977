"""Marks stay as they were made, whoever else makes some."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions import checked_json, layout, mark_logs
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.mark_logs import MarkLog, line_of, read_marks
from sa1b_captions.marks import (
    Better,
    CaptionMark,
    Fault,
    Judgement,
    Mark,
    PairMark,
    SentenceMark,
    Support,
    last_of_each,
    text_digest,
)
from sa1b_captions.storage import FileStore

SAMPLE = "single_en/sa_000000/7"
DIGEST = text_digest("A kettle.")


def caption_mark(judgement=Judgement.GOOD, who="ada", sample_id=SAMPLE, **more):
    return CaptionMark(sample_id=sample_id, who=who, text_xxh3=DIGEST, judgement=judgement, **more)


def test_marks_of_every_kind_come_back_as_they_were(tmp_path):
    store = FileStore(tmp_path)
    bad = caption_mark(
        Judgement.BAD, fault=Fault.RULE_WAS_WRONG, rule="refusal", reasons=("refusal",), note="书"
    )
    sentence = SentenceMark(
        sample_id=SAMPLE, who="judge", text_xxh3=DIGEST, sentence=2, supported=Support.CANNOT_TELL
    )
    pair = PairMark(
        sample_id=SAMPLE,
        who="ada",
        left="0001",
        right="0002",
        left_xxh3=DIGEST,
        right_xxh3=text_digest("A cup."),
        better=Better.NEITHER,
        draw="seed=7",
    )
    MarkLog(store, "c").add(bad, sentence, pair)
    assert read_marks(store, "c", CaptionMark) == [bad]
    assert read_marks(store, "c", SentenceMark) == [sentence]
    assert read_marks(store, "c", PairMark) == [pair]
    assert read_marks(store, "c", Mark) == [bad, sentence, pair]
    assert read_marks(store, "other", Mark) == []


def test_two_processes_that_mark_at_once_lose_nothing(tmp_path):
    store = FileStore(tmp_path)
    logs = [MarkLog(store, "c"), MarkLog(store, "c")]
    marks = [caption_mark(sample_id=f"single_en/sa_000000/{number}") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: logs[item[0] % 2].add(item[1]), enumerate(marks)))
    assert {mark.sample_id for mark in read_marks(store, "c", CaptionMark)} == {
        mark.sample_id for mark in marks
    }


def test_a_full_log_is_never_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(mark_logs, "FULL", 2)
    store = FileStore(tmp_path)
    log = MarkLog(store, "c")
    for number in range(2):
        log.add(caption_mark(note=str(number)))
    (full,) = store.list(layout.marks_prefix("c"))
    before = store.read(full)
    log.add(caption_mark(note="2"))
    assert store.read(full) == before
    assert [mark.note for mark in read_marks(store, "c", CaptionMark)] == ["0", "1", "2"]


def test_a_mark_that_could_not_be_stored_does_not_appear_with_the_next_one(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    log = MarkLog(store, "c")
    with monkeypatch.context() as patch:

        def fail(key, data):
            raise RetryableError("the store is away")

        patch.setattr(store, "write", fail)
        with pytest.raises(RetryableError):
            log.add(caption_mark(note="lost"))
    log.add(caption_mark(note="kept"))
    assert [mark.note for mark in read_marks(store, "c", CaptionMark)] == ["kept"]


def test_the_last_mark_of_each_person_counts():
    first = caption_mark(Judgement.GOOD)
    other = caption_mark(Judgement.BAD, who="grace")
    second = caption_mark(Judgement.WITHDRAWN)
    assert last_of_each([first, other, second]) == [other, second]


def test_two_captions_are_the_same_choice_whichever_is_left():
    there = PairMark(
        sample_id=SAMPLE,
        who="ada",
        left="a",
        right="b",
        left_xxh3=DIGEST,
        right_xxh3=DIGEST,
        better=Better.LEFT,
    )
    back = dataclasses.replace(there, left="b", right="a", better=Better.RIGHT, id="2")
    assert last_of_each([there, back]) == [back]


def test_what_a_newer_version_adds_is_passed_over(tmp_path):
    store = FileStore(tmp_path)
    MarkLog(store, "c").add(caption_mark())
    (key,) = store.list(layout.marks_prefix("c"))
    line = checked_json.line(json.loads(store.read(key)) | {"mood": "sunny"})
    newer = checked_json.line({"kind": "smell", "odour": "faint"})
    store.write(key, f"{line}\n{newer}\n".encode())
    assert len(read_marks(store, "c", Mark)) == 1


def test_marks_of_before_lines_had_checksums_are_read(tmp_path):
    store = FileStore(tmp_path)
    mark = caption_mark()
    store.write(layout.marks_key("c", "x"), f"{line_of(mark)}\n".encode())
    assert read_marks(store, "c", Mark) == [mark]


def test_a_flipped_bit_in_a_note_is_found(tmp_path):
    store = FileStore(tmp_path)
    MarkLog(store, "c").add(caption_mark(note="a lamp"))
    (key,) = store.list(layout.marks_prefix("c"))
    store.write(key, store.read(key).replace(b"a lamp", b"a lamq"))
    with pytest.raises(PermanentError, match=r"line 1 of .* is no mark: .* checksum shows"):
        read_marks(store, "c", Mark)


@pytest.mark.parametrize("line", ["{", "[]", '{"kind": "caption"}', '{"kind": ["a"]}', "\xff"])
def test_a_damaged_line_is_named(tmp_path, line):
    store = FileStore(tmp_path)
    key = layout.marks_key("c", "x")
    store.write(key, f"\n{line}".encode("latin-1"))
    store.write(key, store.read(key).lstrip())
    with pytest.raises(PermanentError, match=r"line 1 of .*x\.jsonl is no mark"):
        read_marks(store, "c", Mark)


@pytest.mark.parametrize(
    "change", [{"note": "x" * 2001}, {"note": "two\nlines"}, {"who": ""}, {"note": "\ud800"}]
)
def test_a_mark_that_could_not_be_read_again_is_refused(tmp_path, change):
    with pytest.raises(PermanentError):
        MarkLog(FileStore(tmp_path), "c").add(dataclasses.replace(caption_mark(), **change))
    assert list(tmp_path.iterdir()) == []


@given(note=st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=50))
def test_any_note_comes_back(tmp_path_factory, note):
    store = FileStore(tmp_path_factory.mktemp("marks"))
    mark = caption_mark(note=note)
    MarkLog(store, "c").add(mark)
    assert read_marks(store, "c", CaptionMark) == [mark]

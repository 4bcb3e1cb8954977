import json

import pytest
from typer.testing import CliRunner

from sa1b_captions import layout
from sa1b_captions.cli import app
from sa1b_captions.mark_logs import MarkLog
from sa1b_captions.marks import CaptionMark, Fault, Judgement, text_digest
from sa1b_captions.quality.browse.finding.filters import Filters, parse_draw
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.exporting.reviewed import read_reviews
from sa1b_captions.storage import FileStore
from tests.gold.captions import read_gold
from tests.support import builders, curated

DRAW = Filters(track="single_en", verdict="accepted", order="random", seed=7).draw
WORDS = "accepted captions of single_en, seed 7"


def mark(sample, text="", judgement="good", who="ada", **more):
    digest = text_digest(text)
    return CaptionMark(
        sample_id=sample, who=who, text_xxh3=digest, judgement=Judgement(judgement), **more
    )


def test_a_draw_is_read_back_as_the_filter_it_was():
    filters = Filters(track="multi_zh", min_chars=10, order="random", seed=3)
    assert parse_draw(filters.draw) == filters
    assert filters.words == "all captions of multi_zh, min chars 10, seed 3"
    for name in ("", "#", "track=x#1", "track=single_en", "track=single_en#x", "<b>#1"):
        assert parse_draw(name) is None


def test_marks_of_other_tracks_and_withdrawn_ones_do_not_count(campaign):
    log = MarkLog(campaign.store, campaign.name)
    log.add(
        mark("single_en/sa_000000/1", draw=DRAW),
        mark("single_en/sa_000000/2", draw=DRAW, judgement="bad", fault=Fault.STYLE),
        mark("single_en/sa_000000/3", draw=DRAW),
        mark("single_en/sa_000000/3", draw=DRAW, judgement="withdrawn"),
        mark("multi_en/sa_000000/1-2", who="grace"),
    )
    found = read_reviews(campaign, ("single_en",))
    assert found.people == 1
    assert [(what, share.hits, share.of) for what, share in found.drawn] == [(WORDS, 1, 2)]


def test_the_card_says_what_people_found_and_names_nobody(campaign):
    MarkLog(campaign.store, campaign.name).add(
        mark("single_en/sa_000000/1", draw=DRAW, who="ada.lovelace"),
        mark("single_en/sa_000000/2", draw=DRAW, who="ada.lovelace"),
    )
    export_release(campaign, "v1", allow_verdicts=("pass", "warn"))
    card = campaign.store.read(layout.release_key("v1", "README.md")).decode()
    assert "1 person marked captions" in card
    assert f"| {WORDS} | 100.0 %, 34.2 to 100.0, from 2 marks |" in card
    assert "lovelace" not in card


def test_a_card_without_marks_says_nothing_of_people(campaign):
    export_release(campaign, "v1", allow_verdicts=("pass", "warn"))
    assert "people" not in campaign.store.read(layout.release_key("v1", "README.md")).decode()


@pytest.fixture
def marked(tmp_path, monkeypatch):
    """A deployment with a curated shard, and marks of three of its captions."""
    monkeypatch.setenv("CAPTIONS_ROOT", (tmp_path / "store").as_uri())
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", "test")
    recipe = builders.demo_recipe()
    monkeypatch.setattr("sa1b_captions.cli.common.load_recipe", lambda name: recipe)
    campaign = builders.demo_campaign(FileStore(tmp_path / "store"), recipe)
    curated.put_curated(campaign, "sa_000000")
    texts = curated.captions(20)
    MarkLog(campaign.store, "test").add(
        mark("single_en/sa_000000/1", texts[0], draw=DRAW),
        mark("single_en/sa_000000/4", texts[3], "bad", fault=Fault.STYLE, reasons=("too_short",)),
        mark("single_en/sa_000000/2", "what it said before"),
    )
    return tmp_path


def run(*arguments):
    done = CliRunner().invoke(app, ["marks", *arguments])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1]), done.stdout


def test_marks_are_handed_out_as_lines(marked):
    result, said = run("--out", str(marked / "marks.jsonl"))
    assert (result["lines"], result["people"]) == (3, 1)
    assert f"{WORDS}: 100.0 %" in said
    rows = [json.loads(line) for line in (marked / "marks.jsonl").read_text().splitlines()]
    assert {row["kind"] for row in rows} == {"caption"}


def test_labels_are_those_that_make_gold_reads_and_of_present_words_only(marked):
    result, _ = run("--gold", "--out", str(marked / "gold.jsonl"))
    assert result["lines"] == 2
    rows = {row.id: row for row in read_gold(marked / "gold.jsonl")}
    assert rows["single_en/sa_000000/4"].expected == {"too_short"}
    assert rows["single_en/sa_000000/1"].expected == frozenset()

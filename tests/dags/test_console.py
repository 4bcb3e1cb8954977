import dataclasses
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.receipts import RunSummary, ShardSummary
from sa1b_captions.receipts.findings import Verdict
from sa1b_captions.receipts.receipt_files import run_summary_place, write_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import shard_name
from sa1b_captions.stages.validating.validations import (
    name_of,
    of_release,
    of_shard,
    store_validation,
)
from sa1b_captions.storage import open_store_url
from tests.support import builders, receipts

PLUGINS = Path(__file__).parents[2] / "plugins"
RUN = "scheduled__2026-11-01T00:00:00+00:00"


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    """The campaign that the console reads, with a recipe of 60 shards."""
    monkeypatch.setenv("CAPTIONS_ROOT", tmp_path.as_uri())
    store = open_store_url(tmp_path.as_uri())
    recipe = builders.demo_recipe(shards="0-59")
    monkeypatch.setattr("sa1b_console.common.load_recipe", lambda name: recipe)
    return open_campaign(store, "test", recipe)


def page(login, path, status=200):
    reply = login().get(f"/captions{path}")
    assert reply.status_code == status, reply.text
    return reply.text


@pytest.mark.parametrize(
    "path",
    [
        "/shards/sa_000000",
        "/release",
        f"/runs/caption_shards/{RUN}",
        "/nowhere",
        "/runs/other_dag/x",
    ],
)
def test_no_page_may_run_scripts_or_be_kept(login, campaign, path):
    headers = login().get(f"/captions{path}").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/shards/..%2f..%2fetc%2fpasswd",
        "/shards/sa_17",
        "/shards/sa_000017.html",
        "/runs/caption_shards/..%2f..%2frecipe",
        "/runs/caption_shards/a%20b",
        "/runs/caption_shards/%3Cscript%3E",
        f"/runs/caption_shards/{'x' * 251}",
    ],
)
def test_only_names_of_shards_and_runs_reach_the_store(login, campaign, path):
    text = page(login, path, 404)
    assert "<script>" not in text


def test_a_campaign_that_has_not_started_says_what_to_do(login, tmp_path, monkeypatch):
    monkeypatch.setenv("CAPTIONS_ROOT", tmp_path.as_uri())
    assert "trigger caption_shards" in page(login, "/", 404)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_setting_is_named(login, monkeypatch):
    monkeypatch.setenv("CAPTIONS_ROOT", "")
    assert "CAPTIONS_ROOT is not set" in page(login, "/", 503)


@pytest.mark.parametrize(
    ("path", "task"),
    [
        ("/shards/sa_000001", "validate task of caption_shards"),
        ("/release", "validate task of release_dataset"),
        ("/runs/release_dataset/manual__1", "has validated nothing"),
        (f"/runs/caption_shards/{RUN}", "has validated nothing"),
        ("/runs/tutorial/x", "tutorial makes no captions"),
    ],
)
def test_a_page_that_does_not_exist_yet_says_what_writes_it(login, campaign, path, task):
    assert task in page(login, path, 404)


def put_report(campaign, shard, page, run_id=None):
    """A validation of a shard with a page of its own."""
    validation = receipts.put_shard_validation(campaign, shard, run_id=run_id)
    return store_validation(campaign, of_shard(campaign, shard), validation, page)


def test_stored_reports_are_served_as_they_are(login, campaign):
    put_report(campaign, "sa_000001", "<h1>Bericht Ü</h1>")
    validation = receipts.put_release_validation(campaign)
    store_validation(campaign, of_release(campaign), validation, "<h1>release</h1>")
    assert page(login, "/shards/sa_000001").endswith("<h1>Bericht Ü</h1>")
    assert page(login, "/release").endswith("<h1>release</h1>")


def test_a_run_of_the_release_shows_the_report_that_belongs_to_it(login, campaign):
    for run_id in ("first", "second"):
        validation = receipts.put_release_validation(campaign)
        kept = store_validation(
            campaign,
            of_release(campaign),
            dataclasses.replace(validation, run_id=run_id),
            f"<main>\n<h1>{run_id}</h1>",
        )
        place = run_summary_place(campaign.name, run_id)
        if run_id == "first":  # the other one left no summary: a version before this one made it
            write_receipt(campaign.store, place, RunSummary(run_id=run_id, release=kept.report))
    first = page(login, "/runs/release_dataset/first")
    assert "<h1>first</h1>" in first
    assert "Not the present state" in first
    assert f'href="/captions/release/{name_of(kept)}">Open the present report' in first
    second = page(login, "/runs/release_dataset/second")
    assert "<h1>second</h1>" in second
    assert "Open the present report" not in second


def test_a_shards_page_says_when_it_is_not_the_present_state(login, half_way):
    old = put_report(half_way, "sa_000000", "<main>\n<h1>old</h1>")
    text = page(login, "/shards/sa_000000")
    assert "Not the present state" not in text
    new = put_report(half_way, "sa_000000", "<main>\n<h1>new</h1>", run_id="redo")
    text = page(login, f"/shards/sa_000000/{name_of(old)}")
    assert text.index("<main>") < text.index("it was validated again") < text.index("<h1>old</h1>")
    assert f'href="/captions/shards/sa_000000/{name_of(new)}"' in text
    text = page(login, "/shards/sa_000000")
    assert "<h1>new</h1>" in text
    assert "run redo, the present one, shown here" in " ".join(text.split())

    receipts.put_caption(half_way, "single_en", "sa_000000")  # captioned again, not curated yet
    text = page(login, "/shards/sa_000000")
    assert "the track was captioned again since; run sa1b-captions curate" in text


def test_a_report_leads_to_its_gallery_its_neighbours_and_its_run(login, campaign):
    link = '<a href="#gallery?reason=too_short&amp;shards=sa_000001">too_short</a>'
    page_ = f"<main>\n<table><tr><th>{link}<p>href=&#34;#gallery?x</p>"
    put_report(campaign, "sa_000001", page_, run_id="manual__1+2")
    table = Table(page(login, "/shards/sa_000001"))
    assert table.links[:8] == [
        "/captions/",
        "/captions/board/sa_000001",
        "/captions/gallery?shards=sa_000001",
        "/captions/gallery?shards=sa_000001&verdict=rejected",
        "/captions/clusters?shard=sa_000001",
        "/captions/shards/sa_000000",
        "/captions/shards/sa_000002",
        "/captions/runs/caption_shards/manual__1%2B2",
    ]
    assert table.links[-1] == "/captions/gallery?reason=too_short&shards=sa_000001"
    first = put_report(campaign, "sa_000000", "<main>\n")
    assert "/captions/shards/sa_000001" in Table(page(login, "/shards/sa_000000")).links
    assert first.run_id is None


def test_the_releases_page_says_what_of_it_is_stale(login, campaign):
    for shard in campaign.recipe.shards:
        receipts.put_ingest(campaign.store, shard)
        for track in TRACKS:
            receipts.put_caption(campaign, track, shard)
            receipts.put_curate(campaign, track, shard)
        receipts.put_shard_validation(campaign, shard)
    for track in TRACKS:
        receipts.put_dedup(campaign, track)
    validation = receipts.put_release_validation(campaign)
    store_validation(campaign, of_release(campaign), validation, "<main>\n<h1>release</h1>")
    assert "Not the present state" not in page(login, "/release")
    receipts.put_dedup(campaign, "multi_zh")
    text = " ".join(page(login, "/release").split())
    assert "captions were deduplicated again since it was made; release_dataset validates" in text
    receipts.put_caption(campaign, "multi_zh", "sa_000001")
    text = " ".join(page(login, "/release").split())
    assert "curated captions of multi_zh/sa_000001 are stale; release_dataset validates it" in text


def test_no_report_of_a_name_that_is_none_is_shown(login, campaign):
    put_report(campaign, "sa_000001", "<h1>new</h1>")
    for name in ("0000", "..recipe", "x" * 65):
        assert "report" in page(login, f"/shards/sa_000001/{name}", 404).lower()


def summary(verdict, planned, rejected):
    accepted, tracks = planned - rejected, {"single_en": RUN}
    return ShardSummary(verdict, planned, accepted, rejected, 1, True, tracks, "key", RUN)


def put_run(campaign, shards):
    place = run_summary_place(campaign.name, RUN)
    write_receipt(campaign.store, place, RunSummary(run_id=RUN, shards=shards))


def test_a_run_lists_its_shards_with_verdicts_and_numbers(login, campaign):
    shards = {
        "sa_000001": summary(Verdict.WARN, 21, 3),
        "sa_000000": summary(Verdict.PASS, 20, 0),
    }
    put_run(campaign, shards)
    table = Table(page(login, f"/runs/caption_shards/{RUN}"))
    assert table.rows == [
        ["Shard", "Verdict", "planned", "accepted", "rejected", "checks failed"],
        ["sa_000000", "pass", "20", "20", "0", "1"],
        ["sa_000001", "warn", "21", "18", "3", "1"],
    ]
    assert table.links[-2:] == [
        "/captions/shards/sa_000000/key",
        "/captions/shards/sa_000001/key",
    ]


def test_text_from_the_store_is_escaped(login, campaign):
    put_run(campaign, {"<img src=x><script>alert(1)</script>": summary(Verdict.PASS, 1, 0)})
    text = page(login, f"/runs/caption_shards/{RUN}")
    assert "<script>" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text


def test_a_summary_of_version_0_1_0_is_shown(login, campaign):
    """It had no stage, no id and no format."""
    shard = {"verdict": "pass", "planned": 4, "accepted": 3, "rejected": 1, "checks_failed": 0}
    shard |= {"complete": False, "tracks": {"single_en": None}, "report": "key", "run_id": RUN}
    content = json.dumps({"run_id": RUN, "shards": {"sa_000000": shard}}, indent=1)
    campaign.store.write(layout.run_summary_key(campaign.name, RUN), content.encode())
    table = Table(page(login, f"/runs/caption_shards/{RUN}"))
    assert table.rows[1] == ["sa_000000", "pass", "4", "3", "1", "0"]


def test_a_damaged_summary_is_named(login, campaign):
    campaign.store.write(layout.run_summary_key(campaign.name, RUN), b"[]")
    text = page(login, f"/runs/caption_shards/{RUN}", 503)
    assert "quality/runs/" in text
    assert "is no receipt of the validation in run" in text
    assert "it is no JSON object" in text


@pytest.fixture
def half_way(campaign):
    """Three shards: one validated, one captioned in one track, one ingested; the rest waits."""
    for number in range(3):
        receipts.put_ingest(campaign.store, shard_name(number))
    for track in TRACKS:
        receipts.put_caption(campaign, track, "sa_000000")
        receipts.put_curate(campaign, track, "sa_000000", accepted=20)
    receipts.put_shard_validation(campaign, "sa_000000", "fail")
    receipts.put_caption(campaign, "single_en", "sa_000001")
    return campaign


def test_the_board_shows_how_far_every_shard_is(login, half_way):
    text = page(login, "/")
    table = Table(text)
    assert table.rows[:3] == [
        ["Track", *TRACKS],
        ["shards captioned", "2", "1", "1", "1"],
        ["shards curated", "1", "1", "1", "1"],
    ]
    projected = table.rows[3:6]
    assert [row[0] for row in projected] == [
        "captions projected",
        "three standard deviations either way",
        "target",
    ]
    assert projected[0][1:] == ["1,200"] * 4
    assert projected[1][1:] == ["–"] * 4  # one shard says nothing of the others' spread
    assert table.rows[-3:] == [
        ["sa_000000", "fail", "yes", *["curated"] * 4],
        ["sa_000001", "captioning", "yes", "captioned", "–", "–", "–"],
        ["sa_000002", "ingested", "yes", *["–"] * 4],
    ]
    assert "3 of 60 shards ingested" in " ".join(text.split())
    assert sum("/captions/board/" in link for link in table.links) == 60 + 3


class Table(HTMLParser):
    """Cells of all tables, and all links."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.links, self._in_cell = [], [], False
        self.feed(text)
        self.rows = [[" ".join(cell.split()) for cell in row] for row in self.rows]

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True
        if tag == "a":
            self.links.append(dict(attributes)["href"])

    def handle_endtag(self, tag):
        if tag == "table":
            self._in_cell = False

    def handle_data(self, data):
        if self._in_cell:
            self.rows[-1][-1] += data

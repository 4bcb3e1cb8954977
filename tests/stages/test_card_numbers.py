"""Every number on a card is that of the release's files, counted here another way."""

import json
import re
import xml.etree.ElementTree as ET

import polars as pl
import pytest

from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import cards, releases


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    export_release(releases.campaign_with_images(FileStore(root)), "v1")
    return root / "releases" / "v1"


@pytest.fixture(scope="module")
def text(release):
    return (release / "README.md").read_text()


@pytest.fixture(scope="module")
def tables(text):
    """Cells by label, of each table of the card."""
    found = []
    for table in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        rows = [line.strip("|\n ").split(" | ") for line in table.splitlines()]
        found.append(
            {row[0].strip("`* "): [cell.strip("* ") for cell in row[1:]] for row in rows[2:]}
        )
    return found


def read(release, kind):
    return {
        track: pl.read_parquet(release / kind / track / "*.parquet", hive_partitioning=False)
        for track in TRACKS
    }


def share(part, whole):
    return f"{part:,} ({part / whole:.2%})"


def test_outcomes_and_reasons(release, tables):
    data, rejected = read(release, "data"), read(release, "rejected")
    planned = {track: data[track].height + rejected[track].height for track in TRACKS}
    reasons = {track: rejected[track].explode("reasons")["reasons"] for track in TRACKS}

    def counted(test):
        return [share(int(test(rejected[track]).sum()), planned[track]) for track in TRACKS]

    outcomes = next(table for table in tables if "planned" in table)
    assert outcomes == {
        "planned": [f"{planned[track]:,}" for track in TRACKS],
        "published": [f"{data[track].height:,}" for track in TRACKS],
        "rejected by a rule": counted(
            lambda f: ~f["reasons"].list.contains("duplicate_of_other_shard")
        ),
        "like another shard's": counted(
            lambda f: f["reasons"].list.contains("duplicate_of_other_shard")
        ),
        "near duplicates, of any shard": counted(lambda f: (f["kind"] == "near").fill_null(False)),
    }
    by_reason = next(table for table in tables if "too_short" in table)
    names = sorted({reason for track in TRACKS for reason in reasons[track].to_list()})
    assert list(by_reason) == names == ["duplicate_of_other_shard", "too_short"]
    for name in names:
        expected = [share(int((reasons[t] == name).sum()), planned[t]) for t in TRACKS]
        assert by_reason[name][1:] == expected


def test_lengths(release, tables):
    data, sources = read(release, "data"), read(release, "provenance")
    expected = {}
    for unit, of in (
        ("characters", lambda t: [len(row[1]["value"]) for row in data[t]["conversations"]]),
        ("tokens", lambda t: sources[t]["completion_tokens"].to_list()),
    ):
        many = {track: sorted(of(track)) for track in TRACKS}
        expected[f"{unit}, mean"] = [f"{sum(m) / len(m):.1f}" for m in many.values()]
        for percent, label in (
            (5, "5 % have at most"),
            (50, "median"),
            (95, "95 % have at most"),
            (100, "most"),
        ):
            expected[f"{unit}, {label}"] = [
                f"{m[max(-(-percent * len(m) // 100) - 1, 0)]:,}" for m in many.values()
            ]
    assert next(table for table in tables if "tokens, mean" in table) == expected


def test_rows_in_both_languages(release, tables):
    data = read(release, "data")
    english, chinese = [table for table in tables if list(table) == list(TRACKS)]
    for track in TRACKS:
        assert english[track][2] == chinese[track][2] == f"{data[track].height:,}"
        chars = sorted(len(row[1]["value"]) for row in data[track]["conversations"])
        assert chinese[track][3] == f"{chars[-(-len(chars) // 2) - 1]:,}"


def test_retries_checks_and_size(release, text):
    retried = sum(
        int((frame["attempt"] > 1).sum()) for frame in read(release, "provenance").values()
    )
    assert retried > 0
    assert f"{retried} rows are from a later one" in text
    checks = json.loads((release / "quality.json").read_text())
    held = sum(check["success"] for check in checks)
    assert f"{held} of {len(checks)} checks" in text
    assert cards.front_matter(release)["size_categories"] == ["n<1K"]


def test_every_example_is_a_row_of_its_file(release, text):
    examples = re.findall(r"`(\w+)`, row ([\d,]+) of ([\d,]+):\n\n```json\n(.*)\n```", text)
    assert [example[0] for example in examples] == list(TRACKS)
    for track, row, rows, shown in examples:
        (file,) = release.glob(f"*_{track.replace('_', '_image_')}.jsonl")
        lines = file.read_text().splitlines()
        assert f"{len(lines):,}" == rows
        assert json.loads(lines[int(row.replace(",", ""))]) == json.loads(shown)


def test_figures_show_every_row_once_and_the_card_names_them_all(release, text):
    data = read(release, "data")
    named = re.findall(r"!\[[^]]*\]\((figures/[^)]+)\)", text)
    assert sorted(named) == sorted(f"figures/{p.name}" for p in (release / "figures").iterdir())
    assert len(named) == 2 * len(TRACKS)
    for name in named:
        track = re.match(r"figures/(.+)_", name)[1]
        titles = ET.parse(release / name).iter("{http://www.w3.org/2000/svg}title")  # noqa: S314
        rows = [int(re.search(r": ([\d,]+) rows$", t.text)[1].replace(",", "")) for t in titles]
        assert sum(rows) == data[track].height

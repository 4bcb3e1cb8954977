import dataclasses
import json
import re

import pyarrow.compute as pc
import pytest
import yaml

from sa1b_captions.receipts.findings import Check
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.card.card import (
    render_card,
    render_citation,
    render_licence,
    size_category,
)
from sa1b_captions.release.card.summary import TrackSummary
from sa1b_captions.release.tracks.rows import published_table
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import builders, releases
from tests.support.card_facts import TOTALS, facts


def card(recipe, totals=TOTALS, **changes):
    text = render_card(facts(recipe, totals, **changes))
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def preview(**changes):
    recipe = builders.demo_recipe(**{"title": "Captions by preview", **changes})
    return recipe, dataclasses.replace(TOTALS, engines=["preview"])


def test_every_config_points_at_files_of_the_release(tmp_path):
    store = FileStore(tmp_path)
    export_release(releases.ready_campaign(store), "v1")
    text = store.read("releases/v1/README.md").decode()
    front = yaml.safe_load(text.split("---\n")[1])
    configs = {config["config_name"]: config for config in front["configs"]}
    kinds = ("", "_provenance", "_image_hashes")
    expected = {f"{track}{kind}" for track in TRACKS for kind in kinds}
    assert set(configs) == expected
    assert [name for name, config in configs.items() if config.get("default")] == ["single_en"]
    for config in configs.values():
        (file,) = config["data_files"]
        assert file["split"] == "train"
        folder, _, pattern = file["path"].rpartition("/")
        assert pattern == "*.parquet"
        assert list(store.list(f"releases/v1/{folder}/"))
    assert store.exists(f"releases/v1/{front['license_link']}")


def test_the_internvl_card_has_the_conventional_front_matter():
    front, _ = card(releases.internvl_recipe("0-999"))
    assert front["pretty_name"] == "SA-1B captions by InternVL2-Llama3-76B"
    assert front["language"] == ["en", "zh"]
    assert front["license"] == "other"
    assert front["license_name"] == "mit-captions-of-sa-1b-with-llama-3-terms"
    assert front["annotations_creators"] == ["machine-generated"]
    assert front["task_categories"] == ["image-to-text", "image-text-to-text"]
    assert front["size_categories"] == ["10M<n<100M"]
    assert front["configs"][1] == {
        "config_name": "single_zh",
        "data_files": [{"split": "train", "path": "data/single_zh/*.parquet"}],
    }


def test_llama_terms_stand_on_llama_releases_only():
    internvl, (other, totals) = releases.internvl_recipe(), preview()
    assert "Llama" in card(internvl)[1]
    assert "Built with Meta Llama 3" in render_licence(internvl)
    assert "llama" not in str(card(other, totals)).lower()
    assert card(internvl)[0]["tags"] == ["synthetic-captions", "sa-1b", "internvl2"]
    assert card(other, totals)[0]["tags"] == ["synthetic-captions", "sa-1b"]
    assert "llama" not in render_licence(other).lower()


@pytest.mark.parametrize("make", [lambda: (releases.internvl_recipe(), TOTALS), preview])
def test_a_card_says_that_photographs_are_not_shipped_and_whose_terms_bind(make):
    recipe, totals = make()
    body = card(recipe, totals)[1]
    assert "The photographs themselves are not in this dataset" in body
    assert "research purposes only" in body
    assert "research purposes only" in render_licence(recipe)
    assert "MIT" in body


def test_a_preview_card_warns_against_training():
    recipe, totals = preview()
    assert "do not train on them" in card(recipe, totals)[1]
    assert "do not train on them" not in card(releases.internvl_recipe())[1]


def test_counts_and_reasons_are_in_tables_of_even_width():
    body = card(releases.internvl_recipe())[1]
    assert "| `single_en` | en | 1 | 11,000,000 |" in body
    assert "| `multi_zh` | zh | 2 to 4 | 11,000,000 |" in body
    assert f"| rejected by a rule |{' 185,990 (1.66%) |' * 4}" in body
    assert f"as a caption of another shard |{' 10 (0.00%) |' * 4}" in body
    tables = re.findall(r"(?:^\|.*\|\n)+", body, flags=re.MULTILINE)
    assert len(tables) == 5
    for table in tables:
        assert len({line.rstrip().count("|") for line in table.splitlines()}) == 1
        assert len(table.splitlines()) >= 3


def test_no_reasons_make_no_empty_table():
    recipe, totals = preview()
    body = card(recipe, dataclasses.replace(totals, reasons={}))[1]
    assert "By reason" not in body


def test_the_examples_on_the_card_are_json():
    body = card(releases.internvl_recipe())[1]
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)\n```", body, re.DOTALL)]
    assert [type(example["image"]) for example in examples] == [str, str, list, list]
    assert {example["id"] for example in examples} == {1}


@pytest.mark.parametrize("title", ['Captions: "new" & <old> # 1', "图像描述", "yes", "- a"])
def test_any_title_survives_in_the_front_matter(title):
    recipe, totals = preview(title=title)
    assert card(recipe, totals)[0]["pretty_name"] == title


@pytest.mark.parametrize(
    ("rows", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (99_999, "10K<n<100K"),
        (12_154_000, "10M<n<100M"),
        (10**9, "n>1B"),
    ],
)
def test_size_categories_are_hugging_faces(rows, category):
    assert size_category(rows) == category


def test_a_card_says_when_the_photographs_are_stand_ins(tmp_path):
    for recipe, said in (
        (builders.demo_recipe(), False),
        (builders.demo_recipe(stand_in="drawings"), True),
    ):
        campaign = releases.ready_campaign(FileStore(tmp_path / str(said)), recipe)
        export_release(campaign, "v1")
        text = campaign.store.read("releases/v1/README.md").decode()
        assert ("stand-ins" in text and "drawings" in text) is said


def test_a_card_tells_what_changed_since_the_version_before(tmp_path):
    store = FileStore(tmp_path)
    campaign = releases.ready_campaign(store)
    export_release(campaign, "v1")
    assert "This is the first version" in store.read("releases/v1/README.md").decode()
    export_release(campaign, "v2")
    assert "Counts, recipe, shards and software are those of v1" in (
        store.read("releases/v2/README.md").decode()
    )
    releases.put_curated(campaign, "single_en", "sa_000001", ["A new caption."])
    releases.put_duplicates(campaign, "single_en", {})
    export_release(campaign, "v3")
    text = store.read("releases/v3/README.md").decode()
    section = text.split("## Changes since v2")[1].split("##")[0]
    assert "| rows of `single_en` | 6 | 4 |" in section
    assert "single_zh" not in section


def test_checks_that_warned_stand_on_the_card_with_what_was_found():
    warned = Check("length", "Lengths are as usual", "warning", False, False, "0.3 | far")
    body = card(releases.internvl_recipe(), checks=[warned], verdict="warn")[1]
    assert "0 of 1 checks" in body
    assert "- warning: Lengths are as usual. Found: 0.3 | far." in body


@pytest.mark.parametrize(
    ("recipe", "works"), [(releases.internvl_recipe(), 3), (builders.demo_recipe(), 1)]
)
def test_the_citation_is_valid_and_names_what_the_dataset_builds_on(recipe, works):
    found = yaml.safe_load(render_citation(recipe, "v7"))
    assert (found["cff-version"], found["type"], found["version"]) == ("1.2.0", "dataset", "v7")
    assert found["title"] == recipe.title
    assert all(found[key] for key in ("message", "authors"))
    dois = [work["identifiers"][0]["value"] for work in found["references"]]
    assert len(dois) == works
    body = card(recipe, TOTALS)[1]
    assert all(doi.partition("arXiv.")[2] in body for doi in dois)
    assert len(re.findall(r"^@article\{\w+,$", body, re.MULTILINE)) == works


def test_a_caption_cannot_leave_its_block_of_code():
    recipe = releases.internvl_recipe()
    track = recipe.tracks["single_en"]
    evil = "``` </script> | # heading {{ 7 * 7 }}"
    kept = builders.caption_rows(builders.demo_recipe(), "single_en", "sa_000000", [evil])
    found = TrackSummary(example=0)
    found.characters.add(pc.utf8_length(kept.column("caption")))
    found.tokens.add(kept.column("completion_tokens"))
    found.row = published_table(track, kept, 0).to_pylist()[found.example]
    given = facts(recipe)
    given = dataclasses.replace(given, summaries={**given.summaries, "single_en": found})
    examples = re.findall(r"^```json\n(.*)\n```$", render_card(given), re.MULTILINE)
    assert json.loads(examples[0])["conversations"][1]["value"] == evil


def test_a_chinese_section_tells_the_same_counts():
    body = card(releases.internvl_recipe())[1].split("## 中文说明")[1]
    assert "| `single_zh` | 中文 | 1 | 11,000,000 |" in body
    assert "仅限研究用途" in body

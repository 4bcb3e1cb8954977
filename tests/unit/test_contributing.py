"""CONTRIBUTING.md: its recipes are followed, and what it names exists."""

import re
import textwrap
from dataclasses import dataclass, fields

import polars as pl
import pyarrow as pa
import pytest

from sa1b_captions.quality import rules
from sa1b_captions.quality.features import measure
from sa1b_captions.receipts import Receipt
from sa1b_captions.receipts.receipt_files import Place, read_receipt, write_receipt
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import Settings, parsers, reading
from sa1b_captions.settings.variables import variable
from scripts import settings_files
from tests.support.deployment import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
NAMES = {
    "Place": Place,
    "Receipt": Receipt,
    "Rule": rules.Rule,
    "Settings": Settings,
    "dataclass": dataclass,
    "parsers": parsers,
    "pl": pl,
    "variable": variable,
}
"""What the modules that the recipes name import."""


def snippet(heading):
    """The code under a heading."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## )", TEXT, re.M | re.S)[1]
    return re.search(r"```python\n(.*?)```", section, re.S)[1]


def run(code):
    """What the code defines, run as a module's own."""
    found = dict(NAMES)
    exec(code, found)  # noqa: S102  # our own documentation
    return found


def test_the_rule_of_the_recipe_marks_what_it_says(monkeypatch):
    rule = run("rule = " + snippet("Add a rule"))["rule"]
    monkeypatch.setattr(rules, "RULES", (*rules.RULES, rule))
    limits = load_recipe("internvl").quality.languages["en"]
    rows = measure(pa.array(["A red kettle stands here."])).with_columns(status=pl.lit("ok"))
    assert rule.name in rules.find_reasons(rows, limits).to_list()[0]


def test_the_setting_of_the_recipe_is_read_documented_and_handed_to_pods(monkeypatch):
    code = "@dataclass(frozen=True, kw_only=True)\nclass Extended(Settings):\n" + textwrap.indent(
        snippet("Add a setting"), "    "
    )
    extended = run(code)["Extended"]
    made = {entry.name: entry.metadata["variable"] for entry in fields(extended)}
    monkeypatch.setattr(reading, "Settings", extended)
    monkeypatch.setattr(reading, "VARIABLES", made)
    monkeypatch.setattr(reading, "VARIABLE_NAMES", tuple(each.name for each in made.values()))
    monkeypatch.setattr(settings_files, "VARIABLES", made)
    found = reading.load_settings({"CAPTIONS_ROOT": "file:///x", "CAPTIONS_MAX_TRIES": "5"})
    assert found.max_tries == 5
    assert reading.worker_environment(found)["CAPTIONS_MAX_TRIES"] == "5"
    for name, fill in settings_files.PARTS:
        assert "CAPTIONS_MAX_TRIES" in fill((ROOT / name).read_text())
    assert "| `CAPTIONS_MAX_TRIES` | Times that a sample is tried. | `3` |" in settings_files.page()


def test_the_receipt_of_the_recipe_is_written_and_read(local):
    made = run(snippet("Add a stage"))
    place = made["count_place"]("sa_000000")
    assert read_receipt(local, place) is None
    receipt = made["CountReceipt"](shard="sa_000000", images=3, input="0" * 16)
    write_receipt(local, place, receipt)
    assert read_receipt(local, place).images == 3


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:include|tests|docs)/[^`*]+)`", TEXT)))
)
def test_what_the_recipes_name_exists(path):
    assert (ROOT / path).exists()


def test_every_make_target_is_listed_and_no_other():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.M)) - {"help"}
    listed = TEXT[TEXT.index("## All make targets") :]
    assert set(re.findall(r"`make ([a-z0-9-]+)`", listed)) == targets


OURS = re.findall(r"-m ((?:benchmarks|demo|scripts|tests)[\w.]*)", (ROOT / "Makefile").read_text())


@pytest.mark.parametrize("module", sorted(set(OURS)))
def test_every_module_that_make_runs_does_something(module):
    """A module without its last lines ends with 0 and says nothing."""
    place = ROOT / module.replace(".", "/")
    if place.is_dir():
        assert (place / "__main__.py").exists()
    else:
        assert '\nif __name__ == "__main__":\n    ' in place.with_suffix(".py").read_text()


def test_ci_runs_make_targets_only():
    """And installs what of Debian's a hosted machine lacks."""
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    commands = re.findall(r"^\s*(?:- )?run: (.*)$", text, re.M)
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.M))
    assert commands
    for command in commands:
        if command.startswith("sudo apt-get update && sudo apt-get install "):
            continue
        make, *asked = command.split()
        assert make == "make"
        assert set(asked) <= targets

"""The page "caption your own photographs" does what it says."""

import json
import os
import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from demo.photographs import CROPS, photograph
from sa1b_captions.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-images.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def commands():
    return [line for block in blocks("sh") for line in block.splitlines()]


def test_the_pages_commands_make_a_release_of_a_folder_of_photographs(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CAPTIONS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for number, crop in enumerate(CROPS[::3][:15]):
        path = tmp_path / "photographs" / ("sea", "böats & piers")[number % 2] / f"{number}.JPG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photograph(crop, 120))
    (tmp_path / "recipe.toml").write_text(blocks("toml")[0])
    for line in commands():
        if assignment := re.fullmatch(r"export (\w+)=(.*)", line):
            monkeypatch.setenv(assignment[1], assignment[2].replace("$PWD", str(tmp_path)))
            continue
        program, *arguments = shlex.split(line)
        result = CliRunner().invoke(app, arguments)
        assert (program, result.exit_code) == ("sa1b-captions", 0), (line, result.output)
    release = tmp_path / "store" / "releases" / "v1"
    rows = [json.loads(line) for line in (release / "garden_single_en.jsonl").open()]
    assert len(rows) >= 10
    assert all((tmp_path / "photographs" / row["image"].split("/", 1)[1]).exists() for row in rows)
    card = (release / "README.md").read_text()
    licence = (release / "LICENSE.md").read_text()
    assert "photographs of a garden" in card
    assert "photographs of a garden" in licence
    assert "segment-anything" not in card + licence
    assert "sa-1b" not in card

"""`docs/add-an-engine.md`, followed: its code becomes a room, and a shard is captioned with it."""

import dataclasses
import re
import sys
import textwrap
import types
from pathlib import Path

import pytest

from sa1b_captions.caption import engines
from sa1b_captions.caption.engines import generation, registry
from sa1b_captions.caption.engines.base import Engine, Reply, Request
from sa1b_captions.errors import PermanentError, SettingsError
from sa1b_captions.records import CaptionStatus
from sa1b_captions.settings import ENGINE_NAMES, load_settings
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore
from tests.support import builders

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add-an-engine.md").read_text()
RECIPE = builders.demo_recipe()
SETTINGS = load_settings({"CAPTIONS_ROOT": "file:///x"})


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """The page's engine, opened as the page says: a folder, and a name."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (place,) = re.findall(r"`include/sa1b_captions/caption/engines/(\w+/engine\.py)`", PAGE)
    (tmp_path / place).parent.mkdir()
    (tmp_path / place).with_name("__init__.py").write_text('"""The echo engine."""\n')
    (tmp_path / place).write_text(textwrap.dedent(code))
    name = place.partition("/")[0]
    monkeypatch.setattr(engines, "__path__", [*engines.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "ENGINE_NAMES", (*ENGINE_NAMES, name))
    return registry.open_engine(name, RECIPE, SETTINGS)


def test_the_pages_engine_has_all_that_the_protocol_asks_for(engine):
    wanted = {*Engine.__annotations__, "caption", "close"}
    assert {name for name in wanted if not hasattr(engine, name)} == set()
    assert (engine.name, engine.model) == ("echo", RECIPE.model.id)


def test_the_pages_engine_captions_a_shard(engine, tmp_path):
    store = FileStore(tmp_path / "store")
    builders.put_shard(store, "sa_000000", {n: builders.make_jpeg(n) for n in range(1, 6)})
    campaign = builders.demo_campaign(store)
    done = caption_shards(campaign, ["sa_000000"], lambda: engine, tracks=["single_en"])
    assert done["sa_000000"]["statuses"]["single_en"] == {"ok": 5}


def test_what_the_page_says_of_errors_and_ends_is_so(engine):
    track = RECIPE.tracks["single_en"]
    empty = Request("single_en/sa_000000/1", (), track, RECIPE.generation, attempt=1, jpegs=())
    assert engine.caption(empty).status is CaptionStatus.ERROR
    assert generation.finished("A dog", "length").status is CaptionStatus.TRUNCATED
    assert generation.finished(" ", "stop").status is CaptionStatus.EMPTY
    assert generation.finished("A dog", "abort").status is CaptionStatus.ERROR


def test_every_name_and_file_of_the_page_exists():
    for word in ("generation.py", "base.py", "settings.py"):
        assert list((ROOT / "include").rglob(word))
    for field in ("images", "jpegs", "attempt"):
        assert field in {one.name for one in dataclasses.fields(Request)}
    assert "status" in {one.name for one in dataclasses.fields(Reply)}
    for name in re.findall(r"`(finished|failed|sampling|image_first)`", PAGE):
        assert callable(getattr(generation, name))


@pytest.mark.parametrize(("revision", "warns"), [("main", True), ("0123456789" * 4, False)])
def test_a_run_with_a_branch_for_a_revision_warns(monkeypatch, caplog, revision, warns):
    model = dataclasses.replace(RECIPE.model, revision=revision)
    opened = types.SimpleNamespace(model=model.id, model_revision="unknown")
    room = types.SimpleNamespace(open_engine=lambda recipe, settings: opened)
    monkeypatch.setattr(registry, "import_module", lambda name: room)
    registry.open_engine("openai", dataclasses.replace(RECIPE, model=model), SETTINGS)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == warns
    assert not told or f"asks for revision main of {model.id}, which names no commit" in told[0]


def test_the_preview_engine_which_runs_no_model_does_not_warn(caplog):
    registry.open_engine("preview", RECIPE, SETTINGS)
    assert not caplog.records


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_every_engine_that_may_be_chosen_has_its_room(name):
    assert (Path(engines.__path__[0]) / name / "engine.py").is_file()


def test_a_name_without_a_room_is_refused_with_those_there_are():
    with pytest.raises(PermanentError, match="no engine 'gpt'; there are: preview, openai"):
        registry.open_engine("gpt", RECIPE, SETTINGS)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("lmdeploy", "CAPTIONS_MODEL_PATH"), ("openai", "CAPTIONS_OPENAI_URLS")],
)
def test_an_engine_whose_setting_is_missing_is_refused(name, missing):
    with pytest.raises(SettingsError, match=f"{missing} is not set"):
        registry.open_engine(name, RECIPE, SETTINGS)


def test_lmdeploy_is_refused_where_it_is_not_installed(tmp_path, monkeypatch):
    folder = tmp_path / RECIPE.model.id.rpartition("/")[2]
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    environ = {"CAPTIONS_ROOT": "file:///x", "CAPTIONS_MODEL_PATH": str(folder)}
    monkeypatch.setitem(sys.modules, "lmdeploy", None)
    with pytest.raises(PermanentError, match="the lmdeploy engine is not installed"):
        registry.open_engine("lmdeploy", RECIPE, load_settings(environ))

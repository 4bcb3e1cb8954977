import dataclasses
import json
import logging
import shutil

import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

from sa1b_captions import layout
from sa1b_captions.campaign import lock_model, open_campaign, read_lock
from sa1b_captions.caption.engines import registry
from sa1b_captions.cli import app
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.recipe import load_recipe
from sa1b_captions.recipe.model_files import lock_beside
from sa1b_captions.recipe.model_lock import LockedFile, ModelLock, parse_lock, render_lock
from sa1b_captions.settings import load_settings
from sa1b_captions.stages.model_supply import fetch_model, lock_from_hub, lock_snapshot
from sa1b_captions.storage import FileStore
from tests.support.hub_server import TOKEN, HubServer, head

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")

RECIPE = load_recipe("internvl2-2b")
MODEL = RECIPE.model
NAME = MODEL.id.rpartition("/")[2]
COMMIT = head("main")
FILES = {
    ".gitattributes": b"*.safetensors filter=lfs",
    "README.md": b"# Tiny",
    "config.json": b"{}",
    "code/model.py": b"pass",
    "model.safetensors": b"weights" * 1000,
}


@pytest.fixture
def hub(monkeypatch):
    with HubServer().running() as server:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        server.repositories[MODEL.id] = {"main": dict(FILES)}
        yield server


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPTIONS_ROOT", (tmp_path / "store").as_uri())
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", "c")
    monkeypatch.setenv("CAPTIONS_RECIPE", "internvl2-2b")
    return FileStore(tmp_path / "store")


@pytest.fixture
def run(caplog):
    caplog.set_level(logging.INFO)

    def invoke(*arguments):
        caplog.clear()
        result = CliRunner().invoke(app, ["model", *map(str, arguments)])
        lines = result.stdout.splitlines()
        return result.exit_code, json.loads(lines[-1]) if lines else None, caplog.text

    return invoke


def plain_folder(root, files=FILES):
    for name, data in files.items():
        path = root / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root / NAME


def test_the_hubs_list_and_a_fetched_folder_give_one_lock_and_weights_are_not_fetched_for_it(
    hub, tmp_path
):
    listed = lock_from_hub(MODEL)
    assert listed.revision == COMMIT
    assert sorted(listed.files) == [
        "README.md",
        "code/model.py",
        "config.json",
        "model.safetensors",
    ]
    assert not [path for _, path in hub.log if path.endswith("model.safetensors")]
    folder, fetched = fetch_model(MODEL, None, tmp_path)
    assert fetched == listed == lock_snapshot(MODEL, str(folder))
    assert lock_snapshot(MODEL, str(plain_folder(tmp_path))).digest == listed.digest


def test_a_model_is_fetched_once_by_its_commit(hub, tmp_path):
    folder, lock = fetch_model(MODEL, None, tmp_path)
    assert folder.name == COMMIT
    assert parse_lock(lock_beside(folder).read_bytes(), "x") == lock
    hub.log.clear()
    hub.repositories[MODEL.id]["main"]["model.safetensors"] = b"other weights"
    assert fetch_model(MODEL, lock, tmp_path) == (folder, lock)
    assert not [path for _, path in hub.log if "/resolve/" in path]


def test_what_came_damaged_is_deleted_so_that_the_next_try_fetches_it(hub, tmp_path):
    lock = lock_from_hub(MODEL)
    good = hub.repositories[MODEL.id]["main"]["model.safetensors"]
    hub.repositories[MODEL.id]["main"]["model.safetensors"] = b"WEIGHTS" * 1000
    with pytest.raises(RetryableError, match=r"model\.safetensors has SHA-256.*run the same comma"):
        fetch_model(MODEL, lock, tmp_path)
    hub.repositories[MODEL.id]["main"]["model.safetensors"] = good
    folder, _ = fetch_model(MODEL, lock, tmp_path)
    assert (folder / "model.safetensors").read_bytes() == good


def test_small_files_are_compared_with_the_hubs_list(hub, monkeypatch):
    monkeypatch.setattr("tests.support.hub_server.git_sha1", lambda data: "0" * 40)
    with pytest.raises(RetryableError, match="sent other bytes of README.md than it lists"):
        lock_from_hub(MODEL)


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (lambda method, path: 503, RetryableError, "cannot be fetched now: the hub answered 503"),
        (lambda method, path: 429, RetryableError, "cannot be fetched now: the hub answered 429"),
        (lambda method, path: 403, PermanentError, "the hub answered 403.*HF_TOKEN"),
    ],
)
def test_a_hub_that_does_not_give_it_is_one_sentence(hub, fault, kind, message, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.faults.append(fault)
    with pytest.raises(kind, match=message) as caught:
        lock_from_hub(MODEL)
    assert "127.0.0.1" not in str(caught.value)


def test_a_model_that_the_hub_lacks_is_named(hub):
    with pytest.raises(PermanentError, match="lab/Nothing of revision main cannot be fetched"):
        lock_from_hub(dataclasses.replace(MODEL, id="lab/Nothing"))


def test_a_lock_beside_the_recipe_is_stored_when_the_campaign_begins(
    hub, store, run, tmp_path, monkeypatch
):
    recipe = tmp_path / "mine.toml"
    recipe.write_text('base = "internvl2-2b"\nname = "mine"\n')
    monkeypatch.setenv("CAPTIONS_RECIPE", str(recipe))
    code, told, _ = run("lock", "--out", recipe.with_suffix(".lock"))
    assert code == 0
    assert told["revision"] == COMMIT
    assert not store.root.exists()
    assert CliRunner().invoke(app, ["curate", "--shards", "0"]).exit_code  # begins, has nothing
    assert read_lock(store, "c").digest == told["lock"]
    assert run("lock", "--out", recipe.with_suffix(".lock"))[0] == 65  # it exists
    hub.repositories[MODEL.id]["main"]["config.json"] = b"[]"
    recipe.with_suffix(".lock").write_bytes(render_lock(lock_from_hub(MODEL)))
    result = CliRunner().invoke(app, ["curate", "--shards", "0"])
    assert result.exit_code == 65


def test_a_campaign_is_locked_once_and_not_to_other_files(hub, store, run, tmp_path):
    code, told, _ = run("lock")
    assert (code, told["stored"]) == (0, store.locate(layout.lock_key("c")))
    before = store.read(layout.lock_key("c"))
    assert run("lock", plain_folder(tmp_path))[0] == 0  # the same files
    assert store.read(layout.lock_key("c")) == before
    other = plain_folder(tmp_path / "b", FILES | {"config.json": b"[]"})
    code, _, log = run("lock", other)
    assert code == 65
    assert (
        "campaign 'c' is locked to other files of OpenGVLab/InternVL2-2B: config.json has SHA"
        in log
    )
    assert store.read(layout.lock_key("c")) == before


def test_a_lock_changes_no_fingerprint_and_old_campaigns_have_none(store):
    campaign = open_campaign(store, "c", RECIPE)
    assert read_lock(store, "c") is None
    stored = store.read(layout.recipe_key("c"))
    lock_model(campaign, ModelLock(MODEL.id, "main", {"a": LockedFile(1, "ab" * 32)}))
    assert open_campaign(store, "c", RECIPE).recipe.fingerprint == RECIPE.fingerprint
    assert store.read(layout.recipe_key("c")) == stored


@pytest.mark.parametrize(
    ("lock", "model"),
    [
        (ModelLock("lab/other", "main", {}), MODEL),
        (ModelLock(MODEL.id, "f" * 40, {}), dataclasses.replace(MODEL, revision=COMMIT)),
    ],
)
def test_a_lock_of_another_model_or_revision_is_refused(store, lock, model):
    campaign = open_campaign(store, "c", RECIPE)
    campaign = dataclasses.replace(campaign, recipe=dataclasses.replace(RECIPE, model=model))
    with pytest.raises(PermanentError, match="lock that one"):
        lock_model(campaign, lock)


def test_pods_refuse_a_snapshot_that_differs_before_anything_is_loaded(store, tmp_path):
    folder = plain_folder(tmp_path)
    lock = lock_snapshot(MODEL, str(folder))
    settings = load_settings({"CAPTIONS_ROOT": store.url, "CAPTIONS_MODEL_PATH": str(folder)})
    with pytest.raises(PermanentError, match="GPU worker image"):  # the files are right
        registry.open_engine("lmdeploy", RECIPE, settings, lock)
    (folder / "model.safetensors").write_bytes(b"WEIGHTS" * 1000)
    with pytest.raises(PermanentError, match="is not the model that is locked"):
        registry.open_engine("lmdeploy", RECIPE, settings, lock)
    with pytest.raises(PermanentError, match="GPU worker image"):  # no lock: as before
        registry.open_engine("lmdeploy", RECIPE, settings)
    judge = dataclasses.replace(RECIPE, model=dataclasses.replace(MODEL, id=f"judges/{NAME}"))
    with pytest.raises(PermanentError, match="GPU worker image"):  # another model's lock
        registry.open_engine("lmdeploy", judge, settings, lock)


def test_verify_hashes_again_and_takes_the_lock_that_there_is(
    hub, store, run, tmp_path, monkeypatch
):
    code, told, _ = run("fetch", "--to", tmp_path / "hub")
    assert code == 0
    folder = told["folder"]
    assert run("verify", folder)[0] == 65  # the campaign has no lock
    assert run("lock", folder)[0] == 0
    code, verified, log = run("verify", folder)
    assert (code, verified["lock"]) == (0, told["lock"])
    assert "hashing 4 files" in log
    monkeypatch.delenv("CAPTIONS_ROOT")
    assert run("verify", folder)[0] == 0  # by the lock that fetch left
    shutil.rmtree(tmp_path / "hub")
    assert run("verify", folder)[0] == 65


def test_status_and_plan_say_whether_the_model_is_locked(store, run, tmp_path):
    open_campaign(store, "c", RECIPE)
    for command in (["status"], ["plan", "--price-per-gpu-hour", "2", "--nodes", "1"]):
        lines = CliRunner().invoke(app, command).stdout.splitlines()
        assert f"model {MODEL.id}: not locked" in lines
        assert json.loads(lines[-1])["model_lock"] is None
    lock = lock_snapshot(MODEL, str(plain_folder(tmp_path)))
    lock_model(open_campaign(store, "c"), lock)
    lines = CliRunner().invoke(app, ["status"]).stdout.splitlines()
    assert f"model {MODEL.id}: locked to revision unknown" in lines
    assert json.loads(lines[-1])["model_lock"] == lock.digest

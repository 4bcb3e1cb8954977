import json
import os
import shutil
import subprocess
import sys
import threading

import pytest
from huggingface_hub import constants, snapshot_download
from typer.testing import CliRunner

from sa1b_captions.cli.common import app
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.release.hubs.hub import Destination, parse_destination
from sa1b_captions.release.verify import verify_folder
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.publish import publish_release
from sa1b_captions.storage import FileStore
from tests.support import releases
from tests.support.hub_server import TOKEN, HubServer

# huggingface_hub 2.4 calls its HTTP client by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")

REPOSITORY = "lab/captions"
HF = Destination("hf", REPOSITORY)
MS = Destination("modelscope", REPOSITORY)
MAIN = {"hf": "main", "modelscope": "master"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A store with releases v1 and v2; v2 has other captions in one track."""
    store = FileStore(tmp_path_factory.mktemp("store"))
    campaign = releases.ready_campaign(store)
    export_release(campaign, "v1")
    releases.put_curated(campaign, "single_en", "sa_000001", ["A new caption."])
    releases.put_duplicates(campaign, "single_en", {})
    export_release(campaign, "v2")
    return store


@pytest.fixture
def store(exported, tmp_path):
    """A copy, for tests that change it."""
    shutil.copytree(exported.root, tmp_path / "copy")
    return FileStore(tmp_path / "copy")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The server, with both clients pointed at it."""
    with HubServer().running() as server:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        monkeypatch.setenv("MODELSCOPE_HOME", str(tmp_path / "modelscope"))
        yield server


def publish(store, to=HF, version="v1", **options):
    options = {"dry_run": False, "token": TOKEN} | options
    return publish_release(store, version, to, options.pop("token"), **options)


def download(hub, folder, branch="main", repository=REPOSITORY):
    """What a user gets, as files of a folder."""
    for name, data in hub.files(repository, branch).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return FileStore(folder)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hf://lab/captions", HF),
        ("modelscope://lab/captions", MS),
        ("hf://lab/captions@next-1.0", Destination("hf", "lab/captions", "next-1.0")),
    ],
)
def test_a_destination_is_a_hub_a_repository_and_a_branch(text, found):
    assert parse_destination(text) == found
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lab/captions",
        "hf://lab",
        "hf://a/b/c",
        "s3://a/b",
        "hf://a/b@",
        "hf://../b",
        "hf://a/b?c",
    ],
)
def test_what_is_no_destination_is_told(text):
    with pytest.raises(PermanentError, match="write hf://owner/name or modelscope://owner/name"):
        parse_destination(text)


def test_a_hub_without_xet_is_told_with_its_remedy(exported, hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    with pytest.raises(RetryableError, match="cannot be given .*set HF_HUB_DISABLE_XET=1") as told:
        publish(exported)
    assert "http" not in str(told.value)
    assert hub.commits == []
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    publish(exported)
    assert len(hub.commits) == 1


@pytest.mark.parametrize("to", [HF, MS], ids=str)
def test_a_release_arrives_whole_in_a_private_repository(exported, hub, to, tmp_path):
    result = publish(exported, to)
    assert (result["holds"], result["up_to_date"]) == (None, False)
    assert verify_folder(download(hub, tmp_path / "copy", MAIN[to.scheme])) == []
    assert hub.private == {REPOSITORY}
    assert result["files"] == result["send_files"] == len(releases.release_keys(exported))


@pytest.mark.parametrize("to", [HF, MS], ids=str)
def test_publishing_again_sends_nothing(exported, hub, to):
    publish(exported, to)
    commits, sent = len(hub.commits), hub.sent_bytes
    again = publish(exported, to)
    assert again["up_to_date"]
    assert again["send"] == []
    assert (len(hub.commits), hub.sent_bytes) == (commits, sent)


@pytest.mark.parametrize("to", [HF, MS], ids=str)
def test_a_dry_run_says_what_would_go_and_writes_nothing(exported, hub, to):
    plan = publish(exported, to, dry_run=True)
    assert plan["dry_run"]
    assert plan["send_files"] == plan["files"] > 20
    assert plan["send_bytes"] == plan["bytes"] > 0
    assert hub.repositories == {}
    assert {method for method, _ in hub.log} == {"GET"}


@pytest.mark.parametrize("to", [HF, MS], ids=str)
def test_the_next_version_takes_the_place_of_the_last(exported, hub, to, tmp_path):
    publish(exported, to)
    branch = hub.files(REPOSITORY, MAIN[to.scheme])
    branch["data/single_en/train-00001.parquet"] = b"of an older version"
    manifest = json.loads(branch["manifest.json"])
    gone = {"name": "data/single_en/train-00001.parquet", "rows": 1, "bytes": 1, "sha256": ""}
    branch["manifest.json"] = json.dumps(manifest | {"files": [*manifest["files"], gone]}).encode()
    branch["images/hand-made.txt"] = b"a stranger"
    before = hub.sent_bytes
    result = publish(exported, to, "v2")
    assert result["holds"] == "v1"
    assert result["remove"] == ["data/single_en/train-00001.parquet"]
    assert result["leave"] == ["images/hand-made.txt"]
    assert "data/single_zh/train-00000.parquet" not in result["send"]
    assert 0 < hub.sent_bytes - before < before / 2
    del branch["images/hand-made.txt"]
    copy = download(hub, tmp_path / "copy", MAIN[to.scheme])
    assert verify_folder(copy) == []
    assert json.loads(copy.read("manifest.json"))["version"] == "v2"


@pytest.mark.parametrize(
    "manifest", [b"{}", b"[]", b"\xff", b'{"version": "[x](http://x)", "files": []}']
)
def test_somebody_elses_manifest_names_no_version(exported, hub, manifest):
    hub.repositories[REPOSITORY] = {"main": {"manifest.json": manifest}}
    assert publish(exported, dry_run=True)["holds"] is None


def test_nobody_sees_half_a_release_on_hugging_face(exported, hub):
    publish(exported)
    assert len(hub.commits) == 1


def test_the_manifest_comes_last_on_modelscope(exported, hub):
    publish(exported, MS)
    names = [action["path"] for commit in hub.commits for action in commit["actions"]]
    assert names[-1] == "manifest.json"
    assert "manifest.json" not in names[:-1]


def test_an_older_release_does_not_take_the_place_of_a_newer_one(exported, hub):
    publish(exported, version="v2")
    with pytest.raises(PermanentError, match="holds v2, which is newer than v1"):
        publish(exported, version="v1")
    elsewhere = publish(exported, parse_destination(f"{HF}@v1"), "v1")
    assert not elsewhere["up_to_date"]
    assert json.loads(hub.files(REPOSITORY)["manifest.json"])["version"] == "v2"
    assert json.loads(hub.files(REPOSITORY, "v1")["manifest.json"])["version"] == "v1"


def test_what_is_not_verified_does_not_go(store, hub):
    key = "releases/v1/data/single_en/train-00000.parquet"
    data = bytearray(store.read(key))
    data[9] ^= 1
    store.write(key, bytes(data))
    for dry_run in (True, False):
        with pytest.raises(PermanentError, match="differs from its manifest, so nothing"):
            publish(store, dry_run=dry_run)
    assert hub.log == []


def test_bytes_that_change_on_the_way_are_noticed(exported, hub):
    kept = hub.blobs

    class Forgetful(dict):
        def __getitem__(self, digest):
            return b"x" * len(super().__getitem__(digest))

    hub.blobs = Forgetful(kept)
    with pytest.raises(RetryableError, match="holds other bytes of .* than were sent"):
        publish(exported)


def test_after_a_killed_run_only_the_rest_is_sent(exported, hub, tmp_path):
    arrived, go_on = threading.Event(), threading.Event()

    def stop_at_the_fifth(method, path):
        if len(hub.uploads()) == 5:
            arrived.set()
            go_on.wait(60)

    hub.faults.append(stop_at_the_fifth)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CAPTIONS_")
    } | {
        "CAPTIONS_ROOT": exported.url,
        "CAPTIONS_PUBLISH_TOKEN": TOKEN,
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path),
    }
    command = [sys.executable, "-m", "sa1b_captions", "publish", "v1", "--to", str(HF), "--yes"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        while not arrived.wait(0.1):
            assert process.poll() is None, process.stderr.read()
        process.kill()
    hub.faults.clear()
    go_on.set()
    assert hub.commits == []
    before = set(hub.uploads())
    publish(exported)
    assert len(before) == 5
    sent_again = [path for path in before if hub.uploads().count(path) > 1]
    assert len(sent_again) <= 1  # the one that was on its way
    assert verify_folder(download(hub, tmp_path / "copy")) == []


@pytest.mark.parametrize("to", [HF, MS], ids=str)
def test_a_refusal_is_a_sentence_without_the_token(exported, hub, to, caplog):
    with pytest.raises(PermanentError, match="CAPTIONS_PUBLISH_TOKEN") as refused:
        publish(exported, to, token="wrong-token")  # noqa: S106
    with pytest.raises(PermanentError, match="CAPTIONS_PUBLISH_TOKEN") as missing:
        publish(exported, to, token=None)
    for error in (refused, missing):
        assert "wrong-token" not in str(error.value)
    assert TOKEN not in caplog.text
    assert hub.repositories == {}


def test_a_hub_that_fails_may_be_tried_again(exported, hub):
    hub.faults.append(lambda method, path: 500 if path.endswith("/commit/main") else None)
    with pytest.raises(RetryableError, match="cannot be written now: the hub answered 500"):
        publish(exported)
    hub.faults.clear()
    before = hub.sent_bytes
    publish(exported)
    assert hub.sent_bytes == before


@pytest.mark.parametrize("to", [HF, MS], ids=str)
def test_addresses_of_uploads_are_secret(exported, hub, to, caplog, capfd):
    answers = iter([503, None, 403])

    def refuse(method, path):
        if method != "PUT":
            return None
        answer = next(answers, 403)
        if answer is None:
            raise ConnectionResetError("a fault")
        return answer

    hub.faults.append(refuse)
    with pytest.raises((PermanentError, RetryableError)) as refused:
        publish(exported, to)
    with pytest.raises((PermanentError, RetryableError)) as again:
        publish(exported, to)
    told = f"{refused.value} {again.value} {caplog.text} {''.join(capfd.readouterr())}"
    assert "blobs" not in told
    assert "SECRET" not in told
    assert TOKEN not in told


def test_a_release_that_is_in_no_folder_is_fetched_file_by_file(exported, hub, tmp_path):
    class Bucket:
        """The store, without the folder behind it."""

        def __getattr__(self, name):
            return getattr(exported, name)

    publish(Bucket())
    assert verify_folder(download(hub, tmp_path / "copy")) == []


def test_a_download_from_the_hub_is_verified_as_it_comes(exported, hub, tmp_path):
    publish(exported)
    folder = snapshot_download(
        REPOSITORY, repo_type="dataset", token=TOKEN, local_dir=tmp_path / "download"
    )
    done = CliRunner().invoke(app, ["verify", "--path", str(folder)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "download" / ".cache").is_dir()
    (tmp_path / "download" / "data" / "single_en" / "train-00000.parquet").write_bytes(b"PAR1")
    assert CliRunner().invoke(app, ["verify", "--path", str(folder)]).exit_code == 65


def test_the_command_asks_for_yes_and_takes_the_token_from_a_file(
    exported, hub, tmp_path, monkeypatch
):
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    for name, value in (("ROOT", exported.url), ("PUBLISH_TOKEN_FILE", token), ("PUBLISH_TO", HF)):
        monkeypatch.setenv(f"CAPTIONS_{name}", str(value))

    def run(*arguments):
        return CliRunner().invoke(app, ["publish", "v1", *arguments])

    planned = run()
    assert planned.exit_code == 0, planned.output
    assert "  send README.md" in planned.stdout
    assert "nothing was sent; give --yes to do it" in planned.stdout
    assert hub.repositories == {}
    done = run("--yes")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["dry_run"] is False
    assert "the repository has this release already" in run("--yes").stdout
    assert TOKEN not in planned.output + done.output
    token.write_text("two words\n")
    refused = run()
    assert refused.exit_code == 65
    assert "two words" not in refused.output
    token.unlink()
    assert run().exit_code == 65


def test_without_a_place_nothing_is_published(exported, monkeypatch):
    monkeypatch.setenv("CAPTIONS_ROOT", exported.url)
    assert CliRunner().invoke(app, ["publish", "v1"]).exit_code == 65
    assert CliRunner().invoke(app, ["publish", "v1", "--to", "lab/captions"]).exit_code == 65

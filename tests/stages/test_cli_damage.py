"""Every kind of stored object, damaged in five ways, as the commands that read it meet it.

The log ends with one sentence that names the object and says what to do, the exit code says that no
retry helps, and nothing of Python shows. What the sentence says to do helps.
"""

import fnmatch
import logging
import re
import shutil

import pytest
from typer.testing import CliRunner

from sa1b_captions import layout
from sa1b_captions.cli import app
from sa1b_captions.errors import EXIT_PERMANENT
from sa1b_captions.release.signature import SIGNATURE
from sa1b_captions.storage import FileStore
from tests.support import damage, fault_server, openai_server
from tests.support.damage import REDONE, SHARD, TRACK, WAYS

STATUS = "status"
CAPTION = f"caption --shards 0 --tracks {TRACK} --engine preview --force --run-id monday"
RESTORE = f"caption --shards 0 --tracks {REDONE} --restore"
CURATE = f"curate --shards 0 --tracks {TRACK} --force"
VALIDATE = "validate --shards 0 --force"
DEDUP = f"dedup --tracks {TRACK} --force"
RELEASE = "validate --release --force"
EXPORT = "export --version v2"
VERIFY = "verify --version v1"
EVERY = "*"
"""Stands for a name that the content tells."""


def curated(name):
    return layout.curated_key, "test", TRACK, SHARD, name


READERS = {
    (layout.recipe_key, "test"): [STATUS, CAPTION, CURATE, DEDUP, EXPORT],
    (layout.lock_key, "test"): [STATUS],
    (layout.reference_key, "test"): [CURATE, VALIDATE],
    (layout.ingest_receipt_key, SHARD): [STATUS, CAPTION, CURATE, EXPORT],
    (layout.index_key, SHARD): [CAPTION, EXPORT],
    (layout.archive_key, SHARD): [CAPTION],
    (layout.part_key, "test", TRACK, SHARD, "0001", 0): [CURATE],
    (layout.caption_receipt_key, "test", TRACK, SHARD): [STATUS, CAPTION, CURATE, DEDUP, EXPORT],
    (layout.past_receipt_key, "test", REDONE, SHARD, "0001"): [RESTORE],
    (layout.begun_key, "test", TRACK, SHARD, "0001"): [CAPTION],
    (layout.curate_receipt_key, "test", TRACK, SHARD): [STATUS, VALIDATE, DEDUP, EXPORT],
    curated("accepted.parquet"): [EXPORT],
    curated("rejected.parquet"): [EXPORT],
    curated("signatures.parquet"): [DEDUP],
    curated("duplicates.parquet"): [EXPORT],
    curated("features.parquet"): [VALIDATE],
    curated("metrics.json"): [VALIDATE],
    curated("photographs.parquet"): [DEDUP],
    curated("facets.parquet"): ["marks --out marks.jsonl --gold"],
    (layout.audit_receipt_key, "test", TRACK, SHARD): [STATUS, VALIDATE],
    (layout.audit_key, "test", TRACK, SHARD, "answers.parquet"): [VALIDATE],
    (layout.shard_validation_key, "test", SHARD): [STATUS, RELEASE, EXPORT],
    (layout.dedup_receipt_key, "test", TRACK): [RELEASE, EXPORT],
    (layout.duplicates_key, "test", TRACK): [RELEASE, EXPORT],
    (layout.repeated_images_key, "test"): [RELEASE],
    (layout.release_validation_key, "test"): [EXPORT],
    (layout.past_report_key, "test", "release", EVERY): [EXPORT],
    (layout.marks_key, "test", EVERY): [RELEASE, EXPORT, "marks --out marks.jsonl"],
    (layout.latest_key,): [STATUS],
    (layout.manifest_key, "v1"): [
        *(VERIFY, "sign --version v1 --key key.pem", "export --version v1")
    ],
    (layout.release_key, "v1", SIGNATURE): ["verify --version v1 --public-key public.pem"],
    (layout.release_key, "v1", "pieces.csv"): [VERIFY, "export --version v1"],
    (layout.release_key, "v1", "README.md"): [VERIFY, "export --version v1"],
}
"""Each kind of object by the key of one of them, and the commands that read it."""

HEALED = {
    (layout.summary_key, "test"): STATUS,
    (layout.batch_receipt_key, "test", TRACK, EVERY): EXPORT,
    (layout.batch_key, "test", TRACK, EVERY, "*.jsonl"): EXPORT,
    (layout.batch_key, "test", TRACK, EVERY, "*.data.parquet"): EXPORT,
}
"""What a command makes anew by itself, or does without, so that it ends as if it were whole."""

UNREAD = {
    "past_validation_key": "the console alone reads it",
    "run_summary_key": "the console alone reads it",
    "facet_counts_key": "the console alone reads it, and counts anew",
    "refused_counts_key": "the console alone reads it, and counts anew",
    "difference_key": "people alone read it",
    "claim_key": "its name alone claims",
    "download_object_key": "a download begins anew without it, as test_download shows",
    "download_part_key": "a download begins anew without it, as test_download shows",
}
"""Kinds of objects that no command reads whose content decides anything, and why."""


@pytest.fixture(scope="module")
def servers():
    """Where archives come from, and a judge that finds everything in the images."""
    with (
        fault_server.serve(damage.ARCHIVE) as archives,
        openai_server.serve(answer=lambda body: openai_server.Answer("yes")) as judge,
    ):
        yield archives, judge


@pytest.fixture(scope="module")
def whole(tmp_path_factory, servers):
    folder = tmp_path_factory.mktemp("whole")
    damage.make(folder, servers[0].links())
    return folder


@pytest.fixture
def store(whole, servers, tmp_path, monkeypatch):
    shutil.copytree(whole, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    for name, value in {
        "CAPTIONS_ROOT": (tmp_path / "copy" / "store").as_uri(),
        "CAPTIONS_CAMPAIGN": "test",
        "CAPTIONS_RECIPE": "recipe.toml",
        "CAPTIONS_LINKS": "links.txt",
        "CAPTIONS_ENGINE": "preview",
        "CAPTIONS_JUDGE_ENGINE": "openai",
        "CAPTIONS_JUDGE_URLS": servers[1].url,
    }.items():
        monkeypatch.setenv(name, value)
    return FileStore(tmp_path / "copy" / "store")


def key_of(store, kind):
    """The key of a kind's object that lies in the store."""
    function, *names = kind
    pattern = function(*names)
    return next(key for key in sorted(store.list("")) if fnmatch.fnmatch(key, pattern))


def named(kind):
    function, *names = kind
    return "/".join([function.__name__, *map(str, names)])


OF_PYTHON = re.compile(
    r"Traceback|\w+(Error|Exception)\b|codec|Expecting|unpack|unexpected key|\\x"
)


@pytest.fixture
def run(caplog):
    """Run a command; returns its result and the errors that it logged."""

    def run(command):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            result = CliRunner().invoke(app, command.split())
        said = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
        assert not OF_PYTHON.search(result.output + caplog.text), (command, caplog.text)
        return result, said

    return run


@pytest.mark.parametrize("kind", READERS, ids=named)
def test_a_damaged_object_ends_a_command_in_one_sentence_that_names_it(store, run, kind):
    key = key_of(store, kind)
    good = store.read(key)
    for way, damaged in WAYS.items():
        bad = damaged(good, key)
        if bad is None:
            continue
        assert bad != good
        for command in READERS[kind]:
            store.write(key, bad)
            result, said = run(command)
            where = f"{command} after {way}: {said}"
            assert result.exit_code == EXIT_PERMANENT, where
            assert key in "".join(said), where
            assert all("\n" not in sentence for sentence in said), where
            assert said[-1].startswith("error: "), where
            assert re.search(r"\b(run|restore|delete|install|again|ask)\b", said[-1]), where
    store.write(key, good)
    for command in READERS[kind]:
        assert key not in "".join(run(command)[1])


@pytest.mark.parametrize("kind", READERS, ids=named)
def test_what_the_sentence_says_to_do_helps(store, run, kind):
    key = key_of(store, kind)
    good = store.read(key)
    for command in READERS[kind]:
        store.write(key, WAYS["other kind"](good, key))
        _, said = run(command)
        follow(store, run, key, good, said[-1])
        result, said = run(command)
        assert key not in "".join(said), (command, said)
        assert result.exit_code in (0, EXIT_PERMANENT), (command, said)


@pytest.mark.parametrize("kind", READERS, ids=named)
def test_an_object_that_is_gone_ends_a_command_in_a_sentence_that_helps(store, run, kind):
    key = key_of(store, kind)
    good = store.read(key)
    for command in READERS[kind]:
        store.delete(key)
        result, said = run(command)
        if result.exit_code == 0:  # it does without
            continue
        assert result.exit_code == EXIT_PERMANENT, (command, said)
        assert re.search(r"\b(run|restored?|sign|again)\b", said[-1]), (command, said)
        if key in "".join(said):
            follow(store, run, key, good, said[-1])
            result, said = run(command)
            assert key not in "".join(said), (command, said)


def follow(store, run, key, good, sentence):
    """Do what a sentence says; of restoring and deleting the latter, which needs no copy."""
    advice = sentence.rpartition("; ")[2]
    if "model lock" in advice:  # which asks a server; or
        advice = "restore it"
    commands = re.findall(r"run sa1b-captions ([^,;]+?)(?=$|,| and )", advice)
    if "delete it" in advice:
        store.delete(key)
    elif re.search(r"\brestore\b", advice):
        store.write(key, good)
    if "stage again with CAPTIONS_RECIPE" in advice:
        commands = [CURATE]
    elif "with sa1b-captions sign" in sentence:
        commands = ["sign --version v1 --key key.pem"]
    elif "calibrate --pin" in advice:
        commands = ["curate --shards 0", "calibrate --shards 0 --pin"]
    for command in commands:
        result, said = run(command)
        assert result.exit_code == 0, (sentence, command, said)


@pytest.mark.parametrize("kind", HEALED, ids=named)
def test_what_is_made_anew_by_itself_costs_nothing_but_time(store, run, kind):
    key = key_of(store, kind)
    good = store.read(key)
    result, _ = run(HEALED[kind])
    for way, damaged in WAYS.items():
        bad = damaged(good, key)
        if bad is not None:
            shutil.rmtree(store.root / "releases" / "v2", ignore_errors=True)
            store.write(key, bad)
            again, said = run(HEALED[kind])
            assert (again.exit_code, said) == (result.exit_code, []), way


def test_every_kind_of_object_is_damaged_here_or_has_a_reason(store):
    kinds = {name for name in vars(layout) if name.endswith("_key")}
    assert kinds == {kind[0].__name__ for kind in (*READERS, *HEALED)} | set(UNREAD)
    patterns = [function(*names) for function, *names in (*READERS, *HEALED)]
    of_one = [re.sub(r"\b(single|multi)_(en|zh)\b", "*", pattern) for pattern in patterns]
    others = ["releases/v1/*", "*/quality/validations/*", "*/quality/runs/*", "*/release/*"]
    others += ["*/captions/*/part-*", "*/captions/*/receipt.json"]
    for key in store.list(""):
        assert any(fnmatch.fnmatch(key, one) for one in (*of_one, *others)), key

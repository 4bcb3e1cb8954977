import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe.model_lock import (
    LockedFile,
    ModelLock,
    difference,
    is_of_model,
    parse_lock,
    render_lock,
)

SHA = "ab" * 32
FILES = {"config.json": LockedFile(2, SHA), "a.safetensors": LockedFile(9, "cd" * 32)}
LOCK = ModelLock("lab/model", "main", FILES)

names = st.text("abc/", min_size=1).filter(lambda name: not name.startswith("/"))
files = st.builds(LockedFile, st.integers(0, 2**60), st.text("0123456789abcdef", min_size=64))


def test_a_lock_is_plain_json_in_the_order_of_the_files():
    content = json.loads(render_lock(LOCK))
    assert list(content["files"]) == ["a.safetensors", "config.json"]
    assert content["files"]["config.json"] == {"size_bytes": 2, "sha256": SHA}
    assert (content["model"], content["revision"]) == ("lab/model", "main")


@given(st.dictionaries(names, st.builds(lambda f: LockedFile(f.size_bytes, f.sha256[:64]), files)))
def test_a_lock_is_read_as_it_was_written(found):
    lock = ModelLock("m", "r", found or FILES)
    assert parse_lock(render_lock(lock), "here") == lock


@given(st.binary(max_size=200))
def test_what_is_no_lock_is_refused_in_a_sentence(data):
    with pytest.raises(PermanentError, match=r"recipe\.lock is no lock of a model"):
        parse_lock(data, "recipe.lock")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["files"].clear(), "names no file"),
        (lambda c: c["files"].update({"../x": c["files"]["config.json"]}), "'../x'"),
        (lambda c: c["files"].update({"/etc/x": c["files"]["config.json"]}), "'/etc/x'"),
        (lambda c: c["files"]["config.json"].update(sha256="short"), "has no SHA-256"),
        (lambda c: c["files"]["config.json"].pop("size_bytes"), "it lacks files.config.json.size"),
    ],
)
def test_a_lock_with_senseless_content_is_refused(change, message):
    content = json.loads(render_lock(LOCK))
    del content["checksum"]
    change(content)
    with pytest.raises(PermanentError, match=message):
        parse_lock(json.dumps(content).encode(), "x")


def test_a_hash_that_flipped_is_the_locks_damage_and_not_the_models():
    with pytest.raises(PermanentError, match="is no lock of a model.*checksum"):
        parse_lock(render_lock(LOCK).replace(b"abab", b"abac", 1), "x")


def test_equal_files_have_one_digest_whatever_revision_they_are_called():
    assert LOCK.digest == ModelLock("other", "commit", dict(reversed(FILES.items()))).digest
    assert (
        LOCK.digest != ModelLock("lab/model", "main", {"config.json": FILES["config.json"]}).digest
    )


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (FILES, ""),
        ({"config.json": FILES["config.json"]}, "a.safetensors is missing"),
        (FILES | {"extra.py": LockedFile(1, SHA)}, "extra.py is not in the lock"),
        (FILES | {"config.json": LockedFile(3, SHA)}, "config.json has 3 bytes in place of 2"),
        (
            FILES | {"config.json": LockedFile(2, "ef" * 32)},
            "config.json has SHA-256 efefefefefef… in place of abababababab…",
        ),
    ],
)
def test_what_differs_is_named(found, told):
    assert difference(FILES, found) == told


def test_many_differences_are_counted():
    found = {str(n): LockedFile(1, SHA) for n in range(5)}
    assert difference({}, found).endswith("2 is not in the lock, and 2 more files")


def test_notes_of_clients_and_bytecode_are_not_of_the_model():
    assert is_of_model("sub/config.json")
    for name in (".gitattributes", ".cache/huggingface/x.lock", "__pycache__/a.pyc", "a/.complete"):
        assert not is_of_model(name)

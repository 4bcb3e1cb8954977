import hashlib
import io
import json
import shutil
import subprocess

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.cli.common import app
from sa1b_captions.errors import PermanentError
from sa1b_captions.release import signature, written
from sa1b_captions.release.manifest import read_manifest
from sa1b_captions.release.pieces import Piece, merkle_root, parse_pieces, render_pieces
from sa1b_captions.release.verify import verify_folder
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import releases

DATA = "data/single_en/train-00000.parquet"
JSONL = "test_single_en.jsonl"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A release whose Parquet files have several row groups, away from its store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "ROWS_PER_GROUP", 4)
        root = tmp_path_factory.mktemp("store")
        export_release(releases.ready_campaign(FileStore(root)), "v1")
    copy = tmp_path_factory.mktemp("elsewhere") / "download"
    shutil.move(root / "releases" / "v1", copy)
    shutil.rmtree(root)
    return copy


@pytest.fixture
def copy(exported, tmp_path):
    target = tmp_path / "copy"
    shutil.copytree(exported, target)
    return FileStore(target)


def pieces(store, file):
    return [p for p in parse_pieces(store.read("pieces.csv").decode()) if p.file == file]


def damage(store, name, place):
    data = bytearray(store.read(name))
    data[place] ^= 1
    store.write(name, bytes(data))


def test_a_copy_is_whole_without_the_store_it_was_made_in(copy):
    copy.write(".gitattributes", b"*.parquet filter=lfs\n")
    copy.write(".cache/huggingface/x", b"1")
    assert verify_folder(copy) == []


def test_pieces_cover_every_table_without_gaps_and_row_groups_are_where_they_say(copy):
    for file in [DATA, JSONL]:
        end = 0
        for piece in pieces(copy, file):
            assert piece.offset == end
            end += piece.bytes
        assert end == len(copy.read(file))
    described = pq.read_metadata(io.BytesIO(copy.read(DATA)))
    found = [piece for piece in pieces(copy, DATA) if piece.row_group]
    assert [piece.row_group for piece in found] == ["0", "1"]
    for number, piece in enumerate(found):
        group = described.row_group(number)
        columns = [group.column(place) for place in range(group.num_columns)]
        first = min(column.data_page_offset for column in columns)
        last = max(c.data_page_offset + c.total_compressed_size for c in columns)
        assert piece.offset <= first
        assert last <= piece.offset + piece.bytes


def test_a_damaged_row_group_is_named_with_its_bytes(copy):
    _, second, footer = pieces(copy, DATA)
    damage(copy, DATA, second.offset + 3)
    (difference,) = verify_folder(copy)
    bytes_said = f"(bytes {second.offset} to {second.offset + second.bytes - 1})"
    assert difference.startswith(f"{DATA} has other bytes")
    assert difference.endswith(f"; damaged: row group 1 {bytes_said}")
    damage(copy, DATA, footer.offset)
    assert "row group 1 (bytes" in verify_folder(copy)[0]
    assert "the footer (bytes" in verify_folder(copy)[0]
    assert "row group 0" not in verify_folder(copy)[0]


def test_a_file_that_was_cut_off_says_what_is_gone(copy):
    _, second = pieces(copy, JSONL)
    copy.write(JSONL, copy.read(JSONL)[: second.offset + 1])
    (difference,) = verify_folder(copy)
    assert "is shorter than" in difference
    assert "the lines of sa_000001" in difference
    assert "the lines of sa_000000" not in difference


def test_one_shard_is_checked_by_its_own_bytes_alone(copy):
    first, _ = pieces(copy, JSONL)
    damage(copy, JSONL, first.offset + 1)
    damage(copy, DATA, 10)
    assert verify_folder(copy, shard="sa_000001") == []
    assert verify_folder(copy, shard="sa_000000") == [f"{JSONL}: {first.describe()} are damaged"]
    with pytest.raises(PermanentError, match="no lines of sa_000009"):
        verify_folder(copy, shard="sa_000009")


def test_pieces_that_are_not_the_manifests_prove_nothing(copy):
    text = copy.read("pieces.csv").decode()
    found = parse_pieces(text)
    forged = render_pieces([Piece("x", 0, 1, "0" * 64, "sa_000000", ""), *found[1:]])
    for content in (forged, "", "a,b\n", text.replace(",0,", ",x,", 1)):
        copy.write("pieces.csv", content.encode())
        (difference,) = verify_folder(copy, shard="sa_000000")
        assert "pieces.csv" in difference
        assert any("pieces.csv" in difference for difference in verify_folder(copy))


def test_a_release_of_a_version_without_pieces_is_verified_as_it_was(copy):
    manifest = json.loads(copy.read("manifest.json"))
    del manifest["merkle_root"], manifest["checksum"]
    manifest["files"] = [file for file in manifest["files"] if file["name"] != "pieces.csv"]
    copy.write("manifest.json", json.dumps(manifest).encode())
    copy.delete("pieces.csv")
    assert verify_folder(copy) == []
    damage(copy, DATA, 10)
    (difference,) = verify_folder(copy)
    assert "has other bytes" in difference
    assert "damaged" not in difference


def test_a_folder_without_a_release_is_told(tmp_path):
    with pytest.raises(PermanentError, match=r"manifest.json is missing; name the folder"):
        verify_folder(FileStore(tmp_path))


LEAVES = st.lists(
    st.builds(
        Piece, st.text("abc/,\"", min_size=1), st.integers(0), st.integers(1), st.text("0f"),
        st.sampled_from(["", "sa_000000"]), st.sampled_from(["", "7"]),
    ),
    max_size=9,
)  # fmt: skip


@given(LEAVES)
def test_pieces_survive_their_file(made):
    assert parse_pieces(render_pieces(made)) == made


@given(LEAVES, LEAVES)
def test_other_pieces_have_another_root(one, other):
    assert (merkle_root(one) == merkle_root(other)) == (one == other)


def test_the_root_is_that_of_rfc_6962():
    made = [Piece(name, 0, 1, "", "", "") for name in "abc"]
    a, b, c = (hashlib.sha256(b"\0" + f"{name},0,1,,,".encode()).digest() for name in "abc")
    left = hashlib.sha256(b"\1" + a + b).digest()
    assert merkle_root(made) == hashlib.sha256(b"\1" + left + c).hexdigest()
    assert merkle_root([]) == hashlib.sha256().hexdigest()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Private and public key, and another's public key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = serialization.Encoding.PEM
    mine, others = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    private = mine.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = [
        key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        for key in (mine, others)
    ]
    return private, *public


def test_a_signature_holds_for_its_key_and_its_manifest_only(copy, keys):
    private, public, other = keys
    with pytest.raises(PermanentError, match=r"manifest.json.sig is missing"):
        signature.check_signature(copy, "", public)
    signature.sign_release(copy, "", private)
    signature.check_signature(copy, "", public)
    assert verify_folder(copy) == []
    with pytest.raises(PermanentError, match="not this key's signature"):
        signature.check_signature(copy, "", other)
    copy.write("manifest.json", copy.read("manifest.json") + b"\n")
    with pytest.raises(PermanentError, match="not this key's signature"):
        signature.check_signature(copy, "", public)


@pytest.mark.parametrize("pem", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAA\n-----"])
def test_a_key_of_another_kind_is_told(copy, pem):
    with pytest.raises(PermanentError, match="no Ed25519 key"):
        signature.sign_release(copy, "", pem)


def test_what_has_no_manifest_cannot_be_signed(tmp_path, keys):
    with pytest.raises(PermanentError, match="no release to sign"):
        signature.sign_release(FileStore(tmp_path), "", keys[0])


def test_openssl_agrees(copy, keys, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    signature.sign_release(copy, "", keys[0])
    public = tmp_path / "public.pem"
    public.write_bytes(keys[1])
    command = "openssl pkeyutl -verify -pubin -rawin -in manifest.json -sigfile manifest.json.sig"
    subprocess.run([*command.split(), "-inkey", public], cwd=copy.root, check=True)


def test_the_commands_need_no_store(copy, keys, tmp_path, monkeypatch, capsys):
    from typer.testing import CliRunner

    monkeypatch.delenv("CAPTIONS_ROOT", raising=False)
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    private.write_bytes(keys[0])
    public.write_bytes(keys[1])
    place = ["--path", str(copy.root)]

    def run(*arguments):
        return CliRunner().invoke(app, [*arguments, *place])

    assert run("sign", "--key", str(private)).exit_code == 0
    assert run("verify", "--public-key", str(public), "--shard", "0").exit_code == 0
    damage(copy, DATA, 10)
    assert run("verify", "--shard", "0").exit_code == 0
    assert run("verify").exit_code != 0
    assert run("verify", "--version", "v1").exit_code != 0
    assert run("verify", "--public-key", str(tmp_path / "none.pem")).exit_code != 0


def test_a_release_in_a_bucket_is_verified_by_its_address(copy, s3_url, s3_client, monkeypatch):
    from typer.testing import CliRunner

    from sa1b_captions.storage import S3Store

    s3_client.create_bucket(Bucket="verified")
    bucket = S3Store("verified", "some/where", s3_url)
    for key in copy.list(""):
        bucket.write(key, copy.read(key))
    monkeypatch.delenv("CAPTIONS_ROOT", raising=False)
    monkeypatch.setenv("CAPTIONS_S3_ENDPOINT_URL", s3_url)

    def run(*arguments):
        return CliRunner().invoke(app, ["verify", "--path", "s3://verified/some/where", *arguments])

    assert run().exit_code == 0
    assert run("--shard", "1").exit_code == 0
    damage(bucket, DATA, 10)
    bucket.delete("croissant.json")
    found = run()
    assert found.exit_code == 65
    assert verify_folder(bucket)[0] == "croissant.json is missing"
    assert "row group 0 (bytes 0 to" in verify_folder(bucket)[1]
    assert run("--shard", "1").exit_code == 0


def test_the_manifest_holds_the_root_of_the_pieces(local):
    export_release(releases.ready_campaign(local), "v1")
    found = parse_pieces(local.read("releases/v1/pieces.csv").decode())
    assert read_manifest(local, "v1").merkle_root == merkle_root(found)

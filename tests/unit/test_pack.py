import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from sa1b_captions import layout, records
from sa1b_captions.caption.resuming.prepare import prepare
from sa1b_captions.caption.sampling import UNUSABLE_PROBLEMS, read_index
from sa1b_captions.errors import PermanentError
from sa1b_captions.ingest.repacking.index import UNUSABLE
from sa1b_captions.remedies import remedy
from sa1b_captions.stages.ingesting.pack import pack_folder
from sa1b_captions.storage import FileStore
from tests.support import builders

SHARDS = ["sa_000000", "sa_000001"]


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "store")


@pytest.fixture
def folder(tmp_path):
    """Five JPEGs, written in another order than their names', and what is no image."""
    for name in ("c.jpg", "b/2.JPEG", "a.jpg", "b/1.jpg", "b/ä.jpg"):
        put(tmp_path / "images" / name, builders.make_jpeg(sum(name.encode())))
    put(tmp_path / "images" / "notes.txt", b"hello")
    put(tmp_path / "images" / ".hidden" / "x.jpg", b"")
    put(tmp_path / "images" / "._a.jpg", b"")
    return tmp_path / "images"


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def contents(store):
    return {key: store.read(key) for key in store.list("") if "receipt" not in key}


def names(store, shard=SHARDS[0]):
    return [image.file_name for image in read_index(store, shard)]


def test_a_folder_becomes_shards_as_ingest_leaves_them(store, folder):
    receipts = pack_folder(store, folder, images_per_shard=3, run_id="r")
    assert list(receipts) == SHARDS
    assert [(one.images, one.problems, one.warnings) for one in receipts.values()] == [
        (3, {}, []),
        (2, {}, []),
    ]
    assert (receipts[SHARDS[0]].source, receipts[SHARDS[0]].run_id) == ("folder images", "r")
    wanted = [["a.jpg", "b/1.jpg", "b/2.JPEG"], ["b/ä.jpg", "c.jpg"]]
    for number, shard in enumerate(SHARDS):
        archive = layout.archive_key(shard)
        index = records.read_table(store, layout.index_key(shard)).to_pylist()
        assert [row["file_name"] for row in index] == wanted[number]
        assert [row["image_id"] % 1_000_000 for row in index] == list(range(len(index)))
        for row in index:
            jpeg = (folder / row["file_name"]).read_bytes()
            assert store.read_range(archive, row["offset"], row["size"]) == jpeg
        with tarfile.open(fileobj=io.BytesIO(store.read(archive))) as tar:
            assert tar.getnames() == wanted[number]
    ids = [image.image_id for shard in SHARDS for image in read_index(store, shard)]
    assert len(set(ids)) == 5


def test_the_same_folder_makes_the_same_bytes(store, folder, tmp_path):
    pack_folder(store, folder, images_per_shard=3)
    other = FileStore(tmp_path / "other")
    pack_folder(other, folder, images_per_shard=3)
    assert contents(store) == contents(other)


def test_a_run_that_was_cut_off_goes_on_after_the_last_whole_shard(store, folder):
    good = (folder / "c.jpg").read_bytes()
    (folder / "c.jpg").write_bytes(good[:400])
    with pytest.raises(PermanentError, match=r"sa_000001: no caption .* c.jpg \(truncated\)"):
        pack_folder(store, folder, images_per_shard=3)
    first = contents(store)
    assert sorted(first) == [layout.index_key(SHARDS[0]), layout.archive_key(SHARDS[0])]
    (folder / "c.jpg").write_bytes(good)
    receipts = pack_folder(store, folder, images_per_shard=3)
    assert receipts[SHARDS[1]].images == 2
    assert contents(store).items() > first.items()
    assert pack_folder(store, folder, images_per_shard=3) == receipts


def test_a_folder_that_changed_is_never_taken_for_the_packed_one(store, folder):
    before = pack_folder(store, folder)[SHARDS[0]]
    size = (folder / "a.jpg").stat().st_size
    changed = builders.make_jpeg(99)
    (folder / "a.jpg").write_bytes(changed + bytes(max(0, size - len(changed))))
    with pytest.raises(PermanentError, match="holds other images than the folder has"):
        pack_folder(store, folder)
    after = pack_folder(store, folder, force=True)[SHARDS[0]]
    assert (after.content != before.content, after.generation != before.generation) == (True, True)
    assert after == pack_folder(store, folder)[SHARDS[0]]


def test_damage_to_a_packed_shard_names_the_command_that_packs_it(store, folder):
    pack_folder(store, folder)
    assert "pack its folder again with --force" in remedy(layout.archive_key(SHARDS[0]))
    store.delete(layout.archive_key(SHARDS[0]))
    with pytest.raises(PermanentError, match="or pack its folder again with --force"):
        prepare(builders.demo_campaign(store), SHARDS[0])
    pack_folder(store, folder, force=True)
    prepare(builders.demo_campaign(store), SHARDS[0])


def test_new_images_go_into_shards_of_their_own(store, folder, tmp_path):
    pack_folder(store, folder)
    put(tmp_path / "more" / "z.jpg", builders.make_jpeg(7))
    assert list(pack_folder(store, tmp_path / "more", first_shard=1)) == [SHARDS[1]]
    assert names(store, SHARDS[1]) == ["z.jpg"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not jpeg"),
        (b"<html>", "not jpeg"),
        (builders.make_jpeg(1)[:-2], "truncated"),
        (builders.make_jpeg(1, (96, 8)), "bad dimensions"),
        (bytes(32 * 2**20 + 1), "larger than 32 MiB"),
    ],
)
def test_a_bad_file_is_refused_by_name_or_left_out_by_name(store, folder, content, reason):
    put(folder / "b" / "bad.jpg", content)
    with pytest.raises(PermanentError, match=rf"1 file: b/bad.jpg \({reason}\); mend or remove"):
        pack_folder(store, folder)
    assert contents(store) == {}
    receipt = pack_folder(store, folder, skip_bad=True)[SHARDS[0]]
    assert receipt.warnings == [f"left out b/bad.jpg ({reason})"]
    assert (receipt.images, "b/bad.jpg" in names(store)) == (5, False)
    assert pack_folder(store, folder, skip_bad=True)[SHARDS[0]] == receipt


def test_other_formats_are_refused_left_out_or_made_jpegs(store, folder, tmp_path):
    image = Image.new("RGBA", (64, 48), (255, 0, 0, 0))
    put(folder / "d.png", encoded(image, "PNG"))
    with pytest.raises(PermanentError, match="1 image of another format than JPEG: d.p"):
        pack_folder(store, folder)
    left_out = FileStore(tmp_path / "left_out")
    assert pack_folder(left_out, folder, skip_bad=True)[SHARDS[0]].images == 5
    pack_folder(store, folder, re_encode=True)
    assert names(store)[-1] == "d.png.jpg"
    row = read_index(store, SHARDS[0])[-1]
    stored = store.read_range(layout.archive_key(SHARDS[0]), row.offset, row.size)
    with Image.open(io.BytesIO(stored)) as made:
        assert (made.format, made.size, made.getpixel((5, 5))) == ("JPEG", (64, 48), (255,) * 3)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("d.png", b"no PNG", "of a format that cannot be read here"),
        (
            "d.png",
            encoded(Image.fromarray(np.zeros((32, 32), np.uint16)), "PNG"),
            r"more than 8 bits a channel \(mode I;16\)",
        ),
        ("d.png", encoded(Image.new("RGB", (99, 99), "red"), "PNG")[:80], "cannot be decoded"),
    ],
)
def test_what_cannot_be_made_a_jpeg_is_refused_by_name(store, folder, name, content, reason):
    put(folder / name, content)
    with pytest.raises(PermanentError, match=rf"{name}.jpg \({reason}"):
        pack_folder(store, folder, re_encode=True)


def test_images_that_only_exif_turns_are_counted(store, folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    put(folder / "turned.jpg", encoded(Image.new("RGB", (64, 48)), "JPEG", exif=exif))
    warnings = pack_folder(store, folder)[SHARDS[0]].warnings
    assert warnings == [
        "1 image turned by EXIF only, which captioning does not do: it sees them as they are stored"
    ]


def test_a_folder_that_is_none_or_holds_no_image_is_refused(store, tmp_path):
    with pytest.raises(PermanentError, match="is not a folder"):
        pack_folder(store, tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PermanentError, match="holds no image that can be packed"):
        pack_folder(store, tmp_path / "empty")
    with pytest.raises(PermanentError, match="a shard takes 1 to 1,000,000 images, not 0"):
        pack_folder(store, tmp_path, images_per_shard=0)


def test_a_folder_linked_into_itself_ends(store, folder):
    (folder / "b" / "again").symlink_to(folder)
    (folder / "b" / "broken.jpg").symlink_to(folder / "nowhere.jpg")
    assert pack_folder(store, folder)[SHARDS[0]].images == 5


def test_pack_refuses_what_the_caption_stage_could_not_use():
    assert {str(problem) for problem in UNUSABLE} == UNUSABLE_PROBLEMS

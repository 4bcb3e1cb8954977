"""Turn an archive into a plain tar of its JPEGs and an index, in one pass.

Memory: one member and the index, whatever the size of the archive. What is wrong with one image
is a `Problem` in its row; what is wrong with the archive is a DamagedArchiveError.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from sa1b_captions.errors import DamagedArchiveError
from sa1b_captions.ingest.repacking.gunzip import gunzip
from sa1b_captions.ingest.repacking.index import MAX_IMAGES, Index, Repacked
from sa1b_captions.ingest.repacking.member_names import is_jpeg, is_other_image, stored_name
from sa1b_captions.ingest.repacking.members import read_members
from sa1b_captions.ingest.repacking.plain_tar import PlainTar
from sa1b_captions.plurals import counted
from sa1b_captions.storage import Writer

_SA1B_NAME = re.compile(r"sa_(0|[1-9][0-9]{0,17})\.(?i:(jpe?g)|json)")


def repack(
    source: Iterable[bytes],
    tar_writer: Writer,
    *,
    where: str,
    first_id: int | None = None,
    on_image: Callable[[int], None] = lambda images: None,
) -> Repacked:
    """Write the JPEGs of an archive as a plain tar, in archive order.

    Every JPEG member is written, doubted or not, byte for byte: as `sa_<id>.jpg`, or by the name
    that it has in an archive that is not SA-1B's.

    Args:
        source: the archive, gzip or plain tar, in pieces of any size; read to its end.
        tar_writer: where the plain tar goes.
        where: the shard, for messages.
        first_id: None for SA-1B's names and annotations. A number takes JPEGs of any name, as of a
            WebDataset, looks for no annotations, and counts the images from there.
        on_image: called with the number of images so far.

    Raises DamagedArchiveError if the archive is damaged, hostile or without images; what was
    written is then to be thrown away.
    """
    warnings: list[str] = []
    plain = PlainTar(tar_writer)
    index = Index(annotated=first_id is None)
    others: list[str] = []
    members = read_members(gunzip(source, where, warnings), where, warnings)
    for number, member in enumerate(members):
        if number >= MAX_IMAGES:
            raise DamagedArchiveError(f"{where}: more than {MAX_IMAGES} members; no archive has")
        if first_id is None:
            found = _SA1B_NAME.fullmatch(PurePosixPath(member.name).name)
            image_id = int(found[1]) if found else None
            file_name = f"sa_{image_id}.jpg"
            if found and found[2] is None:
                index.add_annotation(int(found[1]), member.content)
                continue
        else:
            file_name = stored_name(member.name)
            image_id = first_id + len(index.rows) if is_jpeg(member.name) else None
        if image_id is None:
            others.append(member.name)
            continue
        offset = plain.add(file_name, member.content)
        index.add_image(image_id, file_name, member.content, offset)
        on_image(len(index.rows))
    if not index.rows:
        wanted = "sa_<id>.jpg" if first_id is None else "<name>.jpg"
        raise DamagedArchiveError(f"{where}: the archive has no member {wanted}")
    plain.end()
    if others:
        warnings.append(
            f"passed over {counted(len(others), 'other member')}, first {others[0][:80]!a}"
        )
    if first_id is not None and (images := [name for name in others if is_other_image(name)]):
        warnings.append(
            f"{len(images)} of them are images of another format, which no caption is made of, "
            f"first {images[0][:80]!a}"
        )
    return index.finish(plain.size, warnings)

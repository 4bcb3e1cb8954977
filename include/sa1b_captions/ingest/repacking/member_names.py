"""Names of images that are not SA-1B's: which files are taken, and what they are called.

SA-1B's images have a number in their name. Others are numbered by place, and keep their own path
as file name, so that a caption can be traced to the file it describes.
"""

import re
import unicodedata
from pathlib import PurePosixPath

from sa1b_captions.ingest.repacking.index import MAX_IMAGES
from sa1b_captions.shards import shard_number

JPEG_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif")
OTHER_IMAGE_ENDINGS = (
    *(".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl"),
    *(".jp2", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
)
_MAX_NAME_CHARS = 400


def first_image_id(shard: str) -> int:
    """Number of a shard's first image, where images are numbered by place: no two share one."""
    return shard_number(shard) * MAX_IMAGES


def is_jpeg(name: str) -> bool:
    """Whether a path names a JPEG; hidden files, such as macOS's `._x.jpg`, are none."""
    return _ends(name, JPEG_ENDINGS)


def is_other_image(name: str) -> bool:
    """Whether a path names an image of another format."""
    return _ends(name, OTHER_IMAGE_ENDINGS)


def _ends(name: str, endings: tuple[str, ...]) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in endings and not path.name.startswith(".")


def stored_name(name: str) -> str:
    """The path as the index has it: relative, one line, without what no terminal should show."""
    path = re.sub(r"^(\./+)+", "", name)
    shown = "".join("_" if unicodedata.category(c).startswith("C") else c for c in path)
    return shown.replace("\\", "_")[-_MAX_NAME_CHARS:]

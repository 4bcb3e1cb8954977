"""A folder of images: which files are taken, in which order, and what becomes of their bytes."""

import contextlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

from sa1b_captions.errors import PermanentError
from sa1b_captions.ingest.repacking.index import (
    MAX_IMAGE_BYTES,
    MAX_PIXELS,
    UNUSABLE,
    image_problem,
)
from sa1b_captions.ingest.repacking.jpeg import read_jpeg_header
from sa1b_captions.ingest.repacking.member_names import is_jpeg, is_other_image, stored_name

_ORIENTATION = 0x0112
_QUALITY = 95
_FLAT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "La", "RGBa")
"""Pillow's modes of 8 bits a channel; turning deeper ones into a JPEG would clip them."""


class BadFileError(Exception):
    """A file that no caption can be made of; the message says why in a few words."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One file of the folder."""

    path: Path
    name: str
    """Its path below the folder, with `/`, as the index has it."""
    is_jpeg: bool

    def read(self) -> bytes:
        """The JPEG: the file's own bytes, or those of an image of another format made one.

        Raises BadFileError: it cannot be read, or no engine could caption it.
        """
        try:
            if self.path.stat().st_size > MAX_IMAGE_BYTES:
                raise BadFileError(f"larger than {MAX_IMAGE_BYTES // 2**20} MiB")
            content = self.path.read_bytes()
        except OSError as error:
            raise BadFileError(error.strerror or "cannot be read") from None
        if not self.is_jpeg:
            content = _encode(content)
        problem = image_problem(read_jpeg_header(content), len(content))
        if problem in UNUSABLE:
            raise BadFileError(str(problem).replace("_", " "))
        return content


@dataclass(frozen=True, slots=True)
class FolderImages:
    """What a folder and the folders in it hold."""

    files: list[ImageFile]
    """JPEGs and images of other formats, ascending by name."""
    passed_over: int
    """Files that no image is in; hidden files and folders not counted."""


def list_folder(folder: Path) -> FolderImages:
    """List a folder, whatever order the file system has.

    Links to files are followed, links to folders are not.

    Raises PermanentError: it is no folder, or a folder in it cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise PermanentError(f"{error.filename} cannot be listed: {error.strerror}")

    if not folder.is_dir():
        raise PermanentError(f"{folder} is not a folder; name the folder that holds the images")
    files: list[ImageFile] = []
    passed_over = 0
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            jpeg = is_jpeg(name)
            if (jpeg or is_other_image(name)) and path.is_file():
                relative = stored_name(path.relative_to(folder).as_posix())
                files.append(ImageFile(path, relative if jpeg else f"{relative}.jpg", jpeg))
            else:
                passed_over += not name.startswith(".")
    return FolderImages(
        sorted(files, key=lambda file: (file.name, os.fsencode(file.path))), passed_over
    )


def is_turned(jpeg: bytes) -> bool:
    """Whether EXIF says that viewers turn or mirror the JPEG; engines see it as it is stored."""
    from PIL import Image

    with contextlib.suppress(Exception), Image.open(io.BytesIO(jpeg)) as image:
        return bool(image.getexif().get(_ORIENTATION, 1) != 1)
    return False


def _encode(content: bytes) -> bytes:
    """A JPEG of an image's first frame: upright, what is transparent white."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadFileError("bad dimensions")
            if image.mode not in _FLAT_MODES:
                raise BadFileError(f"more than 8 bits a channel (mode {image.mode})")
            upright = ImageOps.exif_transpose(image)
            if upright.has_transparency_data:
                layer = upright.convert("RGBA")
                upright = Image.new("RGBA", layer.size, "white")
                upright.alpha_composite(layer)
            encoded = io.BytesIO()
            upright.convert("RGB").save(encoded, "JPEG", quality=_QUALITY, subsampling=0)
    except UnidentifiedImageError:
        raise BadFileError("of a format that cannot be read here") from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise BadFileError(f"cannot be decoded: {error}") from None
    return encoded.getvalue()

"""The images that every tool gets: a folder of small JPEGs, and what the server knows them by."""

import hashlib
import io
from pathlib import Path

from PIL import Image

from tests.support import builders

SIZE = (96, 64)


def image_name(number: int) -> str:
    """File name of an image."""
    return f"image_{number:04d}.jpg"


def write_images(folder: Path, count: int) -> list[str]:
    """Write so many JPEGs; returns their names in order."""
    folder.mkdir(parents=True)
    names = [image_name(number) for number in range(count)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(builders.make_jpeg(number, SIZE))
    return names


def truncate(path: Path) -> None:
    """Cut a JPEG in the middle of its pixels."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def names_by_digest(folder: Path) -> dict[str, str]:
    """Names of the images by what identifies them on the way: their bytes, or their pixels.

    Some tools send the file as it is, others encode its pixels anew.
    """
    found = {}
    for path in sorted(folder.glob("*.jpg")):
        data = path.read_bytes()
        found[hashlib.sha256(data).hexdigest()] = path.name
        if (pixels := pixel_digest(data)) is not None:
            found[pixels] = path.name
    return found


def name_of(data: bytes, names: dict[str, str]) -> str | None:
    """Name of the image whose bytes or pixels these are."""
    name = names.get(hashlib.sha256(data).hexdigest())
    return name or names.get(pixel_digest(data) or "")


def pixel_digest(data: bytes) -> str | None:
    """Digest of an image's RGB pixels; None if they cannot be decoded."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()
    except OSError:
        return None

import io

import numpy as np
import pytest
import xxhash
from PIL import Image

from sa1b_captions.caption.decoding.images import decode_jpeg
from sa1b_captions.caption.decoding.perceptual_hash import difference_hash, hash_image
from tests.support.builders import make_jpeg

SIZE = (900, 600)


def recompressed(jpeg, quality):
    buffer = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def differing_bits(first, second):
    return ((first ^ second) & (2**64 - 1)).bit_count()


def hashes(jpeg):
    return hash_image(jpeg, decode_jpeg(jpeg))


@pytest.mark.parametrize("seed", range(4))
def test_a_recompressed_image_looks_the_same_and_has_other_bytes(seed):
    jpeg = make_jpeg(seed, SIZE)
    first, second = hashes(jpeg), hashes(recompressed(jpeg, 92))
    assert first.dhash == second.dhash
    assert first.jpeg_xxh3 != second.jpeg_xxh3


def test_different_images_differ_in_many_bits():
    looks = [hashes(make_jpeg(seed, SIZE)).dhash for seed in range(12)]
    assert all(
        differing_bits(first, second) > 10
        for place, first in enumerate(looks)
        for second in looks[:place]
    )


def test_hashes_are_stored_in_signed_columns_and_keep_every_bit():
    darker_to_the_right = np.repeat(np.linspace(255, 0, 90, dtype=np.uint8)[None], 80, axis=0)
    image = Image.fromarray(np.stack([darker_to_the_right] * 3, axis=-1))
    assert difference_hash(image) == 0
    assert difference_hash(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == -1
    jpegs = [make_jpeg(seed) for seed in range(4)]
    found = [hashes(jpeg).jpeg_xxh3 % 2**64 for jpeg in jpegs]
    assert found == [xxhash.xxh3_64_intdigest(jpeg) for jpeg in jpegs]

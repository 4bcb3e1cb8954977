"""SA-1B's annotation file for one image: rectangles where SA-1B has masks, all else alike."""

import json
import random

_MASKS = 3


def annotation(image_id: int, size: tuple[int, int]) -> bytes:
    """One line of JSON for an image of this width and height; the same every time."""
    rng = random.Random(image_id)
    width, height = size
    image = {
        "image_id": image_id,
        "width": width,
        "height": height,
        "file_name": f"sa_{image_id}.jpg",
    }
    masks = [_mask(rng, image_id * 100 + number, size) for number in range(_MASKS)]
    return json.dumps({"image": image, "annotations": masks}).encode()


def _mask(rng: random.Random, mask_id: int, size: tuple[int, int]) -> dict[str, object]:
    width, height = size
    across, down = rng.randint(2, width // 4), rng.randint(2, height // 4)
    left, top = rng.randint(0, width - across), rng.randint(0, height - down)
    return {
        "bbox": [float(left), float(top), float(across), float(down)],
        "area": across * down,
        "segmentation": {
            "size": [height, width],
            "counts": _rectangle_counts(size, left, top, across, down),
        },
        "predicted_iou": round(rng.uniform(0.88, 1.0), 4),
        "point_coords": [[left + across / 2, top + down / 2]],
        "crop_box": [0.0, 0.0, float(width), float(height)],
        "id": mask_id,
        "stability_score": round(rng.uniform(0.95, 1.0), 4),
    }


def _rectangle_counts(size: tuple[int, int], left: int, top: int, across: int, down: int) -> str:
    """COCO's compressed run lengths of a rectangle: columns first, off and on in turn."""
    width, height = size
    runs = [left * height + top, down, *[height - down, down] * (across - 1)]
    runs.append(width * height - sum(runs))
    return "".join(
        _run(length - runs[place - 2] if place > 2 else length) for place, length in enumerate(runs)
    )


def _run(value: int) -> str:
    """Five bits to a character from 48 on; the sixth says that more follow."""
    text = ""
    more = True
    while more:
        bits = value & 0x1F
        value >>= 5
        more = value != (-1 if bits & 0x10 else 0)
        text += chr((bits | 0x20 if more else bits) + 48)
    return text

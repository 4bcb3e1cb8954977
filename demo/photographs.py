"""Photographs for the demo: crops of real ones that ship inside scikit-image and scikit-learn.

Nothing is downloaded. Only photographs whose licence the package states are used:

    source        licence               credit
    astronaut     public domain         NASA, Great Images database
    brick         CC0                   CC0Textures, Bricks25
    camera        CC0                   Lav Varshney
    cell          CC0                   Paul Müller and others, Optics Express 26 (2018)
    chelsea       CC0                   Stefan van der Walt
    clock         public domain         Stefan van der Walt
    coffee        CC0                   Rachel Michetti, courtesy of Pikolo Espresso Bar
    coins         no known restriction  Brooklyn Museum Collection
    grass         CC0                   linolafett, DeviantArt
    gravel        CC0                   CC0Textures, Gravel04
    hubble        public domain         NASA, Hubble eXtreme Deep Field
    ihc           no known restriction  Center for Microscopy and Molecular Imaging
    retina        CC0                   Mikael Häggström, Wikimedia Commons
    rocket        public domain         SpaceX
    china         CC BY 2.0             danielbuechele, Flickr 6061409035
    flower        CC BY 2.0             vultilion, Flickr 6056698931

as stated in the docstrings of `skimage.data` and in `sklearn/datasets/images/README.txt`. Each
crop has the shape SA-1B gives its images: the short side measures exactly 1500 pixels.
"""

import importlib.util
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

SHORT_SIDE_PX = 1500
"""Short side of every SA-1B image."""

_JPEG_QUALITY = 85

SOURCES = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "brick": ("skimage", "data/brick.png"),
    "camera": ("skimage", "data/camera.png"),
    "cell": ("skimage", "data/cell.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "clock": ("skimage", "data/clock_motion.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "coins": ("skimage", "data/coins.png"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "hubble": ("skimage", "data/hubble_deep_field.jpg"),
    "ihc": ("skimage", "data/ihc.png"),
    "retina": ("skimage", "data/retina.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
}
"""Package and path inside it of each photograph."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of one photograph."""

    source: str
    """A key of SOURCES."""
    left: int
    """Pixels of the source, as are `top` and `short`."""
    top: int
    short: int
    """Short side of the crop; at least 200, or it would be only blur at full size."""
    aspect: str
    """`width:height`."""

    def size(self, short_side_px: int) -> tuple[int, int]:
        """Width and height of this crop when its short side measures so much."""
        across, down = map(int, self.aspect.split(":"))
        shorter = min(across, down)
        return round(short_side_px * across / shorter), round(short_side_px * down / shorter)


CROPS = (
    Crop("astronaut", 0, 0, 512, "1:1"),
    Crop("astronaut", 130, 0, 240, "2:3"),
    Crop("astronaut", 130, 270, 240, "3:2"),
    Crop("astronaut", 0, 0, 200, "2:3"),
    Crop("astronaut", 312, 0, 200, "2:3"),
    Crop("chelsea", 0, 0, 300, "3:2"),
    Crop("chelsea", 200, 80, 220, "1:1"),
    Crop("chelsea", 0, 0, 200, "4:3"),
    Crop("coffee", 0, 0, 400, "3:2"),
    Crop("coffee", 150, 0, 260, "1:1"),
    Crop("coffee", 0, 175, 225, "16:9"),
    Crop("coffee", 400, 0, 200, "2:3"),
    Crop("coffee", 300, 170, 225, "4:3"),
    Crop("rocket", 0, 0, 426, "3:2"),
    Crop("rocket", 230, 60, 240, "2:3"),
    Crop("rocket", 60, 210, 213, "16:9"),
    Crop("rocket", 0, 0, 220, "2:3"),
    Crop("rocket", 380, 0, 250, "1:1"),
    Crop("hubble", 0, 0, 700, "4:3"),
    Crop("hubble", 500, 400, 450, "1:1"),
    Crop("hubble", 0, 500, 350, "3:2"),
    Crop("hubble", 60, 40, 260, "2:3"),
    Crop("brick", 0, 128, 384, "4:3"),
    Crop("grass", 0, 0, 340, "3:2"),
    Crop("gravel", 60, 60, 400, "1:1"),
    Crop("clock", 0, 0, 300, "4:3"),
    Crop("coins", 0, 8, 288, "4:3"),
    Crop("coins", 0, 100, 200, "3:2"),
    Crop("coins", 170, 0, 210, "1:1"),
    Crop("camera", 0, 0, 512, "1:1"),
    Crop("camera", 20, 40, 280, "2:3"),
    Crop("camera", 245, 80, 200, "4:3"),
    Crop("camera", 150, 290, 200, "16:9"),
    Crop("retina", 0, 0, 1411, "1:1"),
    Crop("retina", 0, 380, 500, "3:2"),
    Crop("retina", 800, 200, 450, "2:3"),
    Crop("retina", 560, 880, 280, "16:9"),
    Crop("ihc", 0, 0, 512, "1:1"),
    Crop("ihc", 200, 250, 200, "3:2"),
    Crop("ihc", 0, 60, 210, "2:3"),
    Crop("china", 0, 0, 426, "3:2"),
    Crop("china", 80, 20, 260, "2:3"),
    Crop("china", 284, 100, 200, "16:9"),
    Crop("china", 130, 10, 220, "1:1"),
    Crop("china", 360, 215, 210, "4:3"),
    Crop("flower", 0, 0, 426, "3:2"),
    Crop("flower", 170, 70, 300, "1:1"),
    Crop("flower", 200, 220, 200, "16:9"),
    Crop("flower", 0, 0, 230, "2:3"),
    Crop("astronaut", 30, 185, 220, "3:4"),
    Crop("astronaut", 245, 165, 220, "1:1"),
    Crop("astronaut", 75, 75, 210, "1:1"),
    Crop("astronaut", 230, 85, 200, "1:1"),
    Crop("astronaut", 210, 100, 290, "3:4"),
    Crop("astronaut", 0, 100, 280, "3:2"),
    Crop("brick", 115, 205, 210, "1:1"),
    Crop("camera", 215, 185, 200, "1:1"),
    Crop("camera", 125, 15, 200, "1:1"),
    Crop("camera", 35, 310, 200, "1:1"),
    Crop("camera", 0, 15, 200, "1:1"),
    Crop("camera", 75, 125, 210, "3:2"),
    Crop("cell", 100, 125, 280, "1:1"),
    Crop("cell", 300, 400, 230, "1:1"),
    Crop("cell", 35, 225, 370, "4:3"),
    Crop("cell", 275, 165, 220, "1:1"),
    Crop("chelsea", 65, 85, 210, "1:1"),
    Crop("chelsea", 170, 10, 200, "1:1"),
    Crop("chelsea", 130, 60, 200, "1:1"),
    Crop("chelsea", 245, 25, 200, "1:1"),
    Crop("china", 185, 200, 220, "4:3"),
    Crop("china", 5, 185, 200, "1:1"),
    Crop("china", 400, 20, 200, "1:1"),
    Crop("china", 0, 25, 240, "1:1"),
    Crop("china", 245, 20, 220, "2:3"),
    Crop("china", 140, 125, 200, "4:3"),
    Crop("china", 330, 5, 280, "2:3"),
    Crop("clock", 30, 95, 200, "1:1"),
    Crop("clock", 120, 55, 200, "1:1"),
    Crop("coffee", 45, 20, 210, "3:4"),
    Crop("coffee", 200, 105, 230, "4:3"),
    Crop("coffee", 105, 125, 210, "1:1"),
    Crop("coffee", 285, 5, 230, "1:1"),
    Crop("coffee", 215, 170, 220, "1:1"),
    Crop("coins", 75, 0, 200, "1:1"),
    Crop("coins", 165, 85, 210, "1:1"),
    Crop("coins", 0, 5, 200, "1:1"),
    Crop("coins", 120, 40, 210, "1:1"),
    Crop("flower", 380, 5, 200, "2:3"),
    Crop("flower", 55, 200, 210, "4:3"),
    Crop("flower", 85, 0, 240, "1:1"),
    Crop("flower", 210, 30, 200, "1:1"),
    Crop("flower", 305, 5, 200, "1:1"),
    Crop("flower", 345, 155, 210, "4:3"),
    Crop("grass", 100, 180, 300, "1:1"),
    Crop("grass", 60, 10, 200, "1:1"),
    Crop("gravel", 205, 15, 230, "1:1"),
    Crop("hubble", 330, 35, 200, "1:1"),
    Crop("hubble", 495, 390, 220, "4:3"),
    Crop("hubble", 250, 55, 240, "2:3"),
    Crop("hubble", 380, 20, 210, "1:1"),
    Crop("ihc", 255, 40, 220, "1:1"),
    Crop("ihc", 100, 15, 200, "4:3"),
    Crop("ihc", 110, 125, 230, "1:1"),
    Crop("ihc", 80, 230, 200, "3:4"),
    Crop("ihc", 250, 145, 220, "1:1"),
    Crop("retina", 10, 105, 270, "16:9"),
    Crop("retina", 150, 685, 450, "3:4"),
    Crop("retina", 1075, 1070, 250, "4:3"),
    Crop("retina", 1140, 165, 210, "2:3"),
    Crop("retina", 370, 1070, 300, "1:1"),
    Crop("retina", 765, 780, 550, "1:1"),
    Crop("retina", 365, 35, 200, "16:9"),
    Crop("retina", 265, 30, 600, "4:3"),
    Crop("retina", 860, 1165, 200, "16:9"),
    Crop("rocket", 145, 70, 200, "1:1"),
    Crop("rocket", 355, 180, 240, "1:1"),
    Crop("rocket", 125, 15, 250, "2:3"),
    Crop("rocket", 80, 135, 210, "3:4"),
    Crop("rocket", 275, 45, 260, "1:1"),
)
"""Visibly different parts; most neighbours in this list share a source."""


def photograph(crop: Crop, short_side_px: int = SHORT_SIDE_PX) -> bytes:
    """RGB JPEG of a crop, its short side exactly so long. Same crop and size, same bytes."""
    source = _source(crop.source)
    width, height = crop.size(crop.short)
    box = (crop.left, crop.top, crop.left + width, crop.top + height)
    if box[2] > source.width or box[3] > source.height:
        raise ValueError(f"{crop} reaches outside {crop.source}, which measures {source.size}")
    scaled = source.resize(crop.size(short_side_px), Image.Resampling.LANCZOS, box=box)
    buffer = io.BytesIO()
    scaled.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


@lru_cache(maxsize=len(SOURCES))
def _source(name: str) -> Image.Image:
    package, path = SOURCES[name]
    # Finding the package does not import it: scikit-image takes a second to load.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the demo's photographs are in {package}; run `make demo`")
    return Image.open(Path(spec.submodule_search_locations[0], path)).convert("RGB")

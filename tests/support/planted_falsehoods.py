"""Captions whose every sentence is known to be true or false of its image, and a judge of them.

A world says what each image shows. True sentences say it; a false one swaps its colour, count,
place or object. The judge looks at the image that it is sent, as a real one would, and errs at
known rates: not at random from one asking to the next, but by image and sentence, as models do.
"""

import hashlib
import math
import random
from dataclasses import dataclass, field
from typing import Any

from tests.support import builders
from tests.support.openai_server import Answer, content, image_bytes

WORDS = {
    "en": {
        "object": ["bicycle", "lantern", "barrel", "umbrella", "ladder", "kettle", "suitcase"],
        "colour": ["red", "green", "yellow", "brown", "white", "purple"],
        "count": ["one", "two", "three", "five", "seven"],
        "place": ["fountain", "doorway", "bridge", "staircase", "market stall", "old oak tree"],
    },
    "zh": {
        "object": ["自行车", "灯笼", "木桶", "雨伞", "梯子", "水壶", "行李箱"],
        "colour": ["红色", "绿色", "黄色", "棕色", "白色", "紫色"],
        "count": ["一", "两", "三", "五", "七"],
        "place": ["喷泉", "门口", "桥边", "楼梯", "市场摊位", "老橡树"],
    },
}
SWAPS = ("colour", "count", "place", "object")


def say(language: str, fact: dict[str, str]) -> str:
    if language == "zh":
        text = "在{place}旁边可以清楚地看到{count}个摆放整齐的{colour}{object}，光线照在上面。"
        return text.format(**fact)
    return (
        "Right beside the {place} stand {count} {colour} {object}s, arranged in a neat row there."
    ).format(**fact)


@dataclass
class World:
    """Images, their captions, and which of their sentences are false."""

    language: str
    jpegs: dict[int, bytes]
    captions: dict[int, str]
    false: dict[tuple[int, int], bool]
    """By image and place of the sentence."""
    shown: dict[str, set[str]] = field(default_factory=dict)
    """True sentences by the digest of the image."""

    @property
    def share_false(self) -> float:
        return sum(self.false.values()) / len(self.false)


def plant(images: int, share_false: float, seed: int = 0, language: str = "en") -> World:
    """A world of so many images, where about so many of the sentences are false."""
    rng = random.Random(seed)
    world = World(language, {}, {}, {})
    for image_id in range(1, images + 1):
        jpeg = builders.make_jpeg(seed * 1000 + image_id)
        facts = [{k: rng.choice(v) for k, v in WORDS[language].items()} for _ in range(4)]
        world.jpegs[image_id] = jpeg
        world.shown[digest(jpeg)] = {say(language, fact) for fact in facts}
        sentences = []
        for place, fact in enumerate(facts):
            said = dict(fact)
            if rng.random() < share_false:
                swap = rng.choice(SWAPS)
                said[swap] = rng.choice([w for w in WORDS[language][swap] if w != fact[swap]])
            sentences.append(say(language, said))
            world.false[image_id, place] = sentences[-1] not in world.shown[digest(jpeg)]
        world.captions[image_id] = ("" if language == "zh" else " ").join(sentences)
    return world


def digest(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()


@dataclass
class Judge:
    """Answers of a judge with known error rates, for `openai_server`."""

    world: World
    sensitivity: float = 1.0
    """Share of the false sentences that it refuses."""
    specificity: float = 1.0
    """Share of the true ones that it does not."""
    seed: int = 0
    tells: bool = True
    """Whether it tells probabilities."""
    talks: bool = False
    """Whether it explains itself, which it was asked not to."""

    def __call__(self, body: dict[str, Any]) -> Answer:
        (jpeg,) = image_bytes(body)
        sentence = content(body)[-1]["text"].rpartition("\n\n")[2].partition(" ")[2]
        if self.world.language == "zh":
            sentence = content(body)[-1]["text"].rpartition("句子：")[2]
        false = sentence not in self.world.shown[digest(jpeg)]
        luck = random.Random(f"{self.seed}/{digest(jpeg)}/{sentence}").random()
        refused = luck < (self.sensitivity if false else 1 - self.specificity)
        text = "No" if refused else "Yes"
        if self.talks:
            text += ", because that is what I see in it."
        chosen, other = ("No", "Yes") if refused else ("Yes", "No")
        first = {chosen: math.log(0.9), f"Ġ{other.lower()}": math.log(0.08), "The": math.log(0.02)}
        return Answer(
            text,
            first_tokens=first if self.tells else None,
            prompt_tokens=3400 + len(sentence) // 4,
            cached_tokens=3328,
        )

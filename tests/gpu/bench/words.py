"""What the checkpoints say, a caption for each colour, and the tokenizer that spells it."""

import functools
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from sa1b_captions.recipe import load_recipe
from tests.gpu import tiny_internvl2 as tiny
from tests.gpu.bench.shapes import COLOURS, Shape

_ONSETS = (
    "b", "br", "c", "cl", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "pl",
    "qu", "r", "s", "sh", "sl", "st", "t", "th", "tr", "v", "w",
)  # fmt: skip
_NUCLEI = ["a", "e", "i", "o", "u", "ai", "ea", "ee", "oa", "ou"]
_CODAS = ["d", "g", "l", "m", "n", "nd", "nt", "p", "r", "rd", "s", "st", "t", "ck", "ll"]


def _words(count: int) -> list[str]:
    """Pronounceable words, each once, the same at each call."""
    rng = random.Random(7)
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = rng.choice((1, 2, 2))
        stem = "".join(rng.choice(_ONSETS) + rng.choice(_NUCLEI) for _ in range(syllables))
        word = stem + rng.choice(_CODAS)
        if word not in COLOURS:
            found[word] = None
    return list(found)


@functools.cache
def pieces(shape: Shape) -> dict[str, list[str]]:
    """Each colour's caption, one piece for each token; no piece but the full stop comes twice."""
    lengths = shape.caption_tokens()
    words = iter(_words(sum(lengths.values())))
    return {
        colour: [colour, *(" " + next(words) for _ in range(length - 2)), "."]
        for colour, length in lengths.items()
    }


def captions(shape: Shape) -> dict[str, str]:
    """Each colour's caption."""
    return {colour: "".join(parts) for colour, parts in pieces(shape).items()}


class Vocabulary:
    """Token ids: bytes, pieces of the captions, special tokens, pieces of the prompts."""

    def __init__(self, shape: Shape) -> None:
        self._ids = {character: n for n, character in enumerate(tiny.ALPHABET)}
        for part in dict.fromkeys(p for parts in pieces(shape).values() for p in parts):
            self._ids.setdefault(_printed(part), len(self._ids))
        self.special = {t: len(self._ids) + n for n, t in enumerate(tiny.SPECIAL_TOKENS)}
        self.newline = self._ids[_printed("\n")]
        self.chains = {
            colour: [self._ids[_printed(part)] for part in parts]
            for colour, parts in pieces(shape).items()
        }
        """Each colour's caption as token ids."""

    def save(self, path: Path) -> None:
        """Write tokenizer.json."""
        tokenizer = Tokenizer(models.BPE(vocab=self._ids, merges=[]))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(
            [AddedToken(token, special=True, normalized=False) for token in self.special]
        )
        tokenizer.add_tokens([AddedToken(part, normalized=False) for part in _prompt_pieces()])
        bos = tiny.SPECIAL_TOKENS[0]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, self.special[bos])]
        )
        tokenizer.save(str(path))


def _prompt_pieces() -> list[str]:
    """Words of the recipe's prompts, which would else be spelt byte by byte."""
    recipe = load_recipe("internvl")
    found: list[str] = []
    for prompt in (recipe.model.system_prompt, recipe.tracks["single_en"].prompt):
        for part in prompt.split(" "):
            cut = [part[n : n + 2] for n in range(0, len(part), 2)]
            found += [" " + part] if part.isascii() else cut
    return [part for part in dict.fromkeys(found) if len(part) > 1]


def _printed(text: str) -> str:
    return "".join(tiny.PRINTED[byte] for byte in text.encode())

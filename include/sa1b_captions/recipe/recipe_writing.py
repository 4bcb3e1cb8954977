"""A new recipe file for another model: complete, and every choice explained where it stands."""

import json
import re
from collections.abc import Iterator
from typing import Any

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe.recipe_files import read_recipe_file
from sa1b_captions.recipe.recipe_parsing import load_recipe
from sa1b_captions.recipe.sections import TRACKS

_INTERNVL = "OpenGVLab/InternVL"

_NOTES = {
    "name": (
        "In every log and on the card. Part of the identity, as all up to [quality] is "
        "unless it says otherwise: a campaign keeps to one, and another gets a campaign "
        "of its own."
    ),
    "title": "What the dataset card calls the release. May change at any time.",
    "archives": "JPEGs of any name, packed or in tars, instead of SA-1B's archives.",
    "stand_in": "What the images are, for the dataset card.",
    "shards": "Shards that make the dataset; a release waits for exactly these. May change.",
    "images_per_shard": "Another number of images is a warning of ingest. May change.",
    "block_size": "Samples of one checkpoint: a worker that is killed loses at most these.",
    "seed": "Draws which images the tracks with a quota take, and which share a row.",
    "model.id": (
        "As the server's /v1/models lists it. Rows say it, and a release holds no others. "
        "The lmdeploy engine wants a model folder of this name instead."
    ),
    "model.revision": (
        "A server that is called <id>@<revision> proves it; otherwise rows say that the "
        "revision is unreported. Pin the commit of the weights."
    ),
    "model.system_prompt": (
        "Sent before each request; empty sends none, and leaves it to the server. Give "
        "what the model was trained with, where its authors say."
    ),
    "model.template": "Of the lmdeploy engine only; a server has its model's own.",
    "model.context_tokens": ("Prompt, images and caption together; of the lmdeploy engine only."),
    "generation.max_new_tokens": (
        "Longer captions are cut off, and tried again. Four times the usual length, so "
        "that only a loop reaches it."
    ),
    "generation.do_sample": ("Greedy keeps captions sober. Retries of loops are penalised anyway."),
    "generation.top_k": (
        "With do_sample = false this and the next two make servers greedy that sample "
        "whatever they are told."
    ),
    "generation.repetition_penalty": "Of the first try; above 1 it changes what is said.",
    "generation.random_seed": (
        "Sent with each request; servers that batch do not repeat it exactly."
    ),
    "generation.max_tiles": (
        "Of InternVL's 448-pixel tiles per image. Other models' servers pass it over and "
        "scale images as their own settings say."
    ),
    "generation.max_tiles_multi": (
        "Of each image of several, so that all fit the context: 4 images x (6 tiles + "
        "thumbnail) x 256 tokens = 7168 of 8192."
    ),
    "tracks.single_en.prompt": (
        "Prompts are what the published dataset used; those of the tracks with several "
        "images are worded after them. Other models may need other words."
    ),
    "tracks.single_en.release_file": (
        "Names of the files are free, but for the published ones. A target (at least so "
        "many captions) may be added under each track at any time."
    ),
    "tracks.single_zh.samples_per_shard": (
        "Drawn from each shard; without this line all images are planned. Spare samples "
        "make up for what is left out, and may be raised at any time."
    ),
    "quality.reject_share_warning": (
        "Rules can change at any time: captions are judged again, never made again. These "
        "were fitted on captions of InternVL2-76B and on gold rows; look at "
        "`sa1b-captions calibrate` after the first shards."
    ),
    "quality.language.en.min_chars": (
        "The last value allowed; docs/quality-rules.md says what each means. A model that "
        "writes less, or more, needs other lengths first of all."
    ),
}
"""What stands above a key, by the key's path."""


def new_recipe(
    model: str,
    base: str,
    *,
    images: str | None = None,
    shards: str | None = None,
) -> str:
    """Text of a recipe for a model, with prompts, plan and limits of another recipe.

    Args:
        model: as the server lists it.
        base: name of a packaged recipe, or path of a recipe file.
        images: what the images are, where they are not SA-1B's.
        shards: selection in place of the base's.

    Raises PermanentError: the base is no recipe, or the model's name cannot be used.
    """
    slug = re.sub(r"[^a-z0-9]+", "_", model.rpartition("/")[2].lower()).strip("_")
    if not slug or not model.isprintable():
        raise PermanentError(f"{model!r} is no name of a model; give it as the server lists it")
    load_recipe(base)
    source = read_recipe_file(base)
    kept = source["model"] if model.startswith(_INTERNVL) else {}
    source["model"] = {
        "id": model,
        "revision": "main",
        "system_prompt": kept.get("system_prompt", ""),
    } | {key: kept[key] for key in ("template", "context_tokens") if key in kept}
    source["name"] = f"{slug.replace('_', '-')}-{'images' if images else 'sa1b'}"
    source["title"] = f"Captions of {images or 'SA-1B'} by {model}"
    if images:
        source |= {"archives": "webdataset", "stand_in": images}
    if images or shards:
        for key in ("images_per_shard", "images_of_last_shard"):
            source.pop(key, None)
    source["shards"] = shards or ("0" if images else source["shards"])
    for name in TRACKS:
        source["tracks"][name].pop("target", None)
        source["tracks"][name].pop("trim", None)
        source["tracks"][name]["release_file"] = f"{slug}_captions_{name}.jsonl"
    head = [
        f"Recipe of captions by {model}.",
        f"Written by `sa1b-captions recipe new` from {base}.",
        "Set CAPTIONS_RECIPE to this file's path, and CAPTIONS_CAMPAIGN to a new name.",
    ]
    return "\n".join([*(f"# {line}" for line in head), *_lines(source, "")]) + "\n"


def _lines(table: dict[str, Any], path: str) -> Iterator[str]:
    """A table's own keys, then the tables in it."""
    for key, value in table.items():
        if not isinstance(value, dict):
            yield from _note(f"{path}{key}")
            yield f"{key} = {_value(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            if any(not isinstance(inner, dict) for inner in value.values()):
                yield from ("", f"[{path}{key}]")
            yield from _lines(value, f"{path}{key}.")


def _note(key: str) -> Iterator[str]:
    line = "#"
    for word in _NOTES.get(key, "").split():
        if len(line) + 1 + len(word) > 100:
            yield line
            line = "#"
        line += f" {word}"
    if line != "#":
        yield line


def _value(value: Any) -> str:
    """As TOML writes it; its strings and lists are JSON's, but for a character JSON lets pass."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

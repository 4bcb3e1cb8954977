"""The recipe of the campaigns that run on a GPU: the shipped one, for a few shards of a model."""

from typing import Any

from sa1b_captions.recipe import load_recipe


def small_source(name: str, title: str, model_id: str, shards: str) -> dict[str, Any]:
    """A recipe as `parse_recipe` reads it, whose tracks have as many samples as images allow.

    Args:
        name: of the campaign, and with underscores of its release files.
        title: for people.
        model_id: the model that makes the captions.
        shards: a selection such as `0-1`.
    """
    source = load_recipe("internvl").source
    source |= {"name": name, "title": title, "shards": shards}
    source.pop("images_per_shard", None)
    source.pop("images_of_last_shard", None)
    source["model"] |= {"id": model_id, "revision": "1"}
    for track_name, track in source["tracks"].items():
        track["release_file"] = f"{name.replace('-', '_')}_{track_name}.jsonl"
        track.pop("target", None)
        track.pop("spare_samples_per_shard", None)
    return source

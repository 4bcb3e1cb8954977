"""A curated shard of a recipe with an audit, and judges that refuse sentences by their words."""

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.engines.base import Engine, Reply, Request
from sa1b_captions.recipe import TRACKS
from sa1b_captions.records import CaptionStatus
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine
from tests.support.planted_falsehoods import World

SHARD = "sa_000000"
THINGS = "umbrella|kettle|lantern|ladder"


def judge(
    refuses: str = THINGS, sure: float | Mapping[str, float] | None = None
) -> Callable[[], Engine]:
    """A judge that refuses whatever names a thing, and may tell how sure it is, by the thing."""

    def script(request: Request) -> Reply:
        no = re.search(refuses, request.track.prompt.rpartition("\n")[2])
        answers = ("no", "yes") if no else ("yes", "no")
        told = None
        if sure is not None:
            known = sure.get(no[0] if no else "", 0.5) if isinstance(sure, Mapping) else sure
            told = dict(zip(answers, (math.log(known), math.log(1 - known)), strict=True))
        return Reply(CaptionStatus.OK, answers[0], "stop", first_tokens=told)

    return lambda: ScriptedEngine(script, needs_pixels=False)


def audited_recipe_campaign(root: Path, world: World, **audit: Any) -> Campaign:
    """Its single_en holds a world's captions, the other tracks a few of them."""
    recipe = builders.demo_recipe(shards="0-0", audit=audit)
    campaign = builders.demo_campaign(FileStore(root), recipe)
    builders.put_shard(campaign.store, SHARD, world.jpegs)
    texts = list(world.captions.values())
    for track in TRACKS:
        some = texts if track == "single_en" else [f"{text} It is {track}." for text in texts[:3]]
        table = builders.caption_rows(recipe, track, SHARD, some)
        builders.put_captions(campaign, SHARD, track, table)
    curate_shard(campaign, SHARD)
    return campaign

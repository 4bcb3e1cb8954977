"""A store in which every stage before `validate` finds that it has nothing left to do.

Small shards, really captioned by the preview engine and curated: what a task of `caption_shards`
costs there is Airflow's share and the start of its process.
"""

from sa1b_captions.campaign import open_campaign
from sa1b_captions.caption.engines.registry import open_engine
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import load_settings
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import open_store
from tests.support import builders

IMAGES = 4
"""Of one shard."""
SIZE = (48, 32)


def build() -> None:
    """Write the campaign that the settings name, all shards but the last, which stays out of it.

    So no release can begin while the others are measured.
    """
    settings = load_settings()
    store, recipe = open_store(settings), load_recipe(settings.recipe)
    campaign = open_campaign(store, settings.campaign, recipe)
    shards = list(recipe.shards)[:-1]
    for number, shard in enumerate(shards):
        ids = range(number * IMAGES + 1, (number + 1) * IMAGES + 1)
        jpegs = {one: builders.make_jpeg(one, SIZE) for one in ids}
        builders.put_shard(store, shard, jpegs, SIZE)
    caption_shards(campaign, shards, lambda: open_engine("preview", recipe, settings, None))
    for shard in shards:
        curate_shard(campaign, shard)


if __name__ == "__main__":
    build()

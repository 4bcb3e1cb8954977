"""The console's pages, as Airflow's own API server serves them, and a campaign for them to show."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.storage import Store, open_store_url
from tests.support import builders


@contextlib.contextmanager
def shown(root: Path, make: Callable[[Store], Campaign] | None = None) -> Iterator[Campaign]:
    """A campaign that the console reads from a folder: a new one, or what `make` puts there."""
    import sa1b_console.common

    with pytest.MonkeyPatch.context() as patch:
        store = open_store_url(root.as_uri())
        campaign = make(store) if make else open_campaign(store, "test", builders.demo_recipe())
        patch.setenv("CAPTIONS_ROOT", root.as_uri())
        patch.setenv("CAPTIONS_CAMPAIGN", campaign.name)
        patch.setattr(sa1b_console.common, "load_recipe", lambda name: campaign.recipe)
        yield campaign


def put_photographs(campaign: Campaign, shard: str, rows: int) -> None:
    """A shard of photographs that are numbered from 1."""
    jpegs = {number: builders.make_jpeg(number, (640, 480)) for number in range(1, rows + 1)}
    builders.put_shard(campaign.store, shard, jpegs)


def get(client: Any, path: str, status: int = 200) -> Any:
    """The page's reply."""
    reply = client.get(f"/captions{path}")
    assert reply.status_code == status, reply.text[:2000]
    return reply

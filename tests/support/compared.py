"""Two releases that differ in every way there is, and their comparison."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from sa1b_captions.release import written
from sa1b_captions.stages import diff
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore, Store
from tests.support import releases

HOSTILE = "</p><style>*{display:none}</style><b onmouseover> \"'"
SCRIPT = "<script>alert(1)</script>"
CAPTION = "conversations.list.element.value"
ROWS = 8


@pytest.fixture(scope="session")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with releases v1 and v2, which differ in every way there is, in `single_en`.

    Row groups are small, so that shards cross their borders.
    """
    store = FileStore(tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "ROWS_PER_GROUP", 3)
        campaign = releases.campaign_with_images(store, ROWS)
        export_release(campaign, "v1")
        first = releases.captions_of("single_en", "sa_000000", ROWS)
        second = releases.captions_of("single_en", "sa_000001", ROWS)
        # Changed: two captions. Removed: two by a rule, one of them as it was, and one whose sample
        # is gone.
        releases.put_curated(
            campaign,
            "single_en",
            "sa_000000",
            [f"{first[0]} {HOSTILE}", "Short one.", *first[2:6]],
            [(SCRIPT, ["special_tokens"]), (first[7], ["off_topic"])],
        )
        # Added: the one that repeated another shard's.
        releases.put_curated(campaign, "single_en", "sa_000001", second[:7])
        releases.put_duplicates(campaign, "single_en", {})
        export_release(campaign, "v2")
    return store


def compared(store: Store, before: str = "v1", after: str = "v2", **options: Any) -> dict[str, Any]:
    """The comparison of two releases, or with @ before its name of a campaign."""
    one, other = (
        diff.campaign_of(store, name[1:]) if name[0] == "@" else diff.release_of(store, name)
        for name in (before, after)
    )
    return diff.compare(one, other, store, **options)


@pytest.fixture(scope="session")
def facts(two_releases: Store) -> dict[str, Any]:
    """The comparison of both."""
    return compared(two_releases)


def read(url: str) -> str:
    """Text of a file by its URL."""
    return Path(unquote(urlsplit(url).path)).read_text(encoding="utf-8")

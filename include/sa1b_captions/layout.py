"""Keys of everything that lies in the object store.

A function whose name ends in `_key` names one object, one that ends in `_prefix` a folder, with its
final slash. No other module spells a key; patterns of them are in `remedies`. `campaign` is a
campaign's name.
"""

import re

from sa1b_captions.errors import PermanentError
from sa1b_captions.generations import FIRST

VERSION_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
"""What can name a release."""

MANIFEST = "manifest.json"
"""Name of a release's manifest in its folder."""


def archive_files_prefix(shard: str) -> str:
    """What the keys of all generations of a shard's archive and index begin with, and others."""
    return f"shards/{shard}."


def archive_key(shard: str, generation: str = FIRST) -> str:
    """Plain tar of a shard's JPEGs, in archive order. The ingest receipt names the generation."""
    return f"shards/{shard}{'' if generation == FIRST else f'.{generation}'}.tar"


def index_key(shard: str, generation: str = FIRST) -> str:
    """Index of a shard (`records.INDEX_SCHEMA`), in archive order."""
    return f"shards/{shard}{'' if generation == FIRST else f'.{generation}'}.index.parquet"


def ingest_receipt_key(shard: str) -> str:
    """Receipt that makes a shard's archive and index exist."""
    return f"shards/{shard}.receipt.json"


def download_prefix(shard: str) -> str:
    """Folder of what is downloaded of a shard's archive so far."""
    return f"shards/{shard}.download/"


def download_object_key(shard: str) -> str:
    """Which object the downloaded parts belong to."""
    return f"{download_prefix(shard)}object.json"


def download_part_key(shard: str, identity: str, number: int) -> str:
    """Part of a download; `identity` tells the object it belongs to from others."""
    return f"{download_prefix(shard)}{identity}/part-{number:05d}"


def campaign_prefix(campaign: str) -> str:
    """Folder of a campaign."""
    return f"campaigns/{campaign}/"


def recipe_key(campaign: str) -> str:
    """Recipe that a campaign was started with."""
    return f"{campaign_prefix(campaign)}recipe.json"


def lock_key(campaign: str) -> str:
    """Lock of the model that the campaign is captioned with; absent where nobody locked it."""
    return f"{campaign_prefix(campaign)}recipe.lock"


def summary_key(campaign: str) -> str:
    """How every shard stood when somebody last looked; receipts say whether it still does."""
    return f"{campaign_prefix(campaign)}summary.json"


def reference_key(campaign: str) -> str:
    """Pinned reference: what captions of this campaign usually look like."""
    return f"{campaign_prefix(campaign)}reference.json"


def all_captions_prefix(campaign: str) -> str:
    """Folder of the captions of all tracks and shards."""
    return f"{campaign_prefix(campaign)}captions/"


def captions_prefix(campaign: str, track: str, shard: str) -> str:
    """Folder of all generations of a shard's captions in a track."""
    return f"{all_captions_prefix(campaign)}{track}/{shard}/"


def generation_prefix(campaign: str, track: str, shard: str, generation: str) -> str:
    """Folder of a generation that is not the first, whose parts lie in that of all of them."""
    return f"{captions_prefix(campaign, track, shard)}{generation}/"


def part_key(campaign: str, track: str, shard: str, generation: str, block: int) -> str:
    """Caption part of one block (`records.CAPTION_SCHEMA`).

    The parts of the first generation lie beside the folders of the later ones.
    """
    folder = "" if generation == FIRST else f"{generation}/"
    return f"{captions_prefix(campaign, track, shard)}{folder}part-{block:05d}.parquet"


def caption_receipt_key(campaign: str, track: str, shard: str) -> str:
    """Receipt of captioning one track of a shard; it names the generation that counts."""
    return f"{captions_prefix(campaign, track, shard)}receipt.json"


def past_receipt_key(campaign: str, track: str, shard: str, generation: str) -> str:
    """Receipt of a generation that counted before another did."""
    return f"{captions_prefix(campaign, track, shard)}{generation}/receipt.json"


def begun_key(campaign: str, track: str, shard: str, generation: str) -> str:
    """Note of who began a generation; of the first one, a note that version 0.1.0 wrote."""
    name = "anew.json" if generation == FIRST else f"{generation}/begun.json"
    return f"{captions_prefix(campaign, track, shard)}{name}"


def curated_key(campaign: str, track: str, shard: str, name: str) -> str:
    """What curate leaves of a shard, such as `accepted.parquet` and `duplicates.parquet`."""
    return f"{campaign_prefix(campaign)}curated/{track}/{shard}/{name}"


def curate_receipt_key(campaign: str, track: str, shard: str) -> str:
    """Receipt of the curate stage for one track of a shard."""
    return curated_key(campaign, track, shard, "receipt.json")


def audit_key(campaign: str, track: str, shard: str, name: str) -> str:
    """What an audit leaves of a shard, such as `answers.parquet`."""
    return f"{campaign_prefix(campaign)}audit/{track}/{shard}/{name}"


def audit_receipt_key(campaign: str, track: str, shard: str) -> str:
    """Receipt of the audit stage for one track of a shard."""
    return audit_key(campaign, track, shard, "receipt.json")


def shard_validations_prefix(campaign: str) -> str:
    """Folder of all shards' present validations."""
    return f"{campaign_prefix(campaign)}quality/shards/"


def shard_validation_key(campaign: str, shard: str) -> str:
    """Present validation of a shard; also the receipt of its validate stage."""
    return f"{shard_validations_prefix(campaign)}{shard}.json"


def release_validation_key(campaign: str) -> str:
    """Present validation over all shards; also the receipt of that stage."""
    return f"{campaign_prefix(campaign)}quality/release.json"


def validation_history_prefix(campaign: str, subject: str) -> str:
    """Folder of every validation of a shard, or of the `release`, and its report."""
    return f"{campaign_prefix(campaign)}quality/validations/{subject}/"


def past_validation_key(campaign: str, subject: str, name: str) -> str:
    """One validation of a shard, or of the `release`; `name` tells it from the others."""
    return f"{validation_history_prefix(campaign, subject)}{name}.json"


def past_report_key(campaign: str, subject: str, name: str) -> str:
    """HTML report of the validation with that name."""
    return f"{validation_history_prefix(campaign, subject)}{name}.html"


def run_summary_key(campaign: str, run_id: str) -> str:
    """What one Airflow run validated, for the run's page."""
    return f"{campaign_prefix(campaign)}quality/runs/{run_id}.json"


def facet_counts_key(campaign: str) -> str:
    """How many captions have which facets (`records.FACET_COUNT_SCHEMA`); made of the shards'."""
    return f"{campaign_prefix(campaign)}index/facet_counts.parquet"


def refused_counts_key(campaign: str) -> str:
    """The same of captions with a sentence that the audit's judge refused."""
    return f"{campaign_prefix(campaign)}index/refused_counts.parquet"


def marks_prefix(campaign: str) -> str:
    """Folder of what people judged of captions."""
    return f"{campaign_prefix(campaign)}marks/"


def marks_key(campaign: str, log: str) -> str:
    """Marks that one process took, JSON lines; `log` tells it from the others."""
    return f"{marks_prefix(campaign)}{log}.jsonl"


def repeated_images_key(campaign: str) -> str:
    """Images that are there under several ids (`records.REPEAT_SCHEMA`)."""
    return f"{campaign_prefix(campaign)}quality/photographs.parquet"


def dedup_prefix(campaign: str, track: str) -> str:
    """Folder of what dedup finds in a track."""
    return f"{campaign_prefix(campaign)}dedup/{track}/"


def duplicates_key(campaign: str, track: str) -> str:
    """Captions to leave out of the release (`records.DUPLICATE_SCHEMA`)."""
    return f"{dedup_prefix(campaign, track)}duplicates.parquet"


def dedup_receipt_key(campaign: str, track: str) -> str:
    """Receipt of the dedup stage for one track."""
    return f"{dedup_prefix(campaign, track)}receipt.json"


def batches_prefix(campaign: str, track: str) -> str:
    """Folder of what releases of a track are put together from."""
    return f"{campaign_prefix(campaign)}release/{track}/"


def batch_key(campaign: str, track: str, digest: str, name: str) -> str:
    """File of one batch; `digest` tells what it is made from."""
    return f"{batches_prefix(campaign, track)}{digest}/{name}"


def batch_receipt_key(campaign: str, track: str, digest: str) -> str:
    """What names the files of a batch, written last."""
    return batch_key(campaign, track, digest, "batch.json")


def releases_prefix() -> str:
    """Folder of all releases."""
    return "releases/"


def latest_key() -> str:
    """Pointer to the newest release: its version, and a line break."""
    return f"{releases_prefix()}LATEST"


def release_prefix(version: str) -> str:
    """Folder of a release. Raises PermanentError if the version is not a name a folder can have."""
    # A folder `LATEST` would lie where the pointer to the newest release does.
    if not re.fullmatch(VERSION_PATTERN, version) or version.upper() == "LATEST":
        raise PermanentError(
            f"{version!r} cannot name a release; use at most 63 letters, digits, dots, dashes and "
            "underscores, beginning with a letter or digit, as in v2"
        )
    return f"{releases_prefix()}{version}/"


def release_key(version: str, name: str) -> str:
    """File of a release. Raises as `release_prefix` does."""
    return f"{release_prefix(version)}{name}"


def claims_prefix(version: str) -> str:
    """Folder of the exports that write a release. Raises as `release_prefix` does."""
    # Beside the release, which holds what its manifest names and nothing else.
    return f"{releases_prefix()}.claims/{release_prefix(version).removeprefix(releases_prefix())}"


def claim_key(version: str, digest: str, attempt: str) -> str:
    """Claim of one run of an export to a version; `digest` tells what it publishes.

    Raises as `release_prefix` does.
    """
    return f"{claims_prefix(version)}{digest}-{attempt}.json"


def manifest_key(version: str) -> str:
    """Manifest that makes a release exist. Raises as `release_prefix` does."""
    return release_key(version, MANIFEST)


def difference_key(before: str, after: str, kind: str) -> str:
    """Comparison of two sides, by their names in keys, as `json` or as an `html` page.

    Neither lies in a release: the page shows photographs.
    """
    return f"diffs/{before}/{after}.{kind}"

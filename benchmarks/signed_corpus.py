"""The captions of `caption_corpus` as curate leaves them for dedup, signed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.caption_corpus import SHARD_ROWS
from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.duplicates.minhash import SIGNATURE_VERSION
from sa1b_captions.quality.duplicates.signatures import signature_table
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.receipts.receipt_files import curate_place, digest, write_receipt
from sa1b_captions.recipe import load_recipe, parse_recipe
from sa1b_captions.shards import shard_number
from sa1b_captions.storage import FileStore

TRACK = "single_en"
THREADS = 2
MIN_JACCARD = 0.7


def open_corpus(folder: Path, rows: int) -> Campaign:
    """The campaign of the first rows of a corpus."""
    source = load_recipe("internvl").source
    source |= {
        "shards": f"0-{rows // SHARD_ROWS - 1}",
        "quality": source["quality"] | {"near_duplicate_jaccard": MIN_JACCARD},
    }
    return Campaign("bench", FileStore(folder), parse_recipe(source, where="the benchmark"))


def sign_corpus(campaign: Campaign) -> None:
    """What curate leaves for dedup, of every shard."""
    store = campaign.store

    def sign(shard: str) -> None:
        accepted = layout.curated_key(campaign.name, TRACK, shard, "accepted.parquet")
        captions = records.read_table(store, accepted, ["sample_id", "image_ids", "caption"])
        signed = signature_table(captions, shard_number(shard))
        key = layout.curated_key(campaign.name, TRACK, shard, "signatures.parquet")
        records.write_table(store, key, signed, records.SIGNATURE_SCHEMA)
        write_receipt(
            store,
            curate_place(campaign.name, TRACK, shard),
            CurateReceipt(
                shard=shard,
                track=TRACK,
                planned=captions.num_rows,
                accepted=captions.num_rows,
                rejected=0,
                reasons={},
                recipe_fingerprint=campaign.recipe.fingerprint,
                quality_fingerprint=campaign.quality_fingerprint,
                signature_version=SIGNATURE_VERSION,
                input=digest(None),
            ),
        )

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(sign, campaign.recipe.shards))

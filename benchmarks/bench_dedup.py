"""What finding near duplicates costs, and what it finds, on captions with planted copies.

    make bench-dedup         ROWS=204000 for a quick one, BENCH_FOLDER=/scratch for the corpus

Measured is the product, from captions in a store to the list of duplicates in it. Signing does what
curate does to sign: it reads a shard's captions, normalises, hashes and stores them, with two
threads. Then the dedup stage reads all signatures, clusters, verifies by exact Jaccard and writes.
Curate's rules are not in it. Each size runs in a process of its own; the start of Python counts.
Peers run in environments of their own on the first captions of the same files, in the same run.
For that comparison each gets one and the same core, and so do we: on two threads of one core a
program's CPU seconds grow by what its threads take from each other.
The last line is one JSON object.
"""

import resource
import time
from pathlib import Path

from benchmarks.caption_corpus import SHARD_ROWS

PEER_ROWS = 85 * SHARD_ROWS
PEERS = {"daft": "PEER_PYTHON", "datasketch": "PEER_PYTHON", "datatrove": "DATATROVE_PYTHON"}
"""Peers, and the variable that names the interpreter of each."""
SMALL_RUNS = 3
"""Of the twelfth, whose few seconds vary by a tenth; growth is from their median. So is the
comparison with peers, from a run of our own before each of theirs."""


def dedup(folder: Path, rows: int) -> dict[str, object]:
    """Sign the first rows of a corpus and find their duplicates, in this process."""
    from sa1b_captions.imports import leave_out

    leave_out("pandas", "scipy")  # as the command does
    from benchmarks.signed_corpus import TRACK, open_corpus, sign_corpus
    from sa1b_captions import layout, records
    from sa1b_captions.receipts.receipt_files import dedup_place, require_receipt
    from sa1b_captions.stages.dedup import dedup_track

    began = time.perf_counter()
    campaign = open_corpus(folder, rows)
    sign_corpus(campaign)
    signed_at, signed_cpu = time.perf_counter(), time.process_time()
    signed_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dedup_track(campaign, TRACK, force=True)
    result = {
        "rows": rows,
        "seconds": time.perf_counter() - began,
        "sign_seconds": signed_at - began,
        "cpu_s": time.process_time(),
        "sign_cpu_s": signed_cpu,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "sign_peak_rss_mib": signed_peak // 1024,
    }
    receipt = require_receipt(campaign.store, dedup_place(campaign.name, TRACK))
    result |= {
        "candidate_pairs": receipt.candidate_pairs,
        "confirmed_pairs": receipt.confirmed_pairs,
        "large_buckets": receipt.large_buckets,
    }
    duplicates = records.read_table(campaign.store, layout.duplicates_key(campaign.name, TRACK))
    found = duplicates["sample_id"].to_pylist()
    return result | {"removed": [int(name.rpartition("/")[2]) for name in found]}

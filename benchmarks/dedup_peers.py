"""Other tools on the same captions: `dedup_peers.py NAME FOLDER ROWS OUT`.

Word 5-grams, 112 permutations in 14 bands of 8, threshold about 0.72. Runs in the environments that
`make bench-dedup` builds; writes the ids to remove to OUT/removed.json.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.caption_corpus import files_of

BANDS, ROWS, SHINGLE_WORDS = 14, 8, 5
WORD = re.compile(r"\w+")


def texts_of(folder: Path, rows: int) -> list[str]:
    """The first captions of a corpus."""
    texts: list[str] = []
    for file in files_of(folder, rows):
        texts += pq.read_table(file, columns=["caption"])["caption"].to_pylist()
    return texts


def daft(folder: Path, rows: int, _: Path) -> list[int]:
    """Daft's minhash; bands and clusters in numpy, for it has none."""
    import daft
    from daft import col
    from daft.functions import minhash, normalize

    # An order of words that differs in case or punctuation is the same caption.
    text = normalize(
        col("caption"), remove_punct=True, lowercase=True, nfd_unicode=False, white_space=True
    )
    signature = minhash(
        text,
        num_hashes=BANDS * ROWS,
        ngram_size=SHINGLE_WORDS,
        seed=1,
        hash_function="xxhash64",
    )
    frame = daft.read_parquet([str(file) for file in files_of(folder, rows)])
    table = frame.select(col("id"), signature.alias("signature")).to_arrow()
    ids = table["id"].to_numpy()
    column = table["signature"].combine_chunks()
    values = column.values.to_numpy(zero_copy_only=False).reshape(-1, BANDS * ROWS)
    parents = list(range(len(ids)))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    order = np.argsort(ids)
    values = values[order].astype(np.uint64)
    for band in range(BANDS):
        hashes = np.zeros(len(ids), np.uint64)
        for place in range(band * ROWS, band * ROWS + ROWS):
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + values[:, place]
            hashes ^= hashes >> np.uint64(29)
        ranked = np.argsort(hashes, kind="stable")
        same = np.flatnonzero(hashes[ranked[1:]] == hashes[ranked[:-1]])
        for first, second in zip(ranked[same].tolist(), ranked[same + 1].tolist(), strict=True):
            a, b = root(first), root(second)
            parents[max(a, b)] = min(a, b)
    return [row for row in range(len(parents)) if root(row) != row]


def datasketch(folder: Path, rows: int, _: Path) -> list[int]:
    """Datasketch's MinHashLSH, one caption after the other."""
    import xxhash
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    empty = MinHash(num_perm=BANDS * ROWS, hashfunc=xxhash.xxh32_intdigest, seed=1)
    removed = []
    for number, text in enumerate(texts_of(folder, rows)):
        words = WORD.findall(text.lower())
        count = max(1, len(words) - SHINGLE_WORDS + 1)
        signature = empty.copy()
        signature.update_batch(
            {" ".join(words[at : at + SHINGLE_WORDS]).encode() for at in range(count)}
        )
        if index.query(signature):
            removed.append(number)
        else:
            index.insert(number, signature, check_duplication=False)
    return removed


def datatrove(folder: Path, rows: int, out: Path) -> list[int]:
    """Datatrove's four MinHash stages in two processes, words split at white space.

    Its own tokenizer for English, spaCy, takes seven times as long as all the rest.
    """
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupSignature, minhash
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from datatrove.utils.hashing import HashConfig

    class WhiteSpace:
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

    minhash.load_word_tokenizer = lambda _: WhiteSpace()
    workers = 2
    (out / "in").mkdir()
    lines = [json.dumps({"id": n, "text": text}) for n, text in enumerate(texts_of(folder, rows))]
    for part in range(workers):
        (out / f"in/{part:03d}.jsonl").write_text("\n".join(lines[part::workers]) + "\n")
    del lines
    config = minhash.MinhashConfig(
        hash_config=HashConfig(precision=64),
        num_buckets=BANDS,
        hashes_per_bucket=ROWS,
        n_grams=SHINGLE_WORDS,
    )

    def stage(name: str, tasks: int, *steps: object) -> None:
        LocalPipelineExecutor(
            pipeline=list(steps),
            tasks=tasks,
            workers=workers,
            logging_dir=str(out / "logs" / name),
            start_method="fork",
        ).run()

    def reader() -> JsonlReader:
        return JsonlReader(str(out / "in"), text_key="text", id_key="id")

    signatures, buckets, remove = (str(out / name) for name in ("sig", "buckets", "remove"))
    stage(
        "signatures",
        workers,
        reader(),
        MinhashDedupSignature(output_folder=signatures, config=config, language="eng"),
    )
    stage(
        "buckets",
        BANDS,
        minhash.MinhashDedupBuckets(input_folder=signatures, output_folder=buckets, config=config),
    )
    stage(
        "cluster",
        1,
        minhash.MinhashDedupCluster(input_folder=buckets, output_folder=remove, config=config),
    )
    removed = JsonlWriter(str(out / "removed"), compression=None)
    stage(
        "filter",
        workers,
        reader(),
        minhash.MinhashDedupFilter(input_folder=remove, exclusion_writer=removed),
        JsonlWriter(str(out / "kept"), compression=None),
    )
    files = (out / "removed").glob("*.jsonl")
    return [int(json.loads(line)["id"]) for file in files for line in file.open()]


if __name__ == "__main__":
    tools = {"daft": daft, "datasketch": datasketch, "datatrove": datatrove}
    target = Path(sys.argv[4])
    found = tools[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]), target)
    (target / "removed.json").write_text(json.dumps(found))

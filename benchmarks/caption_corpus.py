"""Captions with planted copies: `caption_corpus.py ROWS FOLDER`.

Writes what curate leaves of the track single_en, as far as dedup reads it: one
`accepted.parquet` of 12,000 rows per shard under FOLDER, in the places of campaign `bench`, with
one more column, `id`; and `labels.parquet` (`id`, `source`, `kind`). A caption is 6 to 11
sentences drawn from 1.6 million made of word lists, 145 words on average; 2 % are copies, 3 % near
copies: in case and punctuation, with one to three words replaced, or with a sentence dropped or
added.
"""

import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.caption_words import FRAMES, NOUNS, PLACES, VERBS, WORDS

SHARD_ROWS = 12_000
SENTENCES = 1_600_000
REMEMBERED = 200_000


def _sentences(rng: np.random.Generator) -> list[str]:
    pools = (WORDS, NOUNS, WORDS, PLACES, WORDS, NOUNS, VERBS)
    sentences = []
    for number in range(SENTENCES):
        frame = FRAMES[number % len(FRAMES)]
        draws = rng.integers(0, 1 << 30, frame.count("{}"))
        words = [pools[k % 7][draw % len(pools[k % 7])] for k, draw in enumerate(draws.tolist())]
        sentences.append(frame.format(*words))
    return sentences


def _near(text: str, sentences: list[str], rng: np.random.Generator) -> tuple[str, str]:
    kind = ("case", "substitution", "sentence")[rng.integers(3)]
    if kind == "case":
        return kind, re.sub(",", "", text).lower() if rng.random() < 0.5 else text.upper() + "\n"
    if kind == "substitution":
        words = text.split(" ")
        for _ in range(rng.integers(1, 4)):
            words[rng.integers(len(words))] = WORDS[rng.integers(len(WORDS))]
        return kind, " ".join(words)
    parts = re.split(r"(?<=\.) ", text)
    place = int(rng.integers(1, len(parts)))
    if rng.random() < 0.5:
        del parts[place]
    else:
        parts.insert(place, sentences[rng.integers(len(sentences))])
    return kind, " ".join(parts)


def files_of(folder: Path, rows: int) -> list[Path]:
    """Files of the first captions of a corpus, shard after shard."""
    files = sorted(folder.glob("campaigns/bench/curated/single_en/*/accepted.parquet"))
    return files[: rows // SHARD_ROWS]


def write_corpus(rows: int, folder: Path) -> None:
    """Write a corpus, the same every time; `rows` is rounded down to whole shards."""
    rng = np.random.default_rng(5)
    sentences = _sentences(rng)
    remembered: list[tuple[int, str]] = []
    labels: list[tuple[int, int, str]] = []
    for shard in range(rows // SHARD_ROWS):
        ids = range(shard * SHARD_ROWS, (shard + 1) * SHARD_ROWS)
        texts = []
        for number in ids:
            chance = rng.random()
            if chance < 0.05 and remembered:
                source, text = remembered[rng.integers(len(remembered))]
                kind, text = ("exact", text) if chance < 0.02 else _near(text, sentences, rng)
                labels.append((number, source, kind))
            else:
                picked = rng.integers(0, SENTENCES, rng.integers(6, 12))
                text = " ".join([sentences[place] for place in picked.tolist()])
                if number % 10 == 0:
                    remembered.append((number, text))
            texts.append(text)
        if len(remembered) > 2 * REMEMBERED:
            remembered = remembered[-REMEMBERED:]
        name = f"sa_{shard:06d}"
        table = pa.table(
            {
                "sample_id": [f"single_en/{name}/{number}" for number in ids],
                "image_ids": pa.array([[number] for number in ids], pa.list_(pa.int64())),
                "caption": texts,
                "id": ids,
            }
        )
        place = folder / "campaigns/bench/curated/single_en" / name
        place.mkdir(parents=True)
        pq.write_table(table, place / "accepted.parquet", compression="zstd", use_dictionary=False)
    columns = zip(*labels, strict=True)
    table = pa.table(dict(zip(("id", "source", "kind"), map(list, columns), strict=True)))
    pq.write_table(table, folder / "labels.parquet")


if __name__ == "__main__":
    write_corpus(int(sys.argv[1]), Path(sys.argv[2]))

"""What an audit asks about a shard's track, and the rows that the answers become.

Which captions, and in which order their sentences are asked about, is told by hash rank: a pure
function of the recipe's seed and the sample's name, so a restarted audit, a larger one and a
person's sampling plan all meet the same captions. Questions about an image differ in their last
line only: the first one is computed whole; of the others the engine keeps the prefix in its cache,
block by block, and computes the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

from sa1b_captions import layout
from sa1b_captions.audit.answers import read_reply
from sa1b_captions.audit.judge import question
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.asking import Inquiry
from sa1b_captions.caption.decoding.images import ShardReader
from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.sampling import Sample, read_index
from sa1b_captions.errors import PermanentError
from sa1b_captions.marks import text_digest
from sa1b_captions.outputs import read_curated
from sa1b_captions.receipts import AuditTokens, CurateReceipt, IngestReceipt
from sa1b_captions.records import CaptionStatus
from sa1b_captions.sentences import Sentence, split_sentences
from sa1b_captions.stages.auditing.judge_choice import require_audit

_COLUMNS = ["sample_id", "image_ids", "caption", "model", "prompt_tokens", "completion_tokens"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A caption whose sentences are asked about."""

    sample: Sample
    caption: str
    sentences: list[Sentence]
    order: list[int]
    """Places of the sentences as they are asked about."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked about a track."""

    drawn: list[Drawn]
    reader: ShardReader
    language: str
    writers: set[str]
    """Models that wrote the accepted captions."""
    caption_tokens: int | None
    """Of all accepted captions; None where the engine counted none."""

    @property
    def inquiries(self) -> list[Inquiry]:
        """All questions."""
        return [
            Inquiry(
                one.sample,
                tuple(
                    question(one.sentences[place].text, self.language, len(one.sample.images))
                    for place in one.order
                ),
            )
            for one in self.drawn
        ]


def prepare_questions(
    campaign: Campaign, curated: CurateReceipt, ingest: IngestReceipt | None
) -> Questions:
    """Draw captions of a track and split them.

    Raises PermanentError: the archive is gone, or lacks an image of a caption.
    """
    recipe, shard = campaign.recipe, curated.shard
    track, audit = recipe.tracks[curated.track], require_audit(recipe)
    rows = read_curated(campaign, curated, "accepted.parquet", _COLUMNS).to_pylist()
    places = draw_captions(
        [row["sample_id"] for row in rows], audit.captions_per_shard, recipe.seed
    )
    chosen = [rows[place] for place in places]
    ingest = _require_archive(campaign, shard, ingest)
    images = {}
    if chosen:
        index = read_index(campaign.store, shard, ingest.generation, ingest.index)
        images = {image.image_id: image for image in index}
    for row in chosen:
        if lacking := set(row["image_ids"]) - set(images):
            raise PermanentError(
                f"image {min(lacking)} of {row['sample_id']} is not in the shard's index, so other "
                f"images were ingested since; run sa1b-captions caption --shards {shard} --tracks "
                f"{curated.track} --force, then curate and audit it"
            )
    drawn = []
    for row in chosen:
        sample_id, caption = row["sample_id"], row["caption"]
        shown = tuple(images[image_id] for image_id in row["image_ids"])
        sentences = split_sentences(caption)
        order = asking_order(sample_id, len(sentences), recipe.seed)
        sample = Sample(sample_id, shard, track, shown, 0)
        drawn.append(Drawn(sample, caption, sentences, order))
    counts = [row["prompt_tokens"] for row in rows] + [row["completion_tokens"] for row in rows]
    return Questions(
        drawn,
        ShardReader(campaign.store, shard, [one.sample for one in drawn], ingest.generation),
        track.language,
        {row["model"] for row in rows},
        None if None in counts else sum(counts),
    )


def _require_archive(campaign: Campaign, shard: str, ingest: IngestReceipt | None) -> IngestReceipt:
    if ingest is not None and campaign.store.exists(layout.archive_key(shard, ingest.generation)):
        return ingest
    raise PermanentError(
        f"the archive of {shard} is not in {campaign.store.url}, and a judge must see its images; "
        f"run sa1b-captions ingest --shards {shard} --force, then audit it; a packed "
        "shard comes back by packing its folder"
    )


def answer_rows(questions: Questions, replies: Sequence[tuple[Reply, ...]]) -> list[dict[str, Any]]:
    """Rows of `records.ANSWER_SCHEMA`."""
    rows = []
    for one, of_caption in zip(questions.drawn, replies, strict=True):
        by_place = dict(zip(one.order, of_caption, strict=True))
        digest = text_digest(one.caption)
        for place, sentence in enumerate(one.sentences):
            reply = by_place[place]
            failure = None
            if reply.status in (CaptionStatus.ERROR, CaptionStatus.UNDECODABLE):
                failure = reply.error or reply.error_code or reply.status.value
            rows.append(
                {
                    "sample_id": one.sample.sample_id,
                    "text_xxh3": digest,
                    "caption_chars": len(one.caption),
                    "sentence": place,
                    "sentences": len(one.sentences),
                    "start": sentence.start,
                    "end": sentence.end,
                    "text": sentence.text,
                    **read_reply(reply.caption, failure, reply.first_tokens),
                    "prompt_tokens": reply.prompt_tokens,
                    "completion_tokens": reply.completion_tokens,
                    "cached_tokens": reply.cached_tokens,
                }
            )
    return rows


def count_tokens(questions: Questions, rows: Sequence[dict[str, Any]]) -> AuditTokens:
    """Tokens of an audit; None of what the engine does not count."""
    prompts = [row["prompt_tokens"] for row in rows]
    cached = [row["cached_tokens"] for row in rows]
    if None in prompts:
        return AuditTokens(captions=questions.caption_tokens)
    by_caption: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_caption.setdefault(row["sample_id"], []).append(row)
    computed = sum(
        computed_tokens(
            [row["prompt_tokens"] for row in many],
            [row["completion_tokens"] or 0 for row in many],
            min(len(row["text"].encode()) for row in many),
        )
        for many in by_caption.values()
    )
    return AuditTokens(
        questions=sum(prompts),
        computed=computed,
        cached=None if None in cached else sum(cached),
        captions=questions.caption_tokens,
    )


def draw_captions(sample_ids: Sequence[str], count: int, seed: int) -> list[int]:
    """Places of so many captions among all, those of the lowest rank first."""
    return sorted(
        range(len(sample_ids)), key=lambda place: _rank(seed, "caption", sample_ids[place])
    )[:count]


def asking_order(sample_id: str, sentences: int, seed: int) -> list[int]:
    """Places of a caption's sentences in the random order in which they are asked about."""
    return sorted(range(sentences), key=lambda place: _rank(seed, str(place), sample_id))


def _rank(seed: int, what: str, sample_id: str) -> tuple[int, str]:
    return xxhash.xxh3_64_intdigest(f"{seed}/audit/{what}/{sample_id}".encode()), sample_id


CACHE_BLOCK_TOKENS = 64
"""The engine keeps whole blocks; of a longer prefix it computes the part of the last one again."""
_AFTER_SENTENCE_TOKENS = 8
"""What the chat template puts behind a prompt."""


def computed_tokens(prompts: Sequence[int], answers: Sequence[int], shortest_bytes: int) -> int:
    """Most tokens that all questions about a caption make the engine compute.

    Args:
        prompts: tokens of each question, images included.
        answers: tokens of each answer.
        shortest_bytes: of the shortest sentence in UTF-8; no tokenizer makes more tokens of it.
    """
    if not prompts:
        return 0
    tail = shortest_bytes + _AFTER_SENTENCE_TOKENS + CACHE_BLOCK_TOKENS
    prefix = max(0, min(prompts) - tail)
    return sum(prompts) - (len(prompts) - 1) * prefix + sum(answers)

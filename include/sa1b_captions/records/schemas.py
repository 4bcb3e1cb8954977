"""Columns of every Parquet table that one stage hands to another."""

import enum

import pyarrow as pa


class CaptionStatus(enum.StrEnum):
    """What became of a sample."""

    OK = "ok"
    TRUNCATED = "truncated"  # the token limit cut it
    EMPTY = "empty"
    UNDECODABLE = "undecodable"  # an image of the sample cannot be decoded
    ERROR = "error"  # the engine failed; error_code and error say how


INDEX_SCHEMA = pa.schema(
    [
        ("image_id", pa.int64()),
        ("file_name", pa.string()),  # sa_190188.jpg
        ("offset", pa.int64()),  # byte of the JPEG's first byte in the shard's plain tar
        ("size", pa.int64()),  # bytes
        ("width", pa.int32()),  # pixels, from the JPEG header; 0 when it has none
        ("height", pa.int32()),
        ("jpeg_xxh3", pa.string()),  # xxh3-128 of the JPEG, hexadecimal
        ("problem", pa.string()),  # why ingest doubts the image; null when it does not
    ]
)
"""One row per JPEG member of a shard, in archive order."""

CAPTION_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("shard", pa.string()),
        ("track", pa.string()),
        ("language", pa.string()),
        ("image_ids", pa.list_(pa.int64())),
        ("images", pa.list_(pa.string())),  # sa_000017/sa_190188.jpg
        ("widths", pa.list_(pa.int32())),
        ("heights", pa.list_(pa.int32())),
        # Both signed readings of 64 bits, null where an image of the sample cannot be decoded.
        ("image_xxh3s", pa.list_(pa.int64())),  # xxh3-64 of each JPEG
        ("image_dhashes", pa.list_(pa.int64())),  # what it looks like (`perceptual_hash`)
        ("caption", pa.string()),  # empty unless status is ok or truncated
        ("status", pa.string()),  # CaptionStatus
        ("error_code", pa.string()),
        ("error", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("latency_ms", pa.int32()),
        ("attempt", pa.int32()),  # 1 for the first
        ("engine", pa.string()),
        ("model", pa.string()),
        ("model_revision", pa.string()),
        ("recipe_fingerprint", pa.string()),
        ("captioned_at", pa.timestamp("ms", tz="UTC")),
    ]
)
"""One row per planned sample, in plan order. A failure is a row, not a gap."""

CURATED_SCHEMA = CAPTION_SCHEMA.append(pa.field("reasons", pa.list_(pa.string())))
"""Accepted rows have no reasons; rejected rows have at least one."""

ANSWER_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("text_xxh3", pa.string()),  # marks.text_digest of the caption
        ("caption_chars", pa.int32()),
        ("sentence", pa.int32()),  # its place among the caption's sentences, 0 the first
        ("sentences", pa.int32()),  # of the caption
        ("start", pa.int32()),  # its first character in the caption, and the one behind its last
        ("end", pa.int32()),
        ("text", pa.string()),
        ("answer", pa.string()),  # audit.judge.Answer
        # Natural logarithms of the answers' probabilities; null where the engine does not tell.
        ("yes_logprob", pa.float32()),
        ("no_logprob", pa.float32()),
        ("cannot_tell_logprob", pa.float32()),
        (
            "said",
            pa.string(),
        ),  # of an answer that is none of the three, the beginning; or the error
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("cached_tokens", pa.int32()),
    ]
)
"""One row per sentence of a drawn caption: captions by rank, their sentences in their order."""

SIGNATURE_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("shard_number", pa.int32()),
        ("image_ids", pa.list_(pa.int64())),
        ("text_xxh3", pa.binary(16)),  # xxh3-128 of the normalised caption, big-endian
        ("signature_version", pa.string()),  # of `bands`: two versions never compare
        ("bands", pa.binary(160)),  # MinHash band hashes, 20 little-endian uint64
    ]
)
"""One row per accepted caption, in plan order."""

TEXT_FEATURES = pa.schema(
    [
        ("caption_chars", pa.int32()),
        ("units", pa.int32()),  # words; a character of a script without spaces is one by itself
        ("letters", pa.int32()),
        ("han_share", pa.float32()),  # of the letters outside quotation marks and brackets
        ("foreign_share", pa.float32()),  # of the letters: neither Latin nor Han
        ("stray_han", pa.int32()),  # Han letters in neither quotation marks nor brackets
        ("stray_foreign", pa.int32()),  # foreign letters in neither quotation marks nor brackets
        ("stopword_share", pa.float32()),  # of the words outside them: English function words
        ("other_stopword_share", pa.float32()),  # of those: function words of French, ...
        ("stray_stopwords", pa.int32()),  # English function words in neither of them
        ("line_breaks", pa.int32()),
        ("markdown_marks", pa.int32()),
        ("special_tokens", pa.int32()),  # markers of chat templates
        ("refusals", pa.int32()),  # phrases, quotations left out
        ("meta_talk", pa.int32()),  # phrases, an I that speaks, a question to the reader
        ("speculations", pa.int32()),  # phrases; measured only
        ("dup2", pa.float32()),  # share of runs of 2 units that occurred before
        ("dup10", pa.float32()),  # share of runs of 10 units that occurred before
        ("repeated_sentence_share", pa.float32()),  # of the sentences: said before, word for word
        ("echo_units", pa.int32()),  # most units in a row that repeat what stands right before
        ("stutters", pa.int32()),  # words said twice on the spot that never are; doubled commas
        ("character_run", pa.int32()),  # most equal characters in a row; see kernels.counts
        ("lost_characters", pa.int32()),  # replacement, control, private use, unseen, mojibake
        ("ends_sentence", pa.int32()),  # 1 when the last character can end one
        ("stray_words", pa.int32()),  # words in neither quotation marks nor brackets
        ("stray_english", pa.int32()),  # English words in lower case, names and signs apart
        ("foreign_words", pa.int32()),  # single ones of French, Spanish, ..., names apart
        ("foreign_sentences", pa.int32()),  # sentences and clauses of such languages
        ("latin_run", pa.int32()),  # most words of Latin letters in a row, lower case
        ("stray_traditional", pa.int32()),  # letters that Simplified Chinese writes otherwise
        ("wide_marks", pa.int32()),  # punctuation of Chinese
        ("repeated_clauses", pa.int32()),  # sentences and clauses said before, word for word
        ("local_repeats", pa.int32()),  # runs of 2 units said before, most among 40 in a row
        ("loop_units", pa.int32()),  # as echo_units, of phrases of 9 to 40 units
        ("repeated_run", pa.int32()),  # runs of 10 units said before, most in a row
    ]
)
"""What `quality.features` measures of a caption's text; all zero where there is none.

Curated by older rules, a file lacks the latest of them."""

FEATURE_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("language", pa.string()),
        ("status", pa.string()),  # CaptionStatus
        ("rejected", pa.int32()),  # 1 when the row is in rejected.parquet, 0 in accepted.parquet
        ("reasons", pa.int32()),  # how many
        ("of_recipe_model", pa.int32()),  # 1 when the recipe's model wrote it
        *TEXT_FEATURES,
    ]
)
"""One row per curated sample, accepted ones first: numbers about captions, never their text."""

DUPLICATE_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),  # the caption to leave out
        ("shard_number", pa.int32()),
        ("winner", pa.string()),  # sample_id of the caption that stays, the lowest of its cluster
        ("kind", pa.string()),  # exact or near
        ("jaccard", pa.float64()),  # of loser and winner; others between them can make it low
    ]
)
"""One row per caption that another one makes redundant, ordered by sample."""

SHARD_DUPLICATE_SCHEMA = pa.schema(
    [*SIGNATURE_SCHEMA, *(DUPLICATE_SCHEMA.field(name) for name in ("winner", "kind", "jaccard"))]
)
"""One row per caption that another one of its own shard makes redundant, ordered by sample.

Their signatures stay, for a caption that is left out still joins others into one cluster.
"""


IMAGE_HASH_SCHEMA = pa.schema(
    [
        ("shard_number", pa.int32()),
        ("image_id", pa.int64()),
        ("jpeg_xxh3", pa.int64()),  # as in captions
        ("dhash", pa.int64()),
    ]
)
"""One row per image of a shard that could be decoded."""

REPEAT_SCHEMA = pa.schema(
    [
        ("group", pa.int64()),  # images of a group are the same
        ("kind", pa.string()),  # same_bytes or same_look
        ("shard", pa.string()),
        ("image_id", pa.int64()),
    ]
)
"""One row per image that is there under several ids, ordered by group."""

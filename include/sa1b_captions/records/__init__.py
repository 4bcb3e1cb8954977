"""Parquet tables that one stage hands to another: their columns, and how they are stored."""

from sa1b_captions.records.schemas import (
    ANSWER_SCHEMA,
    CAPTION_SCHEMA,
    CURATED_SCHEMA,
    DUPLICATE_SCHEMA,
    FEATURE_SCHEMA,
    IMAGE_HASH_SCHEMA,
    INDEX_SCHEMA,
    REPEAT_SCHEMA,
    SHARD_DUPLICATE_SCHEMA,
    SIGNATURE_SCHEMA,
    TEXT_FEATURES,
    CaptionStatus,
)
from sa1b_captions.records.stored_tables import (
    OTHER_BYTES,
    content_digest,
    parse_table,
    proves_itself,
    read_table,
    with_proof,
    write_table,
)

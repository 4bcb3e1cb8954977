"""Receipts: the small JSON written last, which makes a stage's output exist.

Here is what each stage's receipt says; `receipt_files` says where it lies, reads and writes it.
"""

from sa1b_captions.receipts.caption_receipts import (
    ENOUGH_OCCUPANCY,
    BegunNote,
    CaptionReceipt,
    Occupancy,
    Pace,
)
from sa1b_captions.receipts.receipt import Receipt
from sa1b_captions.receipts.stage_receipts import (
    Alike,
    AuditReceipt,
    AuditTokens,
    CurateReceipt,
    DedupReceipt,
    IngestReceipt,
    JudgedBy,
)
from sa1b_captions.receipts.validation_receipts import (
    CurateCounts,
    ReleaseValidation,
    RunSummary,
    ShardSummary,
    ShardValidation,
)

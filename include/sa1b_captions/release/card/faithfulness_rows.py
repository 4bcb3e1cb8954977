"""What a card says of an audit: the table's rows, and shares in words."""

from sa1b_captions.receipts.faithfulness import AuditFindings, Faithfulness, Share


def faithfulness_rows(audit: AuditFindings) -> dict[str, list[str]]:
    """Rows of the card's table: a share for each audited track, and for all of them."""
    columns = [*audit.tracks.values(), *([audit.everything] if audit.everything else [])]
    return {
        "captions asked about": [f"{one.captions:,}" for one in columns],
        "sentences": [f"{one.refused.of:,}" for one in columns],
        "**sentences not supported, corrected**": [_corrected(one) for one in columns],
        "sentences that the judge does not find": [in_words(one.refused) for one in columns],
        "captions with such a sentence": [in_words(one.captions_refused) for one in columns],
        "sentences that it cannot tell of": [f"{one.unsure.value:.1%}" for one in columns],
        "of what it refuses, people do not support": [
            in_words(one.quality.precision) if one.quality else "–" for one in columns
        ],
        "of what people do not support, it refuses": [
            in_words(one.quality.recall) if one.quality else "–" for one in columns
        ],
    }


def _corrected(one: Faithfulness) -> str:
    return f"**{in_words(one.corrected)}**" if one.corrected else "uncalibrated"


def in_words(share: Share) -> str:
    """`4.2% (3.1% to 5.6%)`: a share with its 95 % interval."""
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"

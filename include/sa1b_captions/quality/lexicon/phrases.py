"""Phrases that give a caption away: refusals, talk about the task instead of the image, guesses.

Quotations are left out: a sign in the image may well say "Sorry, we're closed".
"""

import polars as pl

from sa1b_captions.quality.lexicon import announcements, invitations, meta_talk, refusals

SPECULATIONS = (
    "might be",
    "may be",
    "could be",
    "possibly",
    "perhaps",
    "probably",
    "likely",
    "presumably",
    "seems to",
    "appears to be",
    "it is unclear",
    "suggesting",
    "可能",
    "似乎",
    "大概",
    "或许",
    "也许",
    "好像",
    "看起来像",
    "推测",
)
"""Wording that guesses; "The image suggests" is how the model writes, so it is only counted."""


def suspects(captions: pl.Series, han: pl.Series) -> pl.Series:
    """Ascending rows that may have a refusal or meta talk, quotations not yet looked at.

    Args:
        captions: texts.
        han: which of them have Han letters; the others need no Chinese phrases.
    """
    rows = pl.DataFrame({"caption": captions, "han": han}).with_row_index("row")
    text = pl.col("caption")
    parts = (
        rows.filter(pl.any_horizontal(text.str.contains(some) for some in _ENGLISH)),
        rows.filter("han").filter(pl.any_horizontal(text.str.contains(some) for some in _CHINESE)),
        rows.filter(text.str.contains("我", literal=True)).filter(
            text.str.contains(meta_talk.FIRST_PERSON_HAN)
        ),
    )
    return pl.concat([part["row"] for part in parts]).unique().sort()


def find(captions: pl.Series) -> pl.DataFrame:
    """Refusals and meta talk per caption; its quotations are taken out."""
    text = pl.col("caption")
    found = captions.to_frame("caption").select(
        refusals=_count(text, _REFUSALS) + _count(text.str.replace_all(_HIDDEN, " "), _REASONS),
        meta_talk=_count(text.str.replace_all(_RHETORICAL, " "), _META_TALK),
        first_person=_count(
            text.str.replace_all(meta_talk.YOU_AND_ME, " "),
            f"{_SPOKEN}|{meta_talk.FIRST_PERSON_HAN}",
        ),
    )
    # A refusal speaks in the first person by itself.
    spoken = pl.when(pl.col("refusals") == 0).then(pl.col("first_person")).otherwise(0)
    return found.select("refusals", meta_talk=pl.col("meta_talk") + spoken)


def count_speculations(text: pl.Expr) -> pl.Expr:
    """How often a caption guesses; a phrase may begin with a capital letter."""
    # Plain literals: the case of every letter would cost 1.5 µs a caption (measured).
    both = dict.fromkeys(form for one in SPECULATIONS for form in (one, one.capitalize()))
    return _count(text, "|".join(both))


def _count(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.count_matches(pattern).cast(pl.Int32)


def _any(*phrases: str) -> str:
    # Word boundaries of ASCII: Unicode's make the expression 300 times as slow (measured), and
    # between Han and Latin letters they see none.
    return "(?i)" + "|".join(f"(?:{phrase})" for phrase in phrases).replace(r"\b", r"(?-u:\b)")


_SPOKEN = "|".join(meta_talk.FIRST_PERSON)
_SELF_ENGLISH = (*meta_talk.ENGLISH, *meta_talk.LABELS)
_SELF_CHINESE = (*meta_talk.CHINESE, *meta_talk.LABELS_CHINESE)
_TALK_ENGLISH = (*_SELF_ENGLISH, *announcements.ENGLISH, *invitations.ENGLISH)
_TALK_CHINESE = (*_SELF_CHINESE, *announcements.CHINESE, *invitations.CHINESE)
# Two expressions each: one alone outgrows the states that the regex engine keeps, and text of many
# words takes it 360 µs a caption instead of 80 (measured); a third costs other text more.
_ENGLISH = (
    _any(
        *(*refusals.ENGLISH, *refusals.REASONS_ENGLISH),
        *(*announcements.ENGLISH, *invitations.ENGLISH),
    ),
    _any(*_SELF_ENGLISH, f"(?-i:{_SPOKEN})"),
)
_CHINESE = (
    _any(
        *(*refusals.CHINESE, *refusals.REASONS_CHINESE),
        *(*announcements.CHINESE, *invitations.CHINESE),
    ),
    _any(*_SELF_CHINESE),
)
_REFUSALS = _any(*refusals.ENGLISH, *refusals.CHINESE)
_REASONS = _any(*refusals.REASONS_ENGLISH, *refusals.REASONS_CHINESE)
_HIDDEN = _any(*refusals.HIDDEN)
_META_TALK = _any(*_TALK_ENGLISH, *_TALK_CHINESE)
_RHETORICAL = _any(*meta_talk.RHETORICAL)

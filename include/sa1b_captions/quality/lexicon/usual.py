"""Words that are usual in larger languages, from the vocabularies of Snowball.

scripts/usual_words.py writes them and says which words it leaves out.
"""

from pathlib import Path

_PATH = Path(__file__).with_name("usual_words.txt")
_HEAD, _, _WORDS = _PATH.read_text(encoding="utf-8").partition("[english]")
_ENGLISH, _, _REST = _WORDS.partition("[abroad]")
_ABROAD, _, _GERMAN = _REST.partition("[german]")

ENGLISH = frozenset(_ENGLISH.split())
"""English words, in lower case, that are no borrowed ones in Chinese."""

ABROAD = frozenset(_ABROAD.split())
"""Words of other languages that English does not use, in lower case."""

GERMAN = frozenset(_GERMAN.split())
"""Those of German, where nouns have a capital letter."""

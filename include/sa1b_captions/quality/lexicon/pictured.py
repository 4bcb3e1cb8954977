"""Words for what pictures show, from Unicode's names of emoji.

scripts/pictured_words.py writes them and says which words it leaves out.
"""

import tomllib
from pathlib import Path

_PATH = Path(__file__).with_name("pictured_words.toml")
_WORDS = tomllib.loads(_PATH.read_text(encoding="utf-8"))

ENGLISH = frozenset(_WORDS["english"].split())
"""English words, in lower case, that are no borrowed ones in Chinese."""

ABROAD = frozenset(_WORDS["abroad"].split())
"""Words of other languages that English does not use, in lower case."""

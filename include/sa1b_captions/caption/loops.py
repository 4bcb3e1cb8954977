"""Captions that go round in circles although the model ended them by itself.

The worker asks right after each reply, while another try still costs little. The rule
`ngram_repetition` measures the same share, but over a column of many captions and with limits of
the recipe's quality section, which may change afterwards without captioning anything again. So
captioning has limits of its own: a changed rule must not change what the model is asked.
"""

import re

RUN = 10
"""Units of a run. Ten in a row come twice in hardly any honest caption, and in every loop."""
LIMITS = {"en": 0.15, "zh": 0.20}
"""Share of runs that repeat an earlier one above which a caption is a loop. Measured: honest
captions reach .017 and .079, loops begin at .341 and .273."""

_UNIT = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
"""A word, or one Chinese character."""


def repeated_share(caption: str) -> float:
    """Share of the caption's runs of RUN units that came before, 0 for a shorter caption."""
    units = _UNIT.findall(caption.lower())
    runs = len(units) - RUN + 1
    if runs < 1:
        return 0.0
    return 1 - len({tuple(units[start : start + RUN]) for start in range(runs)}) / runs


def is_loop(caption: str, language: str) -> bool:
    """Whether a caption repeats itself too much to be one."""
    return repeated_share(caption) > LIMITS[language]

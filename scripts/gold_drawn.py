"""The part of docs/gold.md on false alarms: what sets of this size can prove."""

from sa1b_captions.chance import wilson
from scripts.gold_tables import NAMES
from tests.gold.captions import LANGUAGES, load_gold
from tests.gold.drawn import CAPTIONS, drawn, forms
from tests.gold.scores import judge, totals

GOAL = 0.001
"""Of the fit captions, how many may be rejected."""

TEXT = """
## What can be proven of false alarms

At most 0.1 % of fit captions should be rejected. If none of some fit captions is, Wilson's interval
ends at 0.1 % once there are {enough:,} of them (3,000 by the simpler rule of three, which looks at
one side only). The {by_hand} fit ones by hand could prove no better than {hand_end}, and
{hand_rejected} of them are rejected, so they prove less. Hence a second set. By seed, sentence
forms are filled with words and put together; two to four of each caption's sentences are hard ones
(quoted signs in a dozen languages, brands, units, prices, addresses, borrowed words, parallel
lists, 熙熙攘攘).

| drawn fit captions | sentence forms | captions | rejected | interval (95 %) |
|---|--:|--:|--:|--:|
{rows}

This proves the bound for captions of those forms, and no more. Their author knew the rules, though
none was rejected when they were first drawn, and no rule was changed for them. A wording that no
form has was not tried once. For a model's real captions only they themselves can tell: look at what
the first shards reject, where more than four wrong ones in 4,000 captions are too many. Marks in
the console count them, and `make gold FILE=…` scores captions that you labelled.
"""


def drawn_part() -> str:
    """What the drawn captions prove, and what the ones by hand do."""
    rows = []
    for language in LANGUAGES:
        rejected = totals(judge(drawn(language))).fit_rejected
        low, high = wilson(rejected, CAPTIONS)
        rows.append(
            f"| {NAMES[language]} | {forms(language)} | {CAPTIONS:,} | {rejected} "
            f"| {low:.3%}–{high:.3%} |"
        )
    by_hand = totals(judge(row for language in LANGUAGES for row in load_gold(language)))
    return TEXT.format(
        enough=next(count for count in range(1000, 10_000) if wilson(0, count)[1] <= GOAL),
        by_hand=by_hand.fit,
        hand_end=f"{wilson(0, by_hand.fit)[1]:.1%}".replace("%", " %"),
        hand_rejected=by_hand.fit_rejected,
        rows="\n".join(rows).replace("%", " %"),
    )

"""People's marks as labels of captions, in the form that `make gold FILE=` reads."""

import json
from collections.abc import Iterator

from sa1b_captions.campaign import Campaign
from sa1b_captions.mark_logs import read_marks
from sa1b_captions.marks import CaptionMark, Judgement, last_of_each, text_digest
from sa1b_captions.quality.browse.catalogue import Catalogue
from sa1b_captions.quality.reviews import gold_label


def gold_lines(campaign: Campaign, catalogue: Catalogue) -> Iterator[str]:
    """Labels, one line of JSON a caption; of a caption that is another one by now, none.

    Raises PermanentError: a log of marks is damaged.
    """
    last: dict[str, CaptionMark] = {}
    for mark in last_of_each(read_marks(campaign.store, campaign.name, CaptionMark)):
        if mark.judgement != Judgement.WITHDRAWN:
            last[mark.sample_id] = mark
    for sample, mark in sorted(last.items()):
        label, hit = gold_label(mark), catalogue.find(sample)
        if label is None or hit is None:
            continue
        (row,) = catalogue.rows([hit])
        text = row["caption"] or ""
        if text and text_digest(text) == mark.text_xxh3:
            language = campaign.recipe.tracks[sample.split("/")[0]].language
            yield json.dumps(
                {"id": sample, "language": language, "text": text, "expected": label},
                ensure_ascii=False,
            )

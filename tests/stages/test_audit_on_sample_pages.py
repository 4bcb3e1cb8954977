"""The console marks what the audit's judge refused, in the text that was judged."""

from sa1b_captions.campaign import Campaign
from sa1b_captions.marks import text_digest
from sa1b_captions.quality.browse.catalogue import Catalogue
from sa1b_captions.stages.auditing.audit import audit_shards
from sa1b_console.cards import CardMaker
from sa1b_console.gallery_pages import refused_sentences
from tests.support import builders
from tests.support.audited import SHARD, audited_recipe_campaign, judge
from tests.support.planted_falsehoods import plant


def test_a_samples_card_marks_the_refused_sentences(tmp_path):
    world = plant(10, 0.0)
    campaign = audited_recipe_campaign(tmp_path, world)
    image_id, text = next(one for one in world.captions.items() if "kettle" in one[1])
    name = f"single_en/{SHARD}/{image_id}"
    assert refused_sentences(campaign, name) == {}, "before an audit"
    audit_shards(campaign, [SHARD], judge("kettle"), tracks=["single_en"])

    found = refused_sentences(campaign, name)
    assert list(found) == [text_digest(text)]
    assert all("kettle" in text[start:end] for start, end in found[text_digest(text)])
    catalogue = Catalogue(campaign)
    maker = CardMaker(campaign, catalogue, refused=found)
    (card,) = maker.cards([catalogue.find(name)], {})
    marked = [piece for piece, kind in card.caption.passages if kind == "refused"]
    assert marked == [text[start:end] for start, end in found[text_digest(text)]]

    without = builders.demo_recipe(shards="0-0")
    assert refused_sentences(Campaign(campaign.store, campaign.name, without), name) == {}

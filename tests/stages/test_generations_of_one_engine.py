"""A shard's captions are of one engine and one archive, whoever goes on with them."""

import json

import pytest

from sa1b_captions.caption.engines.openai.engine import UNREPORTED
from sa1b_captions.errors import PermanentError
from sa1b_captions.receipts.receipt_files import (
    caption_place,
    digest,
    ingest_place,
    read_receipt,
)
from sa1b_captions.recipe import TRACKS
from tests.support.engines import ScriptedEngine
from tests.support.generations import (
    IMAGES,
    SHARD,
    TRACK,
    OtherEngine,
    begin,
    campaign_at,
    caption,
    everything,
    put_archive,
    receipt,
    saying,
    set_content,
    words,
)


@pytest.fixture
def campaign(tmp_path):
    return campaign_at(tmp_path)


class OtherModel(ScriptedEngine):
    model = "larger"


class OtherRevision(ScriptedEngine):
    model_revision = "2"


class UnnamedRevision(ScriptedEngine):
    model_revision = UNREPORTED


@pytest.mark.parametrize("other", [OtherEngine, OtherModel, OtherRevision])
def test_a_shard_begun_with_one_engine_is_not_gone_on_with_by_another(campaign, other):
    begin(campaign)
    before, engine = everything(campaign), other()
    with pytest.raises(PermanentError, match=r"single_en was begun with scripted \(preview, revi"):
        caption(campaign, engine)
    assert engine.asked == []
    assert everything(campaign) == before
    caption(campaign, engine, force=True)
    assert len(engine.asked) == IMAGES
    assert receipt(campaign).engine == engine.name


def test_the_tracks_of_a_shard_have_one_engine(campaign):
    caption(campaign, ScriptedEngine())
    with pytest.raises(PermanentError, match="cannot go on with other"):
        caption(campaign, OtherEngine(), tracks=TRACKS)


def test_a_revision_that_nobody_named_may_be_gone_on_with(campaign):
    begin(campaign)
    caption(campaign, UnnamedRevision())
    found = receipt(campaign)
    assert (found.engine, found.model_revision) == (None, None)


def test_a_receipt_names_its_engine_and_its_archive(campaign):
    caption(campaign, ScriptedEngine())
    found = receipt(campaign)
    assert (found.engine, found.model, found.model_revision) == ("scripted", "preview", "1")
    assert found.input == digest(read_receipt(campaign.store, ingest_place(SHARD)))


def test_captions_of_other_images_are_stale_until_they_are_made_again(campaign):
    set_content(campaign, "a" * 16)
    caption(campaign, saying("old"))
    set_content(campaign, "a" * 16)  # the same bytes ingested again
    assert caption(campaign, saying("old"))["captioned"] == 0
    set_content(campaign, "b" * 16)
    with pytest.raises(PermanentError, match=r"captions of single_en are stale: .* --force"):
        caption(campaign, saying("new"))
    assert words(campaign) == {"old"}
    caption(campaign, saying("new"), force=True)
    assert receipt(campaign).content == "b" * 16
    assert caption(campaign, saying("new"))["captioned"] == 0


def forget_images(campaign):
    """Make the receipt one of version 0.1.0, which does not name the images."""
    place = caption_place(campaign.name, TRACK, SHARD)
    content = json.loads(campaign.store.read(place.key))
    new = ("content", "engine", "model", "model_revision", "generation", "previous", "format")
    new = (*new, "checksum")
    for name in new:
        del content[name]
    campaign.store.write(place.key, json.dumps(content).encode())


@pytest.mark.parametrize(("first_seed", "stale"), [(1, False), (50, True)])
def test_captions_of_0_1_0_are_told_from_those_of_other_images_by_their_rows(
    campaign, first_seed, stale
):
    caption(campaign, saying("old"))
    forget_images(campaign)
    put_archive(campaign.store, first_seed)
    if stale:
        with pytest.raises(PermanentError, match="stale"):
            caption(campaign, saying("new"))
    else:
        assert caption(campaign, saying("new"))["captioned"] == 0


def test_blocks_of_other_images_under_the_same_ids_are_captioned_again(campaign):
    begin(campaign)
    put_archive(campaign.store, first_seed=50)
    engine = saying("new")
    caption(campaign, engine)
    assert len(engine.asked) == IMAGES
    assert words(campaign) == {"new"}

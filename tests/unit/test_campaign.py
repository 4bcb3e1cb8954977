"""A stored recipe that cannot be read is one sentence, whoever opens the campaign."""

import json

import pytest

from sa1b_captions import layout
from sa1b_captions.campaign import look_at_campaign, open_campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.storage import FileStore
from tests.support import builders


@pytest.mark.parametrize(
    "content",
    [b"", b'{"name": "te', b"\xff\xfe", b"[" * 100_000, b"[]", b"null", b'{"name": 3}'],
    ids=["empty", "cut", "no text", "deep", "list", "null", "other fields"],
)
@pytest.mark.parametrize("given", [True, False], ids=["with a recipe", "as a pod does"])
def test_a_damaged_recipe_is_named_with_what_to_do(tmp_path, content, given):
    store = FileStore(tmp_path)
    key = layout.recipe_key("test")
    store.write(key, content)
    with pytest.raises(PermanentError) as caught:
        open_campaign(store, "test", builders.demo_recipe() if given else None)
    assert store.locate(key) in str(caught.value)
    assert store.read(key) == content


def test_a_recipe_stored_without_a_checksum_is_read_and_has_one_once_it_is_opened_to_work(tmp_path):
    store, recipe = FileStore(tmp_path), builders.demo_recipe()
    key = layout.recipe_key("test")
    plain = json.dumps(recipe.source).encode()
    store.write(key, plain)
    assert open_campaign(store, "test").recipe == look_at_campaign(store, "test", recipe).recipe
    assert store.read(key) == plain
    assert open_campaign(store, "test", recipe).recipe.source == recipe.source
    stored = store.read(key)
    assert stored != plain
    assert open_campaign(store, "test").recipe.source == recipe.source
    store.write(key, stored.replace(b'"seed": 20240921', b'"seed": 20240920'))
    with pytest.raises(
        PermanentError, match=r"recipe\.json is no recipe \(its content is not what"
    ):
        open_campaign(store, "test", recipe)


def test_a_campaign_that_lost_its_recipe_goes_on_with_that_recipe_and_no_other(tmp_path):
    """Captions of two recipes would mix, without a word, in one shard."""
    store, recipe = FileStore(tmp_path), builders.demo_recipe()
    campaign = builders.demo_campaign(store, recipe)
    key = layout.recipe_key("test")
    stored = store.read(key)
    rows = builders.caption_rows(recipe, "single_en", "sa_000000", ["A red kettle."])
    builders.put_captions(campaign, "sa_000000", "single_en", rows)
    store.delete(key)
    with pytest.raises(PermanentError, match="test has begun, but .*recipe.json is gone"):
        look_at_campaign(store, "test", recipe)
    other = builders.demo_recipe(seed=1)
    with pytest.raises(PermanentError, match=f"lost its recipe, {recipe.fingerprint}, and cannot"):
        open_campaign(store, "test", other)
    assert not store.exists(key)
    open_campaign(store, "test", recipe)
    assert store.read(key) == stored

"""A campaign: one recipe applied to the shards of a store."""

import hashlib
import json
from dataclasses import dataclass

from sa1b_captions import checked_json, layout
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.receipts import JudgedBy
from sa1b_captions.recipe import TRACKS, Recipe, parse_recipe
from sa1b_captions.recipe.model_lock import ModelLock, difference, parse_lock, render_lock
from sa1b_captions.storage import Store

CURATION_VERSION = 3
"""Raise it when code, not a setting, makes curate decide otherwise or store other numbers."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A recipe bound to a name in a store, where `layout` says what lies under which key."""

    name: str
    store: Store
    recipe: Recipe
    reference_digest: str | None = None
    """Of the reference that `sa1b-captions calibrate --pin` wrote; None before it did."""
    tracks: tuple[str, ...] = TRACKS
    """Tracks of the release at hand."""
    missing: tuple[str, ...] = ()
    """Shards that a partial release leaves out; the recipe here names the others."""

    @property
    def quality_fingerprint(self) -> str:
        """16 hexadecimal digits over all that decides how captions are curated and judged."""
        judged_by = [self.recipe.quality_fingerprint, self.reference_digest, CURATION_VERSION]
        return hashlib.sha256(json.dumps(judged_by).encode()).hexdigest()[:16]

    @property
    def judged_by(self) -> JudgedBy:
        """What `quality_fingerprint` is over."""
        return JudgedBy(self.recipe.quality_fingerprint, self.reference_digest, CURATION_VERSION)


def open_campaign(
    store: Store, name: str, recipe: Recipe | None = None, lock: ModelLock | None = None
) -> Campaign:
    """Bind a campaign to its recipe.

    The first call with a recipe stores it. Afterwards the stored one rules: a recipe with another
    fingerprint is refused, and one that differs only in quality, title or shard list replaces it.

    Args:
        name: its folder under `campaigns/`.
        recipe: what the caller wants to use; None takes the stored one (as a pod does).
        lock: of the recipe's model, which is stored as `lock_model` says.

    Raises PermanentError: no recipe stored and none given, the fingerprints differ, or what is
    stored is no recipe; or as `lock_model` says.
    """
    key = layout.recipe_key(name)
    stored, checked = _stored_recipe(store, key)
    if recipe is None:
        if stored is None:
            raise PermanentError(
                f"campaign {name!r} has no recipe at {store.locate(key)}; set CAPTIONS_RECIPE"
            )
        return Campaign(name, store, stored, _reference_digest(store, name))
    if stored is not None:
        _require_same(name, stored, recipe)
    else:
        _require_no_others(store, name, recipe)
    if lock is not None:  # before the recipe, so that no pod begins without it
        lock_model(Campaign(name, store, recipe), lock)
    if stored is None or not checked or stored.source != recipe.source:
        store.write(key, checked_json.render(recipe.source))
    return Campaign(name, store, recipe, _reference_digest(store, name))


def look_at_campaign(store: Store, name: str, recipe: Recipe) -> Campaign:
    """Bind a campaign that has started to a recipe, and write nothing.

    Raises PermanentError: it has not started here, or as `open_campaign` raises.
    """
    stored, _ = _stored_recipe(store, layout.recipe_key(name))
    if stored is None and next(iter(store.list(layout.campaign_prefix(name))), None):
        raise PermanentError(
            f"campaign {name} has begun, but {store.locate(layout.recipe_key(name))} is gone; "
            "restore it, or run the next stage, which writes the deployment's recipe there"
        )
    if stored is None:
        raise PermanentError(
            f"campaign {name} has not started: nothing of it lies in {store.url}; check "
            "CAPTIONS_ROOT and CAPTIONS_CAMPAIGN, or run caption_shards"
        )
    _require_same(name, stored, recipe)
    return Campaign(name, store, recipe, _reference_digest(store, name))


def lock_model(campaign: Campaign, lock: ModelLock) -> None:
    """Store the lock of a campaign's model, unless the same is stored; then engines go by it.

    Raises PermanentError: it is of another model or revision than the recipe's, or the campaign is
    locked to other files.
    """
    model = campaign.recipe.model
    if lock.model != model.id or (model.pinned and lock.revision != model.revision):
        raise PermanentError(
            f"the lock is of {lock.model}, revision {lock.revision}, and the recipe asks for "
            f"{model.id}, revision {model.revision}; lock that one"
        )
    key = layout.lock_key(campaign.name)
    stored = read_lock(campaign.store, campaign.name)
    if stored is None:
        campaign.store.write(key, render_lock(lock))
    elif told := difference(stored.files, lock.files):
        raise PermanentError(
            f"campaign {campaign.name!r} is locked to other files of {stored.model}: {told}; "
            "captions of two models never mix: set CAPTIONS_CAMPAIGN to a new name, or delete "
            f"{campaign.store.locate(key)} if that lock was a mistake"
        )


def read_lock(store: Store, name: str) -> ModelLock | None:
    """The lock of a campaign's model, or None where nobody locked it.

    Raises PermanentError: what is stored is no lock.
    """
    key = layout.lock_key(name)
    try:
        return parse_lock(store.read(key), store.locate(key))
    except MissingKeyError:
        return None


def _require_same(name: str, stored: Recipe, recipe: Recipe) -> None:
    if stored.fingerprint != recipe.fingerprint:
        raise PermanentError(
            f"campaign {name!r} was started with recipe {stored.name} ({stored.fingerprint}), "
            f"not {recipe.name} ({recipe.fingerprint}); captions of two recipes never mix: "
            "set CAPTIONS_CAMPAIGN to a new name"
        )


def _require_no_others(store: Store, name: str, recipe: Recipe) -> None:
    """Refuse to begin a campaign that has captions of another recipe: its own was lost."""
    for key in store.list(layout.all_captions_prefix(name)):
        if not key.endswith("/receipt.json"):
            continue
        try:
            found = checked_json.parse(store.read(key)).get("recipe_fingerprint")
        except (MissingKeyError, ValueError):
            continue
        if found != recipe.fingerprint:
            raise PermanentError(
                f"campaign {name!r} has lost its recipe, {found}, and cannot go on with "
                f"{recipe.name} ({recipe.fingerprint}); captions of two recipes never mix: set "
                f"CAPTIONS_RECIPE to the one it was started with, or restore "
                f"{store.locate(layout.recipe_key(name))}"
            )
        return


def _stored_recipe(store: Store, key: str) -> tuple[Recipe | None, bool]:
    """The recipe of a campaign, and whether a checksum shows that it is what was stored."""
    try:
        content = checked_json.parse(store.read(key))
    except MissingKeyError:
        return None, False
    except ValueError as error:
        raise PermanentError(
            f"{store.locate(key)} is no recipe ({error}); restore it, or delete it and run the "
            "stage again with CAPTIONS_RECIPE naming the recipe that the campaign was started with"
        ) from None
    checked = content.pop(checked_json.CHECKSUM, None) is not None
    return parse_recipe(content, where=store.locate(key), stored=True), checked


def _reference_digest(store: Store, name: str) -> str | None:
    key = layout.reference_key(name)
    try:
        content = checked_json.parse(store.read(key))
        if "digest" not in content:
            raise ValueError("it lacks digest")
        return str(content["digest"])
    except MissingKeyError:
        return None
    except ValueError as error:
        raise PermanentError(
            f"{store.locate(key)} is no reference ({error}); restore it, or delete it, curate "
            "again, and pin one with sa1b-captions calibrate --pin"
        ) from None

"""Which engine judges sentences, and what of recipe and settings it sees."""

from dataclasses import replace

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import Model, Recipe
from sa1b_captions.recipe.sections import Audit
from sa1b_captions.settings import Settings


def judge_recipe(recipe: Recipe) -> Recipe:
    """The recipe as the judge's engine sees it: with the judge's model, where that is another.

    Raises PermanentError: it has no `[audit]` section.
    """
    audit = require_audit(recipe)
    if not audit.model:
        return recipe
    model = Model(audit.model, audit.revision, audit.system_prompt, recipe.model.template)
    return replace(recipe, model=model)


def judge_settings(settings: Settings) -> Settings:
    """The settings as the judge's engine sees them. Its servers never get another one's key."""
    if settings.judge_urls is None:
        return settings
    return replace(settings, openai_urls=settings.judge_urls, openai_api_key=settings.judge_api_key)


def judge_engine(settings: Settings, chosen: str | None = None) -> str:
    """Name of the engine that judges. Raises PermanentError if it is one that cannot."""
    name = chosen or settings.judge_engine or settings.engine
    if name == "preview":
        raise PermanentError(
            "the preview engine cannot judge sentences, for it reads none; set "
            "CAPTIONS_JUDGE_ENGINE to openai or lmdeploy"
        )
    return name


def require_audit(recipe: Recipe) -> Audit:
    """The recipe's audit. Raises PermanentError if it has none."""
    if recipe.audit is None:
        raise PermanentError(
            f"recipe {recipe.name} asks for no audit; add a section [audit] to its file, as "
            "docs/audit.md says"
        )
    return recipe.audit

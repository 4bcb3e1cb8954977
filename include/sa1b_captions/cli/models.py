"""Commands that fetch a recipe's model, lock it and check it, and write a recipe for another."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sa1b_captions import layout
from sa1b_captions.campaign import lock_model, read_lock
from sa1b_captions.cli.common import (
    app,
    ends_in_words,
    lock_beside_recipe,
    log,
    open_deployment,
    print_result,
    read_file,
    write_file,
)
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import Model, Recipe, load_recipe
from sa1b_captions.recipe.model_lock import ModelLock, parse_lock, render_lock
from sa1b_captions.settings import load_settings
from sa1b_captions.storage import open_store

models = typer.Typer(help="Fetch the recipe's model, lock it, check it.", no_args_is_help=True)
app.add_typer(models, name="model")

RecipeName = Annotated[
    str | None, typer.Option("--recipe", help="Recipe; by default CAPTIONS_RECIPE.")
]


@models.callback()
def _group() -> None:
    """A lock names every file of a model by its SHA-256; pods refuse a model that differs."""


@models.command()
@ends_in_words
def lock(
    path: Annotated[
        str | None,
        typer.Argument(help="The model's folder; without it the hub's own list is taken."),
    ] = None,
    recipe: RecipeName = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write in place of the campaign's lock, recipe.lock beside recipe.toml: "
            "it is stored when a campaign of that recipe begins. It must not exist."
        ),
    ] = None,
) -> None:
    """Lock the campaign to the files of its model as they are in a folder, or at the hub.

    Engines that load the model themselves then refuse any other files.
    """
    if out is not None:
        found = _lock(_recipe(recipe).model, path)
        write_file(out, render_lock(found).decode(), new=True)
        place = str(out)
    elif recipe is not None:
        raise PermanentError("--recipe goes with --out: the campaign has its recipe")
    else:
        _, store, campaign = open_deployment()
        found = _lock(campaign.recipe.model, path)
        lock_model(campaign, found)
        place = store.locate(layout.lock_key(campaign.name))
    log.info("locked to %s of revision %s", found.model, found.revision)
    print_result(_told("lock", found) | {"stored": place})


def _lock(model: Model, path: str | None) -> ModelLock:
    from sa1b_captions.stages.model_supply import lock_from_hub, lock_snapshot

    return lock_from_hub(model) if path is None else lock_snapshot(model, path)


@models.command()
@ends_in_words
def fetch(
    recipe: RecipeName = None,
    to: Annotated[
        Path | None, typer.Option(help="Folder of the hub's cache; by default that of HF_HOME.")
    ] = None,
    lock: Annotated[
        Path | None,
        typer.Option(help="Lock to fetch by; by default the one beside the recipe, if any."),
    ] = None,
) -> None:
    """Fetch the recipe's model by its commit, once, and compare every file with its lock.

    Without a lock the hub's own list of hashes is compared with. The lock then lies beside the
    model's folder, and a stamp that spares later starts the hashing.
    """
    from sa1b_captions.stages.model_supply import fetch_model

    chosen = _recipe(recipe)
    known = _read(lock) if lock else lock_beside_recipe(recipe or _configured())
    folder, found = fetch_model(chosen.model, known, to)
    log.info("set CAPTIONS_MODEL_PATH=%s", folder)
    print_result(_told("fetch", found) | {"folder": str(folder)})


@models.command()
@ends_in_words
def verify(
    path: Annotated[
        str | None, typer.Argument(help="The model's folder; by default CAPTIONS_MODEL_PATH.")
    ] = None,
    lock: Annotated[
        Path | None,
        typer.Option(
            help="Lock to compare with; by default the campaign's, or without a store the one that "
            "fetch left beside the folder."
        ),
    ] = None,
) -> None:
    """Hash every file of a model's folder again, compare with the lock, and leave a stamp."""
    from sa1b_captions.recipe.model_files import require_locked

    settings = load_settings(needs_store=False)
    if (chosen := path or settings.model_path) is None:
        raise PermanentError("name the model's folder, or set CAPTIONS_MODEL_PATH")
    folder = Path(chosen)
    found = _read(lock) if lock else _known_lock(folder)
    require_locked(folder, found, again=True)
    print_result(_told("verify", found) | {"folder": str(folder)})


def _known_lock(folder: Path) -> ModelLock:
    from sa1b_captions.recipe.model_files import lock_beside

    settings = load_settings(needs_store=False)
    if not settings.has_store:
        return _read(lock_beside(folder))
    found = read_lock(open_store(settings), settings.campaign)
    if found is None:
        raise PermanentError(
            f"campaign {settings.campaign} has no lock; run sa1b-captions model lock, or give one "
            "with --lock"
        )
    return found


def _recipe(name: str | None) -> Recipe:
    return load_recipe(name or _configured())


def _configured() -> str:
    return load_settings(needs_store=False).recipe


def _read(path: Path) -> ModelLock:
    return parse_lock(read_file(path, "the lock"), str(path))


def _told(stage: str, lock: ModelLock) -> dict[str, Any]:
    return {
        "stage": f"model {stage}",
        "model": lock.model,
        "revision": lock.revision,
        "files": len(lock.files),
        "bytes": lock.size_bytes,
        "lock": lock.digest,
    }


recipes = typer.Typer(help="Write recipes.", no_args_is_help=True)
app.add_typer(recipes, name="recipe")


@recipes.callback()
def _recipes() -> None:
    """Recipes say which model captions what, with which words and limits."""


@recipes.command()
@ends_in_words
def new(
    model: Annotated[str, typer.Option(help="Model, as the server's /v1/models lists it.")],
    base: Annotated[
        str, typer.Option("--from", help="Packaged recipe, or recipe file, to start from.")
    ] = "internvl",
    images: Annotated[
        str | None,
        typer.Option(
            help="What the images are, as in 'photographs of a garden'; SA-1B by default."
        ),
    ] = None,
    shards: Annotated[
        str | None, typer.Option(help="Shards that make the dataset, as in 0-3.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write; it must not exist.")] = Path(
        "recipe.toml"
    ),
) -> None:
    """Write a complete recipe for another model, with every choice explained.

    Any model that an OpenAI-compatible server offers will do.
    """
    from sa1b_captions.recipe.recipe_writing import new_recipe

    write_file(out, new_recipe(model, base, images=images, shards=shards), new=True)
    recipe = load_recipe(str(out))
    log.info("set CAPTIONS_RECIPE=%s, CAPTIONS_ENGINE=openai and CAPTIONS_OPENAI_URLS", out)
    print_result({"recipe": recipe.name, "file": str(out), "fingerprint": recipe.fingerprint})

"""The command that writes a recipe for another model."""

from pathlib import Path
from typing import Annotated

import typer

from sa1b_captions.cli.common import app, ends_in_words, log, print_result
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import load_recipe

recipes = typer.Typer(help="Write recipes.", no_args_is_help=True)
app.add_typer(recipes, name="recipe")


@recipes.callback()
def _group() -> None:
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

    text = new_recipe(model, base, images=images, shards=shards)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise PermanentError(f"{out} exists; name another file with --out") from None
    except OSError as error:
        raise PermanentError(f"{out} cannot be written: {error.strerror}") from None
    recipe = load_recipe(str(out))
    log.info("set CAPTIONS_RECIPE=%s, CAPTIONS_ENGINE=openai and CAPTIONS_OPENAI_URLS", out)
    print_result({"recipe": recipe.name, "file": str(out), "fingerprint": recipe.fingerprint})

"""A change of a limit as a patch of the recipe, for a person to apply."""

import difflib
import json
import re
import tomllib
from pathlib import Path

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.browse.limits.limit_changes import OFF, Change
from sa1b_captions.recipe import Recipe, load_recipe
from sa1b_captions.recipe.recipe_files import packaged_recipes


def propose(recipe: str, change: Change, languages: tuple[str, ...]) -> str:
    """Text that makes a change: a unified diff, or of a packaged recipe a file based on it.

    Args:
        recipe: name of a packaged recipe, or path of a recipe file.

    Raises PermanentError: the recipe is none, or the patched one would not be valid.
    """
    present = load_recipe(recipe)
    if change.language is not None:
        languages = (change.language,)
    if recipe in packaged_recipes():
        head = [
            f"# {recipe} with {change}. Save it, and set CAPTIONS_RECIPE to its path: captions",
            "# stay as they are, and the next curate and validate judge them anew.",
            f"base = {json.dumps(recipe)}",
        ]
        text = "\n".join(head) + "\n"
        for language in languages:
            text += f"\n[quality.language.{language}]\n{_line(present, change, language)}\n"
        return text
    path = Path(recipe)
    before = after = path.read_text(encoding="utf-8")
    for language in languages:
        after = _edited(after, language, change, _line(present, change, language))
    _require_sound(present, before, after, recipe, change, languages)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{path.name}",
        f"b/{path.name}",
    )
    return f"# In the recipe's folder: patch -p1 < this file\n{''.join(lines)}"


def _line(recipe: Recipe, change: Change, language: str) -> str:
    if language not in recipe.quality.languages:
        raise PermanentError(f"the recipe has no language {language!r}")
    changed = change.applied(recipe.quality.languages[language])
    value = list(changed.off) if change.name == OFF else getattr(changed, change.name)
    return f"{change.name} = {json.dumps(value)}"


def _edited(text: str, language: str, change: Change, line: str) -> str:
    """The text with the line in its language's table, in place of the one there."""
    header = re.search(rf"^\[\s*quality\.language\.{language}\s*\][^\n]*\n", text, re.MULTILINE)
    if header is None:
        end = "" if text.endswith("\n") else "\n"
        return f"{text}{end}\n[quality.language.{language}]\n{line}\n"
    following = re.search(r"^\[", text[header.end() :], re.MULTILINE)
    stop = header.end() + following.start() if following else len(text)
    table = text[header.end() : stop]
    value = r"\[[^\]]*\]" if change.name == OFF else r"[^\s#]+"
    edited, times = re.subn(
        rf"^{change.name}\s*=\s*{value}", lambda _: line, table, count=1, flags=re.MULTILINE
    )
    if not times:
        edited = f"{line}\n{table}"
    return text[: header.end()] + edited + text[stop:]


def _require_sound(
    present: Recipe,
    before: str,
    after: str,
    where: str,
    change: Change,
    languages: tuple[str, ...],
) -> None:
    """Refuse an edit that changes anything else: the file may be written in ways not foreseen."""
    wanted = tomllib.loads(before)
    for language in languages:
        changed = change.applied(present.quality.languages[language])
        value = list(changed.off) if change.name == OFF else getattr(changed, change.name)
        table = wanted
        for name in ("quality", "language", language):
            table = table.setdefault(name, {})
        table[change.name] = value
    try:
        found = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        found = {}
    if found != wanted:
        raise PermanentError(
            f"{where} cannot be edited by a program; write {change} into its table "
            "quality.language yourself"
        )

"""Recipe files: the packaged ones by name, and files that say only what differs from one of them.

`base = "internvl"` fills in whatever a file leaves out; `without = ["tracks.single_en.target"]`
takes keys of the base away.
"""

import copy
import tomllib
from pathlib import Path
from typing import Any

from sa1b_captions.errors import PermanentError

_PACKAGED = Path(__file__).with_name("packaged")


def packaged_recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(path.stem for path in _PACKAGED.glob("*.toml"))


def _path(name_or_path: str) -> Path:
    packaged = name_or_path in packaged_recipes()
    return _PACKAGED / f"{name_or_path}.toml" if packaged else Path(name_or_path)


def read_lock_file(name_or_path: str) -> tuple[Path, bytes] | None:
    """The lock of a recipe's model that lies beside the recipe, and its path; None without one.

    Raises PermanentError: it cannot be read.
    """
    path = _path(name_or_path).with_suffix(".lock")
    try:
        return path, path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}") from None


def read_recipe_file(name_or_path: str) -> dict[str, Any]:
    """The whole content of a packaged recipe or a recipe file, its base filled in.

    Raises PermanentError: there is no such file, it is no TOML, or it does not fit its base.
    """
    names = packaged_recipes()
    packaged = name_or_path in names
    path = _path(name_or_path)
    try:
        source = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise PermanentError(
            f"no recipe at {path}; CAPTIONS_RECIPE takes the path of a recipe file or a packaged "
            f"recipe: {', '.join(names)}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PermanentError(f"recipe {path} is not valid TOML: {error}") from None
    if "base" not in source:
        return source
    base = source.pop("base")
    if base not in names or (packaged and base == name_or_path):
        raise PermanentError(f"recipe {path}: base must be one of {', '.join(names)}, not {base!r}")
    try:
        return _joined(_without(read_recipe_file(base), source.pop("without", [])), source)
    except ValueError as error:
        raise PermanentError(f"recipe {path}: {error}") from None


def _without(base: dict[str, Any], keys: object) -> dict[str, Any]:
    """The base less some keys, each written with its tables: `tracks.single_en.target`."""
    rest = copy.deepcopy(base)
    if not isinstance(keys, list):
        raise ValueError(f"without is {keys!r}, expected a list")
    for key in keys:
        *tables, last = str(key).split(".")
        table: Any = rest
        for name in tables:
            table = table.get(name) if isinstance(table, dict) else None
        if not isinstance(table, dict) or last not in table:
            raise ValueError(f"without names {key!r}, which the base does not have")
        del table[last]
    return rest


def _joined(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Tables are joined key by key, and any other value takes the base's place."""
    return base | {
        key: _joined(base[key], value)
        if isinstance(value, dict) and isinstance(base.get(key), dict)
        else value
        for key, value in changes.items()
    }

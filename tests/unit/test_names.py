"""Names and sizes of modules, and names of the files that test them."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "include" / "sa1b_captions"
ENGINE_ROOMS = PACKAGE / "caption" / "engines"

FOLDERS = (
    "include",
    "plugins",
    "dags",
    "demo",
    "scripts",
    "tests/fuzz",
    "tests/chaos",
    "tests/support",
    "tests/gold",
    "tests/gpu",
    "tests/matrix",
    "tests/soak",
    "benchmarks",
)
PRODUCT = ("include", "plugins", "dags", "demo")
TOPICS = {"compose", "contributing", "docker_images", "kubernetes", "names", "readme", "runbook"}
"""What is tested and is no module: files of a deployment, the README, the runbook, this."""


def test_no_two_modules_share_a_name_but_those_of_two_engines():
    modules = [
        path.stem
        for path in PACKAGE.rglob("*.py")
        if not path.name.startswith("__") and path.parent.parent != ENGINE_ROOMS
    ]
    assert [name for name, count in Counter(modules).items() if count > 1] == []


def test_every_test_of_the_package_names_what_it_tests():
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    names = {path.stem for path in paths if path.suffix == ".py" or path.is_dir()}
    names |= {Path(folder).name for folder in FOLDERS}
    folders = (ROOT / "tests/unit", ROOT / "tests/stages")
    tested = [path.stem.removeprefix("test_") for f in folders for path in f.glob("test_*.py")]
    strangers = [
        each
        for each in tested
        if each not in TOPICS
        and not any(f"{each}_".startswith(f"{name}_") for name in names)
        and not any(name.startswith(f"{each}_") for name in names)
    ]
    assert strangers == [], "name the module first, as in test_export_again for export"


def test_tests_import_one_another_from_the_root():
    """Suites that no ordinary run collects as well."""
    imports = {
        (path.relative_to(ROOT).as_posix(), node.module)
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    strangers = {
        (path, module)
        for path, module in imports
        if (ROOT / "tests" / module.replace(".", "/")).with_suffix(".py").exists()
    }
    assert strangers == set()


def test_no_file_of_the_product_is_longer_than_300_lines():
    paths = [path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")]
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in paths
    }
    assert {name: n for name, n in lines.items() if n > 300} == {}, "two ideas stand in one file"

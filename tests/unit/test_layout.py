"""Every key is spelt in `layout` and nowhere else."""

import ast
import re
from pathlib import Path

import pytest

import sa1b_captions
from sa1b_captions import layout
from sa1b_captions.errors import PermanentError

PACKAGE = Path(sa1b_captions.__file__).parent
ROOT = PACKAGE.parents[1]
_KEY = re.compile(
    r"^(shards|campaigns|releases)/|/(captions|curated|quality|dedup)/|\.receipt\.json"
)


def _strings(path):
    tree = ast.parse(path.read_text())
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_no_other_module_spells_a_key():
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "dags").rglob("*.py"), *(ROOT / "demo").rglob("*.py")]
    files += (ROOT / "plugins" / "sa1b_console").rglob("*.py")
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in files
        # Patterns of keys there tell what makes a damaged object anew.
        if path not in (PACKAGE / "layout.py", PACKAGE / "remedies.py")
        for text in _strings(path)
        if _KEY.search(text)
    ]
    assert found == []


def test_keys_stay_where_stores_have_them():
    assert layout.archive_key("sa_000017") == "shards/sa_000017.tar"
    assert layout.part_key("c", "single_en", "sa_000017", "0001", 12) == (
        "campaigns/c/captions/single_en/sa_000017/part-00012.parquet"
    )
    assert layout.shard_validation_key("c", "sa_000017") == (
        "campaigns/c/quality/shards/sa_000017.json"
    )
    assert layout.manifest_key("v1") == "releases/v1/manifest.json"


def test_every_function_says_by_its_name_whether_it_names_an_object_or_a_folder():
    names = [name for name, value in vars(layout).items() if callable(value) and name.islower()]
    assert all(name.endswith(("_key", "_prefix")) for name in names)


def test_a_release_cannot_lie_where_the_pointer_to_the_newest_does():
    with pytest.raises(PermanentError, match="cannot name a release"):
        layout.manifest_key("latest")

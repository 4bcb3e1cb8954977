import importlib
import shutil
import sys

from numba.core import caching

from sa1b_captions.quality.kernels import compiled


def test_it_works_where_no_cache_can_be_written(monkeypatch):
    """As in a pod with a read-only root: numba then finds no place and would refuse."""
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])

    @compiled.compiled
    def answer():
        return 42

    assert answer() == 42


def test_a_loop_that_another_file_uses_is_compiled_again_when_it_changes(tmp_path, monkeypatch):
    """Numba's own cache would go on with what was compiled in."""
    shutil.copy(compiled.__file__, tmp_path / "compiled.py")
    head = "from compiled import compiled\n"
    inner, outer = tmp_path / "inner.py", tmp_path / "outer.py"
    outer.write_text(
        f"{head}from inner import number\n@compiled\ndef answer():\n    return number()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    # A .pyc is told from its source by size and second, which both writes here share.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    answers, hits = [], []
    for number in (1, 2, 2):
        inner.write_text(f"{head}@compiled\ndef number():\n    return {number}\n")
        for name in ("compiled", "inner", "outer"):  # as a new process would find them
            monkeypatch.delitem(sys.modules, name, raising=False)
        answer = importlib.import_module("outer").answer
        answers.append(answer())
        hits.append(sum(answer.stats.cache_hits.values()))
    assert answers == [1, 2, 2]
    assert hits == [0, 0, 1]

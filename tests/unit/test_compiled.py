import os
import shutil
import subprocess
import sys

from sa1b_captions.quality.kernels import compiled


def test_it_works_where_no_cache_can_be_written(tmp_path):
    """As in a pod with a read-only root: numba then finds no place and would refuse."""
    code = (
        "import numba.core.caching as caching; caching.CacheImpl._locator_classes = [];"
        "from sa1b_captions.quality.kernels import minhash as kernel;"
        "print(kernel.stands_alone.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "stands_alone"), done.stderr


def test_a_loop_that_another_file_uses_is_compiled_again_when_it_changes(tmp_path):
    """Numba's own cache would go on with what was compiled in."""
    shutil.copy(compiled.__file__, tmp_path / "compiled.py")
    head = "from compiled import compiled\n"
    inner, outer = tmp_path / "inner.py", tmp_path / "outer.py"
    outer.write_text(
        f"{head}from inner import number\n@compiled\ndef answer():\n    return number()\n"
    )
    answers = []
    for number in (1, 2):
        inner.write_text(f"{head}@compiled\ndef number():\n    return {number}\n")
        done = subprocess.run(
            # -B: a .pyc is told from its source by size and second, which both writes here share.
            [sys.executable, "-B", "-c", "import outer; print(outer.answer())"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(done.stdout.strip())
    assert answers == ["1", "2"]
    assert list(tmp_path.glob("__pycache__/outer.answer*.nbc"))

"""How the matrix tells a cell that failed from one that could not be tried."""

import pytest

from tests.matrix.cells import Cell, CellError, count, find_python, run_cell

REPORT = """<testsuites><testsuite>
  <testcase classname="tests.unit.test_a" name="test_works"/>
  <testcase classname="tests.unit.test_a" name="test_breaks"><failure message="no"/></testcase>
  <testcase classname="tests.unit.test_b" name="test_lacks"><error message="no"/></testcase>
  <testcase classname="tests.unit.test_b" name="test_elsewhere"><skipped message="no"/></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted_and_what_failed_is_named(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    cell = Cell("3.12", "lowest")
    count(cell, report)
    assert (cell.passed, cell.failed, cell.skipped) == (1, 2, 1)
    assert cell.why == ["tests.unit.test_a::test_breaks", "tests.unit.test_b::test_lacks"]


def test_a_python_that_is_not_here_fails_its_cell_and_says_what_to_do(tmp_path):
    cell = run_cell("3.99", "pinned", tmp_path / "cell", ["tests/unit"])
    assert (cell.passed, cell.failed) == (0, 1)
    assert cell.why == ["no python3.99 on this machine; install it, or leave it out of PYTHONS"]


def test_a_python_of_pyenv_is_found_past_its_shims(tmp_path, monkeypatch):
    interpreter = tmp_path / "versions" / "3.98.4" / "bin" / "python3.98"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text("#!/bin/sh\n")
    interpreter.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert find_python("3.98") == str(interpreter)
    with pytest.raises(CellError):
        find_python("3.97")

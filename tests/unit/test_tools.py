import json

from benchmarks.peers import outputs
from benchmarks.peers.measure import CORRUPT
from benchmarks.peers.server import Mood
from benchmarks.peers.table import table
from benchmarks.peers.tools import TOOLS, count_lines

SCRIPT = '''"""What it does,
in two lines."""

import os  # counts


def run():
    """Says nothing."""
    # Nor does this.
    return """text
that counts"""
'''


def test_only_lines_that_say_something_are_counted():
    assert count_lines(SCRIPT, ".py") == 4
    assert count_lines("# why\n\nexport A=b\n  # no\nrun\n", ".sh") == 2


def test_what_a_user_writes_is_there_and_short():
    for tool in TOOLS:
        assert 0 < tool.lines < 100, tool.name


def test_a_line_that_is_half_written_is_not_read(tmp_path):
    (tmp_path / "captions").mkdir()
    result = {"text": "A dog.", "finish_reason": "length"}
    line = json.dumps({"id": "a.jpg", "metadata": {"rollout_results": [result]}})
    (tmp_path / "captions/00000_chunk_0.jsonl").write_text(f"{line}\n{line[:20]}")
    assert list(outputs.datatrove(tmp_path)) == [outputs.Row("a.jpg", "A dog.", "length")]


def test_the_table_has_a_column_for_each_tool_and_a_row_for_each_figure():
    killed = {"in_flight": 16, "thrown_away": 3, "lost": 0, "duplicated": 0}
    fates = {str(kind): "said why" for kind in (CORRUPT, *Mood)}
    figures = {
        **{"version": "1.0", "lines": 8, "first_caption_s": 2.0, "whole_s": 9.0, "look": "a log"},
        **{"images_per_s": 30.0, "occupancy": 0.9, "peak_mib": 100, "killed": killed},
        "restart": "ends with 0",
        "odd": {"fates": fates, "others_captioned": 16, "others": 17},
    }
    found = {"one": figures, "two": figures | {"lines": 9}}
    *lines, last = table(found, {"three": "it does not install"}).splitlines()
    assert lines[0] == "|  | one | two |"
    assert "| lines that the user writes | 8 | 9 |" in lines
    assert "| reply: garbage | said why | said why |" in lines
    assert "| captions of the others then | 16 of 17 | 16 of 17 |" in lines
    assert {line.count("|") for line in lines} == {4}
    assert last == "Not there: three, it does not install."

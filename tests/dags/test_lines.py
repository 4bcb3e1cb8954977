"""Lines of stages that write their log as JSON."""

import json
import logging

from sa1b_operators.lines import message_of, progress_of, redact, told
from sa1b_operators.local import log_line
from sa1b_operators.process import StageProcess


def line(message):
    return json.dumps({"time": "2026-11-29T10:00:00.000+00:00", "message": message})


def test_messages_and_progress_are_found_in_json():
    assert message_of(line("error: the store is gone")) == "the store is gone"
    assert progress_of([line("progress: sa_000017 3/9 samples"), line("more")]) == (
        "sa_000017 3/9 samples"
    )


def test_json_that_is_no_line_of_a_log_stays_as_it_is():
    result = '{"stage": "caption", "shards": {}}'
    assert message_of(result) == told(result) == result
    assert told("{half") == "{half"


def test_links_in_json_are_cut_too():
    signed = "got https://cdn.example/a.tar?sig=SECRET for sa_000017"
    cut = redact(line(signed))
    assert "SECRET" not in cut
    assert json.loads(cut)["message"].startswith("got https://cdn.example/a.tar?")


def test_an_error_in_json_is_an_error_of_the_task(caplog):
    caplog.set_level(logging.INFO)
    log_line(logging.getLogger("task"), line("error: no such shard"))
    assert caplog.records[-1].levelname == "ERROR"


def test_a_stage_that_logs_json_ends_with_its_own_words():
    text = line("error: the disk is full").replace('"', '\\"')
    ending = StageProcess(["sh", "-c", f'echo "{text}" >&2; exit 75'], lambda _: None).run()
    assert (ending.exit_code, ending.last_error) == (75, "the disk is full")

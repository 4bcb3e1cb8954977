import json
import logging
import threading

import pytest

from sa1b_captions.observing.log_format import JsonFormatter, TextFormatter, named, naming


def record(message, *arguments, error=None):
    info = None if error is None else (type(error), error, None)
    return logging.LogRecord(
        "sa1b_captions.x", logging.WARNING, "x.py", 1, message, arguments, info
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "multi_en/sa_000017/19-21-30: empty, trying again",
            {"shard": "sa_000017", "track": "multi_en", "sample": "multi_en/sa_000017/19-21-30"},
        ),
        ("single_zh/sa_000001: 9 accepted", {"shard": "sa_000001", "track": "single_zh"}),
        ("sa_000003 is captioned already", {"shard": "sa_000003"}),
        ("no shard sa_12 here", {}),
    ],
)
def test_a_line_names_what_its_message_names(text, found):
    assert named(text) == found


def test_a_json_line_has_all_that_a_machine_asks_for():
    line = JsonFormatter("caption").format(record("%s: %s", "sa_000017", 'a "quoted"\nbreak 图'))
    assert "\n" not in line
    found = json.loads(line)
    assert found["stage"] == "caption"
    assert found["level"] == "warning"
    assert found["shard"] == "sa_000017"
    assert found["message"] == 'sa_000017: a "quoted"\nbreak 图'
    assert found["time"].endswith("+00:00")


def test_a_traceback_is_a_field():
    found = json.loads(JsonFormatter("curate").format(record("failed", error=ValueError("bad"))))
    assert "ValueError: bad" in found["traceback"]


def test_lines_of_an_engine_name_the_sample_that_it_is_captioning():
    with naming("single_en/sa_000017/190188"):
        text = TextFormatter().format(record("connection reset"))
        found = json.loads(JsonFormatter("caption").format(record("connection reset")))
    assert text.endswith("connection reset (single_en/sa_000017/190188)")
    assert found["sample"] == "single_en/sa_000017/190188"
    assert TextFormatter().format(record("connection reset")).endswith("connection reset")


def test_what_names_its_sample_itself_is_left_as_it_is():
    with naming("single_en/sa_000017/190188"):
        text = TextFormatter().format(record("single_en/sa_000017/190188: again"))
    assert text.endswith(" single_en/sa_000017/190188: again")


def test_threads_do_not_see_each_others_samples():
    seen = []
    with naming("single_en/sa_000017/1"):
        thread = threading.Thread(target=lambda: seen.append(TextFormatter().format(record("x"))))
        thread.start()
        thread.join()
    assert seen[0].endswith(" x")

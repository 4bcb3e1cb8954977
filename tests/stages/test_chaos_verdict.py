"""The verdict on a trial of chaos can be a bad one."""

import pytest

from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.chaos import leftovers, task_logs
from tests.chaos.release_content import differences, read_content
from tests.support import releases


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    store = FileStore(tmp_path_factory.mktemp("quiet"))
    export_release(releases.ready_campaign(store), "v1")
    return store


def test_a_release_made_again_under_another_name_does_not_differ(quiet, tmp_path):
    store = FileStore(tmp_path)
    export_release(releases.ready_campaign(store), "v7")
    assert differences(read_content(quiet, "v1"), read_content(store, "v7")) == []
    assert leftovers.kinds_of_keys(quiet) == leftovers.kinds_of_keys(store)


def test_a_caption_more_or_less_is_told(quiet, tmp_path):
    store = FileStore(tmp_path)
    export_release(releases.ready_campaign(store, rows=2), "v1")
    found = differences(read_content(quiet, "v1"), read_content(store, "v1"))
    assert any("6 rows quietly, 4 here" in sentence for sentence in found)
    assert any("single_en.jsonl differs" in sentence for sentence in found)


def test_another_text_and_a_file_more_are_told():
    found = differences({"a": [{"id": 1}]}, {"a": [{"id": 2}], "b": None})
    assert found == [
        "the release has b besides",
        "a differs: row 0: {'id': 1} quietly, {'id': 2} here",
    ]


def test_objects_of_one_store_alone_are_told_and_generations_are_not():
    quiet = {"campaigns/c/captions/single_en/sa_000000/part-00000.parquet"}
    assert list(leftovers.in_store(quiet, quiet | {"shards/x.tmp"})) == [
        "the store has shards/x.tmp besides"
    ]
    assert list(leftovers.in_store(quiet, set())) == [f"the store lacks {min(quiet)}"]


def ends(content):
    line = task_logs.LastLine("t", "failed", True, *task_logs._end(content))
    return line.kind, bool(list(task_logs.offences([line])))


def raised(error, file):
    detail = [{"exc_type": error, "exc_value": "why", "frames": [{"filename": file}]}]
    return [{"event": "begin"}, {"event": "Task failed with exception", "error_detail": detail}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([{"event": "3 shards: 0-2"}, {"event": "::endgroup::"}], ("sentence", False)),
        (raised("AirflowException", "/x/plugins/sa1b_operators/base.py"), ("sentence", False)),
        (raised("KeyError", "/x/plugins/sa1b_operators/base.py"), ("traceback", True)),
        (raised("ReadTimeout", "/x/airflow/client.py"), ("traceback of Airflow's own", False)),
        ([], ("nothing", True)),
    ],
)
def test_a_log_ends_in_a_sentence_a_traceback_or_nothing(content, expected):
    assert ends(content) == expected

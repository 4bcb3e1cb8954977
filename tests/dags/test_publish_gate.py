"""What release_dataset does with a release where CAPTIONS_PUBLISH_TO is set."""

from pathlib import Path

import pytest

DAG = Path(__file__).parents[2] / "dags" / "release_dataset.py"
PLACE = "hf://lab/captions"
TASKS = {"plan_upload", "upload_gate", "upload", "keep"}


@pytest.fixture
def publishing(airflow_db, monkeypatch):
    """The DAG, parsed with the setting."""
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("CAPTIONS_PUBLISH_TO", PLACE)
    monkeypatch.setenv("CAPTIONS_PUBLISH_TOKEN", "hub-token-of-these-tests")
    bag = DagBag(str(DAG))
    assert bag.import_errors == {}
    return bag.dags["release_dataset"]


def test_without_the_setting_nothing_is_published(dag_bag):
    assert TASKS.isdisjoint(dag_bag.dags["release_dataset"].task_ids)


def test_nothing_is_published_without_a_person(publishing):
    upload = publishing.get_task("upload")
    gate = publishing.get_task("upload_gate")
    assert upload.upstream_task_ids == {"upload_gate"}
    assert upload.trigger_rule == "all_success"
    assert gate.upstream_task_ids == {"plan_upload"}
    assert gate.options_mapping == {"Publish": "upload", "Keep": "keep"}
    assert gate.defaults == ["Keep"]
    assert PLACE in gate.subject
    with_yes = [task.task_id for task in publishing.tasks if "--yes" in str(vars(task))]
    assert with_yes == ["upload"]


def test_the_plan_is_made_of_the_release_that_was_exported(publishing):
    plan, upload = (publishing.get_task(name).arguments for name in ("plan_upload", "upload"))
    assert plan == [*["publish", "{{ ti.xcom_pull(task_ids='export')['version'] }}", "--to", PLACE]]
    assert upload == [*plan, "--yes"]
    assert publishing.get_task("plan_upload").upstream_task_ids == {"export"}


def test_the_gate_says_what_would_go_where(publishing):
    class Planned:
        def xcom_pull(self, task_ids):
            assert task_ids == "plan_upload"
            return {
                "version": "v3", "send_files": 7, "send_bytes": 99, "url": "https://hub/x",
                "holds": None, "remove": ["a"],
            }  # fmt: skip

    gate = publishing.get_task("upload_gate")
    text = gate.render_template(gate.body, {"ti": Planned()})
    assert text == (
        "v3: 7 files of 99 bytes go to https://hub/x, which holds no release; "
        "1 files there are removed."
    )


def test_the_token_is_in_no_task(publishing):
    from airflow.serialization.serialized_objects import DagSerialization

    assert "hub-token" not in str(DagSerialization.serialize_dag(publishing))
    for name in TASKS:
        assert f"| `{name}` |" in publishing.doc_md

"""What operators send of pods and tries, at a real UDP listener."""

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException

from sa1b_captions.observing import telemetry
from tests.support.caption_pods import caption, run_caption
from tests.support.fake_kubernetes import ended
from tests.support.statsd_listener import listening


@pytest.fixture
def listener(monkeypatch):
    with listening() as found:
        monkeypatch.setenv("CAPTIONS_STATSD", found.address)
        telemetry.send_to(None)
        yield found
        telemetry.send_to(None)


def test_pods_that_end_are_counted_by_how_they_did(listener, cluster, run_dag):
    cluster.statuses = [ended(75), ended(137, reason="OOMKilled"), ended(0)]
    assert run_caption(run_dag) in ("success", "failed")
    lines = listener.lines("sa1b.pod.ended")
    assert "sa1b.pod.ended:1|c|#stage:caption,ending:retryable" in lines
    assert "sa1b.pod.ended:1|c|#stage:caption,ending:memory" in lines
    assert listener.lines("sa1b.task.retries")[0] == "sa1b.task.retries:1|c|#stage:caption"


def test_a_pod_that_waits_for_the_quota_sends_its_minutes(listener, cluster, airflow_db):
    cluster.refusal = (403, "pods is forbidden: exceeded quota: gpus, used: 4, limited: 4")
    operator = caption()
    operator.render_template_fields({"task": operator})
    waiting = operator._asking_kubernetes({"task_reschedule_count": 0})
    with pytest.raises(AirflowRescheduleException), waiting:
        operator.client.create_namespaced_pod("captions", {"metadata": {"name": "x"}})
    (line,) = listener.lines("sa1b.pod.waits")
    assert line.endswith("|c|#stage:caption,reason:quota")

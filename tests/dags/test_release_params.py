"""What the Params of release_dataset make of its tasks' command lines."""

import jinja2
import pytest

from sa1b_captions.recipe import TRACKS

ALL = {"version": None, "allow_partial": False, "tracks": list(TRACKS)}


def rendered(dag_bag, task_id, **params):
    arguments = dag_bag.dags["release_dataset"].get_task(task_id).arguments
    environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined)  # noqa: S701
    return [
        environment.from_string(argument).render(params=ALL | params, run_id="manual__1")
        for argument in arguments
    ]


def test_a_plain_run_makes_the_whole_release(dag_bag):
    assert rendered(dag_bag, "check") == ["status", "--require-done"]
    for task_id in ("validate", "export"):
        arguments = rendered(dag_bag, task_id)
        assert "--no-allow-partial" in arguments
        assert arguments[arguments.index("--tracks") + 1] == ",".join(TRACKS)


@pytest.mark.parametrize("params", [{"allow_partial": True}, {"tracks": ["multi_zh"]}])
def test_a_run_for_less_does_not_wait_for_every_shard(dag_bag, params):
    assert rendered(dag_bag, "check", **params) == ["status", "--no-require-done"]
    arguments = rendered(dag_bag, "export", **params)
    assert ("--allow-partial" in arguments) is params.get("allow_partial", False)
    wanted = params.get("tracks", TRACKS)
    assert arguments[arguments.index("--tracks") + 1] == ",".join(wanted)

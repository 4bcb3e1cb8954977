"""What can be said of a Ray cluster without one; tests/ray has one."""

import socket
import sys

import pytest

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.duplicates import ray_tasks
from sa1b_captions.quality.duplicates.ray_tasks import open_ray, why_not_alike

HERE = {"Python": "3.11", "Ray": "2.60.0", "signatures": "2-20x5-5-aa"}


def test_without_ray_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PermanentError, match=r"needs the package ray.*sa1b-captions\[ray\]"):
        open_ray("head:6379")


def test_a_node_with_other_versions_is_named_with_all_of_them():
    other = HERE | {"Python": "3.12", "signatures": "1-20x5-5-aa"}
    assert why_not_alike(HERE, {"10.0.0.1": HERE, "10.0.0.2": other}) == (
        "node 10.0.0.2 of the Ray cluster has Python 3.12, signatures 1-20x5-5-aa, and this "
        "process Python 3.11, signatures 2-20x5-5-aa"
    )
    assert why_not_alike(HERE, {"10.0.0.1": {}}).startswith(
        "node 10.0.0.1 of the Ray cluster has no Python, no Ray"
    )
    assert why_not_alike(HERE, {"10.0.0.1": HERE}) == ""


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_port_where_nothing_listens_is_told_at_once(scheme):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ray_tasks._why_silent(f"{scheme}127.0.0.1:{port}") == ""
    assert "refused" in ray_tasks._why_silent(f"{scheme}127.0.0.1:{port}")


def test_addresses_without_a_port_are_for_ray_to_find():
    assert ray_tasks._why_silent("auto") == ray_tasks._why_silent("local") == ""

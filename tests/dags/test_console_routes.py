"""What holds for every address of the console, those included that are added later."""

import dataclasses
import re

import pytest

from sa1b_captions.quality.browse.finding.filters import Filters
from tests.support import builders, curated
from tests.support.console_pages import shown

PARTS = {
    "shard": "sa_000000",
    "name": "a",
    "dag_id": "caption_shards",
    "run_id": "manual__1",
    "track": "single_en",
    "ids": "1",
    "image_id": "1",
}
"""A value of every part of an address."""

ODD = (
    *("0", "-1", "1e9", "99999999999999999999", "NaN", "../../recipe.json", "%00", "(", "%5C"),
    *("%22%3E%3Cscript%3E1%3C/script%3E", "x" * 3000, "multi_zh", "random", "9-1", "0-999999"),
    *("single_en/sa_000000/1", "single_en/sa_000000~1", "nan~single_en/sa_000000", "campaign:"),
    *("generation:", "generation:0001", "en.min_chars=1e400", "min_chars=nan", "zh.off=too_short"),
)


def routes():
    """Method and address of all there are, with `PARTS` filled in."""
    from sa1b_console.app import app

    for route in app.routes:
        for method in sorted(route.methods - {"HEAD"}):
            yield method, route.path.format(**PARTS)


def questions():
    """Every address that reads, with every field it knows and odd values of it."""
    from sa1b_console.app import app
    from sa1b_console.comparisons import Asked

    filters = [entry.name for entry in dataclasses.fields(Filters)]
    asked = [entry.name for entry in dataclasses.fields(Asked)]
    of_page = {"/gallery": filters, "/compare": asked, "/compare/blind": asked}
    for route in app.routes:
        if "GET" not in route.methods:
            continue
        known = [field.name for field in route.dependant.query_params]
        for field in (*known, *of_page.get(route.path, ())):
            for value in ODD:
                yield f"{route.path.format(**PARTS)}?{field}={value}"
        for part in re.findall(r"{(\w+)}", route.path):
            for value in ODD:
                yield route.path.format(**PARTS | {part: value.replace("/", "%2F")})


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """A small campaign in the place that the console reads."""
    with shown(tmp_path_factory.mktemp("routes")) as campaign:
        builders.put_shard(campaign.store, "sa_000000", {1: builders.make_jpeg(1, (64, 48))})
        curated.put_curated(campaign, "sa_000000", rows=4)
        yield campaign


def test_every_address_wants_a_login(login, campaign):
    for method, path in routes():
        assert login(role=None).request(method, f"/captions{path}").status_code == 401, path
        forged = login(role=None)
        forged.cookies.set("_token", "forged")
        assert forged.request(method, f"/captions{path}").status_code == 403, path


@pytest.mark.parametrize("right", ["is_authorized_dag", "is_authorized_view"])
def test_every_address_wants_each_right(login, campaign, monkeypatch, right):
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    monkeypatch.setattr(SimpleAuthManager, right, lambda self, **_: False)
    for method, path in routes():
        assert login("admin").request(method, f"/captions{path}").status_code == 403, path


def test_what_is_stored_wants_the_right_to_judge_and_a_page_of_ones_own(login, campaign):
    stored = [path for method, path in routes() if method != "GET"]
    assert stored
    for path in stored:
        assert login("viewer").post(f"/captions{path}", json={}).status_code == 403, path
        assert login("user").post(f"/captions{path}", json={}).status_code == 400, path


def test_no_page_loads_from_elsewhere_or_runs_what_it_does_not_name(login, campaign):
    for method, path in routes():
        headers = login().request(method, f"/captions{path}").headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; "), path
        assert "frame-ancestors 'self'" in policy, path
        assert "unsafe-eval" not in policy, path
        assert "http" not in policy, path
        if "script-src" in policy:
            assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer", path


def test_no_value_makes_the_server_fail_or_comes_back_as_markup(login, campaign):
    client = login("user")
    for path in questions():
        reply = client.get(f"/captions{path}", follow_redirects=False)
        assert reply.status_code < 500, path
        assert "<script>1" not in reply.text, path
        assert reply.status_code < 400 or "json" not in reply.headers.get("content-type", ""), path

"""The console's addresses, as schemathesis tries them by the schema that FastAPI derives."""

import functools
import importlib
import os
import tempfile
from dataclasses import fields
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutations import VALUES, changed_json
from tests.support import builders, curated

TEXTS = [
    *("0", "1", "-1", "nan", "1e999", "\0", "%", "<script>", "..%2F..", "a" * 5000),
    *("single_en/sa_000000/1", "single_en/sa_000000~3", "min_chars=180", "off=refusal", "q=1#2"),
]
MEANINGFUL = {
    "shard": ["sa_000000", "sa_000017"],
    "track": ["single_en", "multi_zh"],
    "ids": ["1", "1-2"],
    "image_id": ["1", "10"],
    "dag_id": ["caption_shards", "release_captions"],
    "run_id": ["manual__2026-11-01T00:00:00+00:00"],
    "shards": ["0", "0-1"],
    "order": ["plan", "random", "short", "long"],
    "reason": ["too_short"],
    "verdict": ["accepted", "rejected"],
    "change": ["min_chars=180", "off=refusal"],
    "after": ["single_en/sa_000000~3", "200~1~2"],
}
"""Values that mean something, by parameter; some get these, the others whatever text comes."""


class Console(NamedTuple):
    """Airflow's API server with the console mounted, over a small campaign."""

    strategies: list[st.SearchStrategy[Any]]
    token: str
    mark: dict[str, Any]
    """What the gallery's page sends of a caption that is there."""


@functools.cache
def console() -> Console:
    """Start it, and log an admin in."""
    # It names Airflow's home, before anything imports airflow.
    home = importlib.import_module("tests.conftest").HOME
    root = tempfile.mkdtemp(prefix="sa1b-fuzz-", dir=home)
    os.environ["CAPTIONS_ROOT"] = f"file://{root}"

    import schemathesis
    from airflow.api_fastapi.app import create_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.utils.db import initdb

    import sa1b_console.common
    from sa1b_captions.campaign import open_campaign
    from sa1b_captions.marks import text_digest
    from sa1b_captions.storage import open_store_url
    from sa1b_console.app import app

    initdb()
    recipe = builders.demo_recipe()
    vars(sa1b_console.common)["load_recipe"] = lambda name: recipe
    campaign = open_campaign(open_store_url(f"file://{root}"), "test", recipe)
    jpegs = {number: builders.make_jpeg(number) for number in range(1, 11)}
    builders.put_shard(campaign.store, "sa_000000", jpegs)
    texts = curated.captions(10)
    curated.put_texts(campaign, "sa_000000", "single_en", texts)

    airflow = create_app(apps="all")
    user = SimpleAuthManagerUser(username="admin", role="ADMIN")
    content = app.openapi() | {"servers": [{"url": "/captions"}]}
    schema = schemathesis.openapi.from_dict(_with_parameters(content))
    schema.app = airflow
    operations = [found.ok() for found in schema.get_all_operations()]
    return Console(
        [operation.as_strategy() for operation in operations],
        airflow.state.auth_manager.generate_jwt(user),
        {
            "sample_id": "single_en/sa_000000/1",
            "text_xxh3": text_digest(texts[0]),
            "judgement": "bad",
            "fault": "rule_was_wrong",
            "rule": "too_short",
            "note": "no",
            "draw": None,
        },
    )


def _with_parameters(content: dict[str, Any]) -> dict[str, Any]:
    """The schema with what pages take from the address or the body and FastAPI does not know of."""
    from sa1b_captions.quality.browse.finding.filters import Filters

    content.get("components", {}).pop("securitySchemes", None)  # or it makes tokens up
    names = {"after", "change", "width", "image", "draw", *(one.name for one in fields(Filters))}
    for path in content["paths"].values():
        for method, operation in path.items():
            operation.pop("security", None)
            parameters = operation.setdefault("parameters", [])
            if method == "get":
                unknown = sorted(names - {one["name"] for one in parameters})
                parameters += [{"in": "query", "name": name} for name in unknown]
            for parameter in parameters:
                parameter["schema"] = {"type": "string"}
    return content


@given(st.data())
def route(data: st.DataObject) -> None:
    """Whatever a logged-in person asks for is a page, or a refusal, and never a failure."""
    case = data.draw(st.one_of(console().strategies))
    keywords: dict[str, Any] = {"cookies": {"_token": console().token}}
    for values in (case.path_parameters or {}, case.query or {}):
        for name in data.draw(st.sets(st.sampled_from(sorted(values)))) if values else ():
            values[name] = data.draw(st.sampled_from([*MEANINGFUL.get(name, TEXTS), *TEXTS[:10]]))
    if case.method == "POST":
        case.body = data.draw(st.one_of(VALUES, changed_json([console().mark])))
        keywords["headers"] = {"X-Captions": "mark", "Content-Type": "application/json"}
    response = case.call(**keywords)
    assert response.status_code < 500, f"{case.method} {case.formatted_path}: {response.text[:500]}"
    if response.status_code == 200:
        assert "content-security-policy" in response.headers

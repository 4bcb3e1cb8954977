"""The console in Airflow's own API server, asked for all its pages."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.soak.pipeline import make_release

PAGES = (
    "/",
    "/board/sa_000000",
    "/shards/sa_000000",
    "/release",
    "/gallery",
    "/gallery?text=red&verdict=accepted",
    "/gallery?order=random&seed=5",
    "/clusters",
    "/marks",
    "/marks.jsonl",
    "/what-if?change=min_chars=180",
    "/what-if.patch?change=min_chars=180",
    "/compare",
)


def airflow_home() -> Path:
    """Name Airflow's home to this process, before anything imports airflow."""
    home: Path = importlib.import_module("tests.conftest").HOME
    return home


def client() -> Any:
    """A person who is logged in, before a new Airflow."""
    from airflow.api_fastapi.app import create_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.utils.db import initdb
    from starlette.testclient import TestClient

    initdb()
    app = create_app(apps="all")
    made = TestClient(app)
    user = SimpleAuthManagerUser(username="admin", role="ADMIN")
    made.cookies.set("_token", app.state.auth_manager.generate_jwt(user))
    return made


def first_sample(root: Path) -> tuple[str, str]:
    """Id and digest of one caption that was accepted."""
    import pyarrow.parquet as pq

    from sa1b_captions.marks import text_digest

    path = root / "campaigns/test/curated/single_en/sa_000000/accepted.parquet"
    row = pq.read_table(path, columns=["sample_id", "caption"]).slice(0, 1).to_pylist()[0]
    return row["sample_id"], text_digest(row["caption"])


@contextmanager
def console(folder: Path) -> Iterator[Callable[[], None]]:
    """A round opens every page, a sample and its photograph, and marks the sample."""
    airflow_home()
    make_release(folder / "store")
    browser, (sample, digest) = client(), first_sample(folder / "store")
    image = sample.rpartition("/")[2]
    pages = (*PAGES, f"/samples/{sample}", f"/images/sa_000000/{image}")
    mark = {"sample_id": sample, "text_xxh3": digest, "judgement": "good", "draw": None}

    def round_() -> None:
        for page in pages:
            expect(browser.get(f"/captions{page}"))
        headers = {"X-Captions": "mark"}
        expect(browser.post("/captions/marks", json=mark, headers=headers))

    yield round_


def expect(reply: Any) -> None:
    """Refuse any reply but a good one.

    Raises:
        RuntimeError: address and text of the reply.
    """
    if reply.status_code not in (200, 201):
        raise RuntimeError(f"{reply.url}: {reply.status_code} {reply.text[:500]}")

"""Airflow's own API server with the console, on a port of this machine, and Chromium before it."""

import os
import shutil
import socket
import threading
import time

import pytest
from playwright.sync_api import sync_playwright

from tests.support import curated
from tests.support.console_pages import put_photographs, shown

EVIL = (
    '<img src=x onerror="window.owned=1"><script>window.owned=1</script>'
    "\"'><svg onload=window.owned=1> </script><b onmouseover=window.owned=1> {{7*7}} "
)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def campaign(tmp_path_factory):
    """Two shards of thirty photographs; one caption of ten is an attack."""
    with shown(tmp_path_factory.mktemp("console")) as campaign:
        for number in range(2):
            shard = f"sa_{number:06d}"
            put_photographs(campaign, shard, 30)
            texts = curated.captions(30, seed=number)
            texts[::10] = [EVIL + text for text in texts[::10]]
            curated.put_texts(campaign, shard, "single_en", texts)
            curated.put_curated(campaign, shard, "single_zh", rows=4)
            curated.put_texts(campaign, shard, "multi_en", [EVIL + curated.KETTLE * 5])
        before = curated.captions(9, seed=7)
        after = [f"{EVIL if number % 2 else 'Now '}{text}" for number, text in enumerate(before)]
        curated.put_generations(campaign, "sa_000001", "multi_zh", before, after)
        yield campaign


@pytest.fixture(scope="module")
def free_ports():
    """Two ports of this machine that were free a moment ago."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in (one, other)]


@pytest.fixture(scope="session")
def airflow_url(airflow_db, campaign):
    """Address of the server."""
    import uvicorn
    from airflow.api_fastapi.app import create_app

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(apps="all")
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True


@pytest.fixture(scope="session")
def chromium():
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, airflow_url):
    """Open a page of the console, logged in; what its scripts complain of is in `complaints`."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    contexts = []

    def open_(path, role="user", scheme="light", width=1280, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        contexts.append(context)
        user = SimpleAuthManagerUser(username=role, role=role.upper())
        token = get_auth_manager().generate_jwt(user)
        context.add_cookies([{"name": "_token", "value": token, "url": airflow_url}])
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{airflow_url}/captions{path}")
        page.wait_for_load_state("networkidle")
        return page

    yield open_
    for context in contexts:
        context.close()

"""The console in the demo's own Airflow, gone through as a person does; leaves pictures of it.

DEMO_HOME names a demo that is there; else one is run. The pictures lie in `.run/pictures`, or in
the folder that PICTURES names.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from demo.workspace import REPOSITORY, Workspace

pytestmark = pytest.mark.timeout(1800)

PICTURES = Path(os.environ.get("PICTURES") or REPOSITORY / ".run" / "pictures")
PAGES = {
    "board": "/",
    "shard": "/board/sa_000000",
    "gallery": "/gallery?order=random&seed=4&track=single_en",
    "rejected": "/gallery?verdict=rejected",
    "group": "/gallery?track=multi_zh",
    "sample": "/samples/single_en/sa_000001/11188",
    "duplicates": "/clusters",
    "marks": "/marks",
    "what-if": "/what-if?change=en.min_chars=420",
    "compare": "/compare?before=v1&shard=0",
    "report": "/shards/sa_000000",
    "release": "/release",
}
WIDTHS = {"wide": 1280, "narrow": 400}


@pytest.fixture(scope="module")
def demo(tmp_path_factory, free_ports):
    """A demo that has its release."""
    home = os.environ.get("DEMO_HOME")
    if home:
        yield Workspace(Path(home), int(os.environ["DEMO_PORT"]), 0)
        return
    made = Workspace(tmp_path_factory.mktemp("demo"), *free_ports)
    environ = os.environ | {
        "DEMO_HOME": str(made.home),
        "DEMO_PORT": str(made.ui_port),
        "DEMO_ARCHIVE_PORT": str(made.archive_port),
    }
    command = [sys.executable, "-m", "demo.run"]
    done = subprocess.run(command, env=environ, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    yield made
    subprocess.run([*command, "--down"], env=environ, cwd=REPOSITORY, check=True)


@pytest.fixture(scope="module")
def logged_in(demo, chromium):
    """The state of a browser that has logged in by keys."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(demo.ui_url)
    page.wait_for_selector("input[name=username]")
    page.focus("input[name=username]")
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(demo.password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)
    page.wait_for_load_state("networkidle")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_demo(chromium, demo, logged_in):
    """Open an address of the demo's Airflow."""
    contexts = []

    def open_(path, scheme="light", width=1280, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            storage_state=logged_in,
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(demo.ui_url + path)
        page.wait_for_load_state("networkidle")
        return page

    yield open_
    for context in contexts:
        context.close()


def test_a_person_goes_from_airflows_menu_to_marks_by_keys_alone(open_demo):
    page = open_demo("/plugin/campaign-board")
    frame = page.frame_locator("iframe")
    frame.locator(".map a").nth(1).focus()
    page.keyboard.press("Enter")
    frame.get_by_role("heading", name="sa_000001").wait_for()
    frame.get_by_role("link", name="Gallery").nth(1).focus()
    page.keyboard.press("Enter")
    frame.locator(".card").first.wait_for()
    assert "shards=sa_000001" in page.url, "Airflow's own address is one to send to a colleague"
    page = open_demo(f"/captions{PAGES['gallery']}")
    for keys in ("g", "g", "g", "g", "b2", "g", "b1", "g", "g", "g"):
        if page.locator(".card.current").count() == 0:
            page.keyboard.press("j")
        said = page.locator(".card.current").get_attribute("data-sample")
        for key in keys:
            page.keyboard.press(key)
        page.locator(f"[data-sample='{said}'] .state", has_text="Stored").wait_for()
        page.locator(f".card.current:not([data-sample='{said}'])").wait_for()
    page = open_demo("/captions/marks")
    assert "from 10 marks" in page.inner_text("main")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_axe_finds_nothing(open_demo, name, scheme, width):
    # axe is a script of others, which the pages' policy keeps out.
    page = open_demo(f"/captions{PAGES[name]}", scheme, WIDTHS[width], bypass_csp=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
    assert page.evaluate("[...document.images].every(one => !one.complete || one.naturalWidth)")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png")
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()

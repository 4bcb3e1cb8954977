"""The console as people use it: what they see, what their keys do, and what captions cannot do."""

import time
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe

from sa1b_captions.mark_logs import read_marks
from sa1b_captions.marks import Better, CaptionMark, Fault, Judgement, PairMark
from tests.support import curated

SIDES = f"before=generation:0001&after=generation:{curated.SECOND}&track=multi_zh&shard=1"
PAGES = [
    *(
        "/",
        "/board/sa_000000",
        "/gallery",
        "/gallery?verdict=rejected",
        "/samples/single_en/sa_000000/1",
        "/clusters",
    ),
    *("/clusters?shard=sa_000000", "/marks", "/what-if?change=en.min_chars=300"),
    *("/compare", f"/compare?{SIDES}", f"/compare/blind?{SIDES}"),
]


def wait_until(page, expression, arg=None, *, timeout_s=60):
    """Ask until it is true; `wait_for_function` evaluates text, which the page's policy bars."""
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        *("/gallery?text=onerror", "/samples/multi_en/sa_000000/1-2", "/gallery?order=long"),
        f"/compare?{SIDES}&kind=removed",
    ],
)
def test_no_caption_ever_runs(open_page, path):
    page = open_page(path)
    for mark in page.query_selector_all(".text")[:3]:
        mark.hover()
    assert page.evaluate("window.owned") is None
    assert page.complaints == []


def test_a_script_that_got_into_a_page_would_not_run(open_page):
    """The second wall, tried as if the first had fallen."""
    page = open_page("/gallery")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.owned = 1";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", '<img src=x onerror="window.owned=1">');
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.owned") is None


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 400), ("dark", 400)]
)
def test_pages_fit_and_axe_finds_nothing(open_page, path, scheme, width):
    # axe is a script of others, which the pages' policy keeps out.
    page = open_page(path, scheme=scheme, width=width, bypass_csp=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()


def test_marks_are_made_by_keys_alone(open_page, campaign):
    page = open_page("/gallery?track=single_zh&order=random&seed=3")
    page.keyboard.press("j")
    first = page.get_attribute(".card.current", "data-sample")
    page.keyboard.press("g")
    wait_until(page, "document.querySelector('.card .state').textContent.startsWith('Sto')")
    wait_until(page, f"document.querySelector('.card.current').dataset.sample !== '{first}'")
    second = page.get_attribute(".card.current", "data-sample")
    page.keyboard.press("b")
    page.keyboard.press("2")
    wait_until(page, f"document.querySelector('.card.current').dataset.sample !== '{second}'")
    page.keyboard.press("k")
    assert page.get_attribute(".card.current", "data-sample") == second
    marks = {one.sample_id: one for one in read_marks(campaign.store, "test", CaptionMark)}
    assert marks[first].judgement == Judgement.GOOD
    assert (marks[second].judgement, marks[second].fault) == (
        Judgement.BAD,
        Fault.MISSING_THING,
    )
    assert marks[first].draw == "track=single_zh#3"
    page.reload()
    assert page.text_content(f"[data-sample='{first}'] .state") == "You said good"


def test_pairs_are_chosen_blindly_by_keys_alone(open_page, campaign):
    page = open_page(f"/compare/blind?{SIDES}")
    assert page.locator(".card").count() == 5
    page.keyboard.press("j")
    first = page.get_attribute(".card.current", "data-sample")
    page.keyboard.press("1")
    wait_until(page, f"document.querySelector('.card.current').dataset.sample !== '{first}'")
    page.keyboard.press("0")
    wait_until(page, "document.querySelectorAll('[aria-pressed=true]').length === 2")
    page.keyboard.press("k")
    marks = {one.sample_id: one.better for one in read_marks(campaign.store, "test", PairMark)}
    assert marks[first] == Better.LEFT
    assert sorted(marks.values()) == [Better.LEFT, Better.NEITHER]
    page.reload()
    assert page.text_content(f"[data-sample='{first}'] [role=status]") == "You chose left."
    assert page.complaints == []


def test_the_board_leads_to_a_shard_and_back_by_keys_alone(open_page):
    page = open_page("/")
    page.locator(".map a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/board/sa_000000")
    page.get_by_role("link", name="Gallery").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/gallery?shards=sa_000000")
    assert page.locator(".card").count() > 0


def test_airflows_own_pages_open_outside_of_the_frame(open_page, put_task):
    """Airflow frames the console, and keeps the links of frames inside."""
    run = put_task("sa_000000")
    page = open_page("/board/sa_000000")
    page.goto(page.url.replace("/captions/", "/plugin/campaign-board/captions/"))
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="its log").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: unquote(url).endswith(f"{run}/tasks/shard.caption/mapped/3"))
    assert page.locator("iframe").count() == 0


def test_a_viewer_has_no_buttons_to_mark_with(open_page):
    page = open_page("/gallery", role="viewer")
    page.keyboard.press("j")
    page.keyboard.press("g")
    assert page.locator(".marking:visible").count() == 0


def test_more_is_added_below_and_leads_on_until_the_end(open_page):
    page = open_page("/gallery?track=single_en")
    assert page.locator(".card").count() == 24
    page.click("[data-more]")
    wait_until(page, "document.querySelectorAll('.card').length === 48")
    page.click("[data-more]")
    wait_until(page, "document.querySelectorAll('.card').length === 60")
    samples = page.eval_on_selector_all(".card", "all => all.map(one => one.dataset.sample)")
    assert len(set(samples)) == 60
    assert page.locator("[data-more]").count() == 0


def test_dragging_a_limit_shows_what_it_drops(open_page):
    page = open_page("/what-if?change=en.min_chars=10")
    before = page.text_content("#outcome table")
    page.eval_on_selector(
        "[data-slide]",
        "slide => { slide.value = 300; slide.dispatchEvent(new Event('input')); }",
    )
    wait_until(
        page,
        "before => document.querySelector('#outcome table').textContent !== before",
        arg=before,
    )
    assert "min_chars=300" in page.text_content("h1")
    assert page.complaints == []

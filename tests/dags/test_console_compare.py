"""Comparing two generations, campaigns or releases of a shard, and choosing blindly."""

import re
import shutil
from pathlib import Path

import pytest

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.mark_logs import read_marks
from sa1b_captions.marks import Better, PairMark
from sa1b_captions.release.comparing.judged import collect_marks
from sa1b_captions.stages import diff
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import open_store_url
from tests.support import builders, console_pages, curated, releases
from tests.support.console_pages import shown

EVIL = "<script>document.title=1</script>"
ROWS = 8
TEXT = curated.KETTLE * 4
SECOND = curated.SECOND


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """A campaign with release v1, whose first shard was captioned again since."""

    def make(store):
        return releases.campaign_with_images(store, ROWS)

    with shown(tmp_path_factory.mktemp("compare"), make) as campaign:
        export_release(campaign, "v1")
        texts = releases.captions_of("single_en", "sa_000000", ROWS)
        changed = [f"{texts[0]} {EVIL}", f"{texts[1]} It is late.", *texts[2:6]]
        rejected = [(texts[6], ["special_tokens"])]
        releases.put_curated(campaign, "single_en", "sa_000000", changed, rejected)
        yield campaign


def get(client, path, status=200):
    return console_pages.get(client, path, status).text


def words(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


COMPARE = "/compare?before=v1&shard=0"
BLIND = "/compare/blind?before=v1&shard=0&seed=3"


def test_the_counts_are_those_of_diff(login, campaign):
    store = campaign.store
    sides = [diff.release_of(store, "v1"), diff.campaign_of(store, campaign.name)]
    found = diff.compare(*sides, None, tracks=["single_en"])["tracks"]["single_en"]
    text = words(get(login(), COMPARE))
    for kind in ("changed", "removed", "added"):  # the other shard is as it was
        assert f"{found[kind]} {kind}" in text
    assert "special_tokens" in text


def test_changed_words_are_marked_and_never_run(login, campaign):
    html = get(login(), COMPARE)
    assert re.search(r"<ins>[^<]*&lt;", html)
    assert "<script>document" not in html
    assert "published" in words(html)
    html = get(login(), f"{COMPARE}&kind=removed")
    assert '<span class="badge rejected"' in html
    assert "no such sample" in html


def test_pages_follow_by_key(login, campaign, monkeypatch):
    from sa1b_console import compare_page

    monkeypatch.setattr(compare_page, "PAGE_PAIRS", 1)
    client, path, seen = login(), COMPARE, []
    while path:
        html = get(client, path)
        seen += re.findall(r'<li class="card many" aria-label="([^"]+)"', html)
        more = re.search(r'href="/captions([^"]+)">More</a>', html)
        path = more and more.group(1).replace("&amp;", "&")
    assert seen == ["single_en/sa_000000/1", "single_en/sa_000000/2"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("before=v9&shard=0", "has no release v9"),
        ("before=..%2f..%2fx&shard=0", "names nothing to compare"),
        ("before=campaign:..&shard=0", "names no campaign"),
        ("before=campaign:other&shard=0", "has no recipe"),
        ("before=generation:..&shard=0", "names no generation"),
        ("before=generation:0002-aa&shard=0", "has no captions of generation"),
        ("before=v1&shard=..%2fx", "a shard is named like"),
        ("before=v1&track=x", "there is no track"),
        ("before=%3Cscript%3E", "names nothing to compare"),
    ],
)
def test_what_cannot_be_compared_is_said_in_words(login, campaign, query, message):
    html = get(login(), f"/compare?{query}")
    assert message in words(html)
    assert "<script>" not in html
    get(login(), f"/compare/blind?{query}", 404)


@pytest.mark.parametrize("query", ["kind=x", "seed=x", "seed=1e9"])
def test_other_values_are_refused(login, campaign, query):
    get(login(), f"/compare?before=v1&{query}", 404)


HEADERS = {"X-Captions": "mark", "Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


def pairs_of(client, campaign):
    """What the page's script sends of each pair, by sample."""
    html = get(client, BLIND)
    found = re.findall(r'data-sample="([^"]+)" data-left="(\w+)" data-right="(\w+)"', html)
    common = {"before": "v1", "after": f"campaign:{campaign.name}", "better": "left"}
    common |= {"track": "single_en", "shard": "sa_000000"}
    return {
        name: {**common, "sample_id": name, "left_xxh3": left, "right_xxh3": right}
        for name, left, right in found
    }


def post(client, body, headers=HEADERS, status=201):
    reply = client.post("/captions/compare/pairs", json=body, headers=headers)
    assert reply.status_code == status, reply.text
    return reply.text


@pytest.mark.parametrize("path", [COMPARE, BLIND])
def test_every_photograph_that_a_page_names_is_there(login, campaign, path):
    client = login()
    named = re.findall(r'<img src="/captions([^"]+)"', get(client, path))
    assert named
    for one in named:
        assert client.get(f"/captions{one}").headers["content-type"] == "image/jpeg"


def test_a_blind_pair_says_nothing_of_where_it_comes_from(login, campaign):
    html = get(login("user", "ada"), BLIND)
    cards = html[html.index("<li") : html.index("</ol>")]
    assert len(pairs_of(login("user", "ada"), campaign)) == 2
    for told in ("v1", "campaign", "<ins>", "<del>", "characters", "Before", "After"):
        assert told not in cards


def test_a_choice_counts_in_the_comparison_and_in_diff_whichever_side_it_was_on(login, campaign):
    names = ("ada", "grace", "alan", "edith", "kurt")
    for name in names:
        client = login("user", name)
        for body in pairs_of(client, campaign).values():
            html = get(client, BLIND)
            card = html[html.index(f'data-sample="{body["sample_id"]}"') :]
            left, _ = re.findall(r'<p class="text" lang="en">(.*?)</p>', card)[:2]
            later = "It is late" in left or "script" in left
            post(client, body | {"better": "left" if later else "right"})
        assert "You chose" in get(client, BLIND)
    marks = read_marks(campaign.store, campaign.name, PairMark)
    assert {mark.who for mark in marks} == set(names)
    assert {mark.better for mark in marks} == {Better.LEFT, Better.RIGHT}
    assert "The later caption is preferred in 100.0% of 10 choices" in words(get(login(), COMPARE))
    facts = diff.compare(
        diff.release_of(campaign.store, "v1"),
        diff.campaign_of(campaign.store, campaign.name),
        campaign.store,
        tracks=["single_en"],
    )
    assert facts["tracks"]["single_en"]["marks"]["preferred"] == {
        "before": 0,
        "after": 10,
        "neither": 0,
    }
    assert collect_marks(campaign.store, [campaign.name])


def test_only_who_may_mark_chooses_and_no_other_site_does(login, campaign):
    bodies = pairs_of(login("user", "ada"), campaign)
    body = next(iter(bodies.values()))
    post(login("viewer"), body, status=403)
    post(login(role=None), body, status=401)
    before = len(read_marks(campaign.store, campaign.name, PairMark))
    for change in ({"Origin": "https://elsewhere.example"}, {"X-Captions": ""}):
        post(login("user", "ada"), body, HEADERS | change, 400)
    assert 'data-better="' not in get(login("viewer"), BLIND)
    assert len(read_marks(campaign.store, campaign.name, PairMark)) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample_id": "single_en/sa_000000/77"}, "both sides do not publish"),
        ({"left_xxh3": "0" * 32}, "others by now"),
        ({"better": "both"}, "no choice"),
        ({"before": "../x"}, "names nothing to compare"),
        ({"before": 7}, "no text"),
        ({"shard": "x"}, "a shard is named"),
        ({"before": "x" * 20_000}, "too long"),
    ],
)
def test_a_choice_that_says_nothing_is_refused(login, campaign, change, message):
    client = login("user", "ada")
    body = next(iter(pairs_of(client, campaign).values()))
    assert message in post(client, body | change, status=400)


def test_a_generation_is_compared_with_the_one_before(login, tmp_path, monkeypatch):
    monkeypatch.setenv("CAPTIONS_ROOT", tmp_path.as_uri())
    recipe = builders.demo_recipe()
    monkeypatch.setattr("sa1b_console.common.load_recipe", lambda name: recipe)
    campaign = open_campaign(open_store_url(tmp_path.as_uri()), "test", recipe)
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", "test")
    first = curated.captions(6)
    second = [first[0], f"{first[1]} A spoon lies beside it.", *first[2:]]
    curated.put_generations(campaign, "sa_000000", "single_en", first, second)
    html = get(login(), "/compare?shard=0")
    assert f'<option value="generation:{SECOND}">' in html
    assert '<option value="generation:0001">' in html
    path = f"/compare?before=generation:0001&after=generation:{SECOND}&shard=0"
    text = words(get(login(), path))
    assert "4 unchanged · 1 changed" in text  # one is too short, and is left out of both
    assert "too_short" in text
    assert "A spoon lies beside it" in text
    campaign.store.delete(layout.part_key("test", "single_en", "sa_000000", "0001", 0))
    other = f"/compare?before=generation:{SECOND}&after=generation:0001&shard=0"
    assert "the receipt counts 2 blocks, but" in words(get(login(), other))


def test_campaigns_without_a_common_sample_have_removed_and_added_ones(
    login, tmp_path, monkeypatch
):
    monkeypatch.setenv("CAPTIONS_ROOT", tmp_path.as_uri())
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", "test")
    recipe = builders.demo_recipe()
    monkeypatch.setattr("sa1b_console.common.load_recipe", lambda name: recipe)
    store = open_store_url(tmp_path.as_uri())
    curated.put_texts(open_campaign(store, "test", recipe), "sa_000000", "single_en", [TEXT])
    other = open_campaign(store, "other", recipe)
    curated.put_texts(other, "sa_000000", "multi_en", [TEXT])
    query = "before=campaign:other&shard=0"
    text = words(get(login(), f"/compare?{query}"))
    assert "0 unchanged · 0 changed · 0 removed · 1 added" in text
    assert "No caption of this shard is published by both sides" in words(
        get(login(), f"/compare/blind?{query}")
    )
    elsewhere = words(get(login(), "/compare?before=campaign:other&shard=1"))
    assert "campaign other has no curated captions of sa_000001 to compare" in elsewhere


def test_no_comparison_fails_whatever_of_a_release_is_damaged(
    login, campaign, tmp_path, monkeypatch
):
    root = Path(campaign.store.url.removeprefix("file://"))
    for number, path in enumerate(sorted((root / "releases" / "v1").rglob("*"))):
        if not path.is_file() or path.suffix not in (".parquet", ".json"):
            continue
        copy = tmp_path / str(number)
        shutil.copytree(root, copy)
        monkeypatch.setenv("CAPTIONS_ROOT", copy.as_uri())
        there = copy / path.relative_to(root)
        there.unlink() if number % 2 else there.write_bytes(b"no Parquet")
        for address in (COMPARE, BLIND):
            reply = login().get(f"/captions{address}")
            assert reply.status_code in (200, 404, 503), (path, reply.text[:500])

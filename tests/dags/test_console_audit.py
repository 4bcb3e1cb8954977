"""What the console shows of an audit: refused sentences, and the captions that they are in."""

import dataclasses
import re

import pytest

from sa1b_captions.stages.auditing.audit import audit_shards
from tests.support import console_pages
from tests.support.audited import SHARD, THINGS, audited_recipe_campaign, judge
from tests.support.console_pages import shown
from tests.support.planted_falsehoods import plant


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """A shard whose judge refuses sentences that name a thing."""
    root = tmp_path_factory.mktemp("audited")
    made = audited_recipe_campaign(root, plant(40, 0.3))
    with shown(root, lambda store: made) as campaign:
        audit_shards(campaign, [SHARD], judge(sure=0.9))
        yield campaign


def get(client, path, status=200):
    return console_pages.get(client, path, status).text


def marked(html):
    return re.findall(r'<mark class="refused"[^>]*>([^<]+)</mark>', html)


def test_the_gallery_shows_refused_captions_with_the_sentence_marked(login, campaign):
    html = get(login(), "/gallery?audit=refused&track=single_en")
    cards = re.findall(r"<li class=\"card.*?</li>", html, re.DOTALL)
    assert len(cards) == 24
    for card in cards:
        assert marked(card)
        assert all(re.search(THINGS, sentence) for sentence in marked(card))
    assert "/captions/refused?track=single_en" in html
    assert marked(get(login(), "/gallery?track=single_en")) == []


def test_sentences_are_listed_until_the_last(login, campaign):
    client, path, seen, pages = login(), "/refused?track=single_en", [], 0
    while path:
        html = get(client, path)
        seen += [
            (name, *marked(card))
            for card in re.findall(r"<li class=\"card.*?</li>", html, re.DOTALL)
            for name in re.findall(r'href="/captions/samples/([^"]+)"', card)
        ]
        more = re.search(r'href="/captions([^"]+)">More</a>', html)
        path = more and more.group(1).replace("&amp;", "&")
        pages += 1
    assert pages > 1
    assert len(seen) == len(set(seen))
    assert all(re.search(THINGS, sentence) for _, sentence in seen)
    assert "the judge is 90.0% sure" in html


@pytest.mark.parametrize(
    "path", ["/refused?track=x", "/refused?shards=..", "/refused?after=x", "/gallery?audit=x"]
)
def test_other_values_are_refused(login, campaign, path):
    get(login(), path, 404)


def test_a_campaign_without_an_audit_says_how_to_ask_for_one(login, campaign, monkeypatch):
    recipe = dataclasses.replace(campaign.recipe, audit=None)
    monkeypatch.setattr("sa1b_console.common.load_recipe", lambda name: recipe)
    for path in ("/refused", "/gallery?audit=refused"):
        assert "its recipe has no [audit]" in get(login(), path, 404)
    assert "refused a sentence" not in get(login(), "/gallery")

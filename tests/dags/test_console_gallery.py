"""The gallery, the marks and their pages, as Airflow serves them."""

import io
import json
import re

import pytest
from PIL import Image

from sa1b_captions.mark_logs import read_marks
from sa1b_captions.marks import CaptionMark, Judgement
from tests.support import curated
from tests.support.console_pages import get, put_photographs, shown

EVIL = '<img src=x onerror="document.title=1"><script>document.title=1</script> &amp; '


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """Two shards of ten photographs, captioned in two languages and in groups."""
    with shown(tmp_path_factory.mktemp("console")) as campaign:
        for number in range(2):
            shard = f"sa_{number:06d}"
            put_photographs(campaign, shard, 10)
            texts = curated.captions(10, seed=number)
            texts[4] = EVIL + curated.KETTLE * 4
            curated.put_texts(campaign, shard, "single_en", texts)
            curated.put_curated(campaign, shard, "single_zh", rows=3)
            curated.put_texts(campaign, shard, "multi_en", [curated.KETTLE * 5])
        yield campaign


GALLERY = "/gallery"
SAMPLE = "/samples/single_en/sa_000000/1"


def test_the_gallery_shows_photographs_beside_everything_said_of_them(login, campaign):
    text = get(login(), GALLERY).text
    assert "<b>28</b> of 28 captions" in text
    card = re.search(r'data-sample="single_en/sa_000000/1".*?</li>', text, re.DOTALL).group()
    assert 'src="/captions/images/sa_000000/1?width=320"' in card
    assert "A blue mug number 0 hangs" in card
    assert "第0号蓝色杯子" in card
    assert "/captions/samples/multi_en/sa_000000/1-2" in card


def test_pages_follow_by_key_until_all_is_shown(login, campaign):
    client, path, seen = login(), GALLERY + "?order=random&seed=5", []
    while path:
        text = get(client, path).text
        seen += re.findall(r'data-sample="([^"]+)"', text)
        more = re.search(r'data-more href="/captions([^"]+)"', text)
        path = more and more.group(1).replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 28
    again = get(login("admin"), GALLERY + "?order=random&seed=5").text
    assert re.findall(r'data-sample="([^"]+)"', again) == seen[:24]


@pytest.mark.parametrize(
    ("query", "captions"),
    [
        ("verdict=rejected", 6),
        ("reason=too_short&track=single_en", 2),
        ("shards=1&track=single_zh", 3),
        ("max_chars=10", 2),
        ("engine=preview&attempt=1", 28),
        ("engine=lmdeploy", 0),
        ("text=mug&track=single_en", 16),
        ("text=%E6%9D%AF%E5%AD%90", 6),
        ("cluster=single_en/sa_000000/7", 2),
    ],
)
def test_filters_show_what_they_say(login, campaign, query, captions):
    text = get(login(), f"{GALLERY}?{query}").text
    assert min(captions, 24) == len(re.findall('data-sample="', text))


def test_a_rejected_caption_names_its_rule_and_marks_its_words(login, campaign):
    text = get(login(), f"{GALLERY}?reason=refusal").text
    assert "No caption is like this" in text
    text = get(login(), f"{GALLERY}?reason=special_token").text
    assert re.search(r'<mark class="offence">[^<]*script&gt;', text)
    text = get(login(), f"{GALLERY}?reason=too_short").text
    assert "fewer characters than a description has" in text
    text = get(login(), f"{GALLERY}?text=kettle").text
    assert "<mark>kettle</mark>" in text


def test_captions_are_text_and_never_anything_else(login, campaign):
    for path in (GALLERY, "/samples/single_en/sa_000000/5", f"{GALLERY}?text=kettle"):
        reply = get(login(), path)
        assert "<img src=x" not in reply.text
        assert "<script>document" not in reply.text
        assert "&lt;script&gt;" in reply.text
        policy = reply.headers["content-security-policy"]
        (nonce,) = re.findall(r"script-src 'nonce-([\w-]+)'", policy)
        assert reply.text.count("<script") == reply.text.count(f'<script nonce="{nonce}"') == 1
        assert "unsafe" not in policy
        assert " style=" not in reply.text
        assert reply.headers["cache-control"] == "no-store"
    assert nonce not in get(login(), GALLERY).text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/images/sa_000000/99", 404),
        ("/images/..%2f..%2fetc/1", 404),
        ("/images/sa_000000/1?width=99999", 404),
        ("/images/sa_000000/-1", 404),
        (f"/images/sa_000000/{10**30}", 404),
        ("/images/sa_000000/x", 422),
        ("/clusters?start=x", 422),
        ("/samples/single_en/sa_000000/999", 404),
        ("/samples/single_en/sa_000000/..%2f..%2frecipe", 404),
        ("/samples/other/sa_000000/1", 404),
        ("/clusters?shard=../x", 404),
        ("/clusters?track=x", 404),
        ("/gallery?track=x", 404),
        ("/gallery?shards=..", 404),
        ("/gallery?cluster=../../recipe", 404),
        ("/gallery?after=x", 404),
        ("/gallery?min_chars=%3Cscript%3E", 404),
        ("/what-if?change=%3Cscript%3E", 404),
        ("/what-if?shards=..", 404),
        ("/what-if.patch?change=../../recipe", 404),
    ],
)
def test_no_address_leads_out_of_the_store(login, campaign, path, status):
    reply = get(login(), path, status)
    assert "<script>" not in reply.text


def test_a_photograph_is_a_small_jpeg_that_only_its_reader_keeps(login, campaign):
    reply = get(login(), "/images/sa_000000/1?width=160")
    with Image.open(io.BytesIO(reply.content)) as image:
        assert image.size == (160, 120)
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.headers["cache-control"] == "private, max-age=3600"


def test_clusters_within_a_shard_are_listed(login, campaign):
    text = get(login(), "/clusters?shard=sa_000001").text
    assert "1 cluster within sa_000001" in text
    assert "/captions/gallery?cluster=single_en/sa_000001/7" in text
    assert "0 clusters across shards" in get(login(), "/clusters").text


HEADERS = {"X-Captions": "mark", "Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


def mark_of(client, sample, **values):
    """What the page's script sends of a sample that it shows."""
    text = client.get(f"/captions/samples/{sample}").text
    (digest,) = re.findall(r'data-text="(\w+)"', text)
    return {"sample_id": sample, "text_xxh3": digest, "judgement": "good", **values}


def post(client, mark, headers=HEADERS, status=201):
    reply = client.post("/captions/marks", json=mark, headers=headers)
    assert reply.status_code == status, reply.text
    return reply


def test_a_mark_is_kept_with_who_and_when_and_shown_to_its_maker(login, campaign):
    client = login("user", "ada")
    post(client, mark_of(client, "single_en/sa_000000/1", note=" two\nlines "))
    rejected = mark_of(
        client, "single_en/sa_000000/4", judgement="bad", fault="rule_was_wrong", draw="x#1"
    )
    post(client, rejected)
    first, second = read_marks(campaign.store, "test", CaptionMark)[-2:]
    assert (first.who, first.judgement, first.note) == ("ada", Judgement.GOOD, "two lines")
    assert first.at.endswith("+00:00")
    assert (second.rule, second.reasons, second.draw) == ("too_short", ("too_short",), "x#1")
    assert "You said good – two lines" in get(client, "/samples/single_en/sa_000000/1").text
    assert "You said" not in get(login(), "/samples/single_en/sa_000000/1").text
    lines = get(client, "/marks.jsonl").text.splitlines()
    assert {json.loads(line)["who"] for line in lines} == {"ada"}


def test_only_who_may_answer_for_people_may_mark(login, campaign):
    mark = mark_of(login(), "single_en/sa_000000/2")
    post(login("viewer"), mark, status=403)
    post(login(role=None), mark, status=401)
    assert 'data-may="false"' in get(login(), GALLERY).text
    assert 'data-may="true"' in get(login("user"), GALLERY).text


@pytest.mark.parametrize(
    "change",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"X-Captions": ""},
        {"Content-Type": "text/plain"},
    ],
)
def test_no_other_site_can_mark_with_somebodys_login(login, campaign, change):
    client = login("user")
    before = len(read_marks(campaign.store, "test", CaptionMark))
    post(client, mark_of(client, "single_en/sa_000000/2"), HEADERS | change, 400)
    assert len(read_marks(campaign.store, "test", CaptionMark)) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample_id": "../../recipe"}, "no such sample"),
        ({"sample_id": "single_en/sa_000000/77"}, "no such sample"),
        ({"text_xxh3": "0" * 32}, "another one by now"),
        ({"judgement": "splendid"}, "no mark"),
        ({"judgement": "bad"}, "say what is bad"),
        ({"judgement": "bad", "fault": "rule_was_wrong", "rule": "x"}, "no such rule"),
        ({"note": "x" * 3000}, "at most 2,000"),
        ({"note": "x" * 20000}, "at most 2,000"),
        ({"note": ["x"]}, "no text"),
        ({"draw": 7}, "no text"),
    ],
)
def test_a_mark_that_says_nothing_is_refused_in_words(login, campaign, change, message):
    client = login("user")
    mark = mark_of(client, "single_en/sa_000000/2") | change
    assert message in post(client, mark, status=400).text


def test_the_page_of_marks_shows_estimates_rules_and_agreement(login, campaign):
    from sa1b_captions.quality.browse.finding.filters import Filters

    draw = Filters(track="single_en", order="random", seed=9).draw
    for name, judgement in (("grace", "good"), ("alan", "bad")):
        client = login("user", name)
        fault = {"judgement": judgement} | ({"fault": "style"} if judgement == "bad" else {})
        post(client, mark_of(client, "single_en/sa_000001/1", draw=draw, **fault))
        post(client, mark_of(client, "single_en/sa_000001/2", draw=draw))
        post(client, mark_of(client, "single_en/sa_000001/4", judgement="bad", fault="style"))
    text = " ".join(get(login(), "/marks").text.split())
    assert "50.0 %, 9.5 to 90.5, from 2 marks" in text
    assert "all captions of single_en, seed 9" in text
    assert re.search(r"too_short</a></td><td>\d+\.0 %", text)
    assert re.search(r'alan and grace</td><td class="number">3</td><td class="number">66.7%', text)
    gold = [json.loads(line) for line in get(login(), "/marks.jsonl?gold=true").text.splitlines()]
    assert {"single_en/sa_000001/4"} <= {row["id"] for row in gold}
    assert all(set(row) == {"id", "language", "text", "expected"} for row in gold)


def test_what_if_shows_what_a_limit_keeps_and_the_captions_at_the_line(login, campaign):
    text = " ".join(get(login(), "/what-if?change=en.min_chars=300").text.split())
    row = re.search(r"<th>single_en</th>(.*?)</tr>", text).group(1)
    numbers = [int(number) for number in re.findall(r'number">(\d+)<', row)]
    planned, kept, dropped, restored, then = numbers
    assert (planned, restored, then) == (20, 0, kept - dropped)
    assert dropped > 0
    assert "<svg" in text
    assert "Dropped, but only just" in text
    assert 'data-sample="single_en/' in text
    assert "single_zh</th>" not in text
    assert "Let in by this" in get(login(), "/what-if?change=off=too_short&shards=1").text


def test_a_proposal_is_a_patch_to_download(login, campaign, monkeypatch):
    monkeypatch.setenv("CAPTIONS_RECIPE", "internvl")
    reply = get(login(), "/what-if.patch?change=zh.min_chars=70")
    assert 'base = "internvl"' in reply.text
    assert "[quality.language.zh]\nmin_chars = 70" in reply.text
    assert "attachment" in reply.headers["content-disposition"]

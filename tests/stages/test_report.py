import pyarrow as pa
import pytest

from sa1b_captions import layout, records
from sa1b_captions.outputs import read_metrics
from sa1b_captions.quality.metrics import shard_metrics
from sa1b_captions.quality.report.gallery import REJECTED_PER_REASON, evenly
from sa1b_captions.quality.report.release import ReleaseFindings, render_release
from sa1b_captions.quality.report.shard import ShardFindings, render_shard
from sa1b_captions.quality.report.window_occupancy import sum_up
from sa1b_captions.receipts import Alike, Occupancy
from sa1b_captions.receipts.findings import Check, Measure, Verdict
from sa1b_captions.receipts.receipt_files import curate_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.pages import Page

TEXT = "A red kettle stands on a wooden table beside a white cup. " * 5
CHINESE = "一只红色的水壶放在木桌上，旁边有一只白色的杯子。" * 4
HOSTILE = [
    "<script>document.title='PWNED'</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "</style></title><a href='https://example.org'>here</a>",
    "<!-- &lt;b&gt; -->",
]


@pytest.fixture
def campaign(tmp_path):
    return builders.demo_campaign(FileStore(tmp_path))


def put(campaign, shard, captions, changes=None, first_id=1):
    """Curate captions per track: {track: texts}, rows changed by {(track, row): values}."""
    ids = range(first_id, first_id + 40)
    builders.put_shard(
        campaign.store, shard, {image_id: builders.make_jpeg(image_id) for image_id in ids}
    )
    for track, texts in captions.items():
        table = builders.caption_rows(campaign.recipe, track, shard, texts, first_id)
        rows = table.to_pylist()
        for (where, row), values in (changes or {}).items():
            if where == track:
                rows[row] |= values
        table = pa.Table.from_pylist(rows, schema=records.CAPTION_SCHEMA)
        builders.put_captions(campaign, shard, track, table)
    curate_shard(campaign, shard, tracks=list(captions))


def shard_page(campaign, shard, tracks, checks=None, occupancy=None):
    curated = {
        track: read_receipt(campaign.store, curate_place(campaign.name, track, shard))
        for track in tracks
    }
    metrics = {track: read_metrics(campaign, receipt) for track, receipt in curated.items()}
    findings = ShardFindings(
        shard, Verdict.WARN, curated, metrics, checks or {}, {}, occupancy or {}, "run"
    )
    return render_shard(campaign, findings)


def test_hostile_text_stays_text(campaign):
    captions = [text + " " + TEXT + str(place) for place, text in enumerate(HOSTILE)]
    errors = {
        ("single_en", 6 + place): {"caption": "", "status": "error", "error": text}
        for place, text in enumerate(HOSTILE)
    }
    put(campaign, "sa_000000", {"single_en": captions + [""] * len(HOSTILE)}, errors)
    check = Check("name", HOSTILE[0], "critical", False, False, HOSTILE[1])
    html = shard_page(campaign, "sa_000000", ["single_en"], {"single_en": [check]})
    page = Page(html)
    for text in HOSTILE:
        assert text in page.text
    assert_harmless(page)
    # Four of the six accepted are shown, all six errors, and the check.
    assert html.count("&lt;script&gt;") >= 2


def assert_harmless(page):
    """No script, nothing loaded, nothing that reacts, links within the page only."""
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "form", "base"}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "a":
            assert attributes["href"].startswith("#")
        for name in ("src", "srcset", "data", "xlink:href"):
            assert attributes.get(name, "data:image/jpeg").startswith("data:image/jpeg")
    policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policies == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'"
    ]


def test_a_shard_page_shows_both_languages_of_a_photograph_side_by_side(campaign):
    put(
        campaign,
        "sa_000000",
        {
            "single_en": [f"{TEXT}{n}" for n in range(9)],
            "single_zh": [f"{CHINESE}{n}" for n in range(3)],
            "multi_en": [f"{TEXT} Together {n}" for n in range(3)],
        },
    )
    page = Page(shard_page(campaign, "sa_000000", ["single_en", "single_zh", "multi_en"]))
    for image_id in (1, 2, 3):
        en, zh = f"single_en/sa_000000/{image_id} ", f"single_zh/sa_000000/{image_id} "
        assert page.text.index(en) < page.text.index(zh) < page.text.index(en) + len(TEXT) + 60
    assert "single_en/sa_000000/9 " not in page.text
    assert "multi_en/sa_000000/3-4 " in page.text
    assert "Not curated yet: multi_zh" in page.text
    assert "15 of 15 captions accepted in 3 tracks" in page.text
    assert {a.get("lang") for a in page.all("p")} == {None, "en", "zh"}


def test_rejected_rows_show_their_reason_picture_and_what_was_kept(campaign):
    captions = [TEXT, TEXT.upper(), f"A <image>\n{TEXT}", ""]
    undecodable = {"caption": "", "status": "undecodable", "error": "cut short"}
    put(campaign, "sa_000000", {"single_en": captions}, {("single_en", 3): undecodable})
    html = shard_page(campaign, "sa_000000", ["single_en"])
    page = Page(html)
    assert "kept: single_en/sa_000000/1" in page.text
    assert "cut short" in page.text
    assert "<mark>&lt;image&gt;</mark><mark>↵</mark>" in html
    assert page.text.count("1 of 1 row") == 4  # a line break and a token make two of one row


def test_a_reason_shows_a_bounded_number_of_rows(campaign):
    put(campaign, "sa_000000", {"single_en": ["short"] * 30})
    page = Page(shard_page(campaign, "sa_000000", ["single_en"]))
    assert f"{REJECTED_PER_REASON} of 30 rows" in page.text
    assert len(page.all("article")) == REJECTED_PER_REASON
    assert "No caption was accepted." in page.text


def test_failed_checks_stand_at_the_top(campaign):
    put(campaign, "sa_000000", {"single_en": [TEXT]})
    checks = [
        Check("a", "It holds", "critical", True, False, "all 1"),
        Check("b", "It is few", "warning", False, False, "3.0%"),
    ]
    page = Page(shard_page(campaign, "sa_000000", ["single_en"], {"single_en": checks}))
    assert "warning It is few — single_en 3.0% Reasons" in page.text
    assert page.text.index("It is few") < page.text.index("Tracks") < page.text.index("It holds")


def test_a_page_made_twice_is_the_same(campaign):
    put(campaign, "sa_000000", {"single_en": [f"{TEXT}{n}" for n in range(9)] + ["short"] * 20})
    pages = {shard_page(campaign, "sa_000000", ["single_en"]) for _ in range(2)}
    assert len(pages) == 1


def test_a_page_can_be_made_when_the_photographs_are_gone(campaign):
    put(campaign, "sa_000000", {"single_en": [TEXT]})
    campaign.store.delete(layout.archive_key("sa_000000"))
    page = Page(shard_page(campaign, "sa_000000", ["single_en"]))
    assert page.all("img") == []
    assert "cannot be shown" in page.text


def test_a_release_page_shows_duplicates_worst_shards_and_totals(campaign):
    captions = {track: [f"{TEXT}{track}", "short", HOSTILE[0] + TEXT] for track in TRACKS}
    captions["single_zh"] = captions["multi_zh"] = [CHINESE, CHINESE + "二", CHINESE + "三"]
    put(campaign, "sa_000000", captions)
    repeated = {track: [f"{TEXT}{track}", TEXT + " Other."] for track in TRACKS}
    put(campaign, "sa_000001", repeated, first_id=100)
    for track in TRACKS:
        dedup_track(campaign, track)
    receipts = {
        track: [
            read_receipt(campaign.store, curate_place(campaign.name, track, shard))
            for shard in campaign.recipe.shards
        ]
        for track in TRACKS
    }
    duplicates = {
        track: records.read_table(campaign.store, layout.duplicates_key(campaign.name, track))
        for track in TRACKS
    }
    verdicts = {"sa_000000": "pass", "sa_000001": "missing"}
    measures = {"psi": 0.3, "ks_distance": 0.2, "tail_share": 0.05}
    health = {
        "multi_zh": [Measure(name, "reference", value, 0, 1, 1) for name, value in measures.items()]
    }
    findings = ReleaseFindings(
        verdict=Verdict.FAIL,
        receipts=receipts,
        duplicates=duplicates,
        alike={"single_zh": [Alike(0.5, 1234, 2345, 678)]},
        by_shard=shard_metrics(receipts, duplicates, verdicts, {"sa_000000": health}),
        shard_verdicts=verdicts,
        checks=[Check("a", "It holds", "critical", False, False, "no")],
        occupancy=sum_up({"sa_000000": {"single_en": Occupancy(0.62, 500)}}),
        run_id=None,
    )
    page = Page(render_release(campaign, findings))
    assert_harmless(page)
    assert "16 of 20 captions remain" in page.text
    assert "1 pass, 1 missing" in page.text
    assert "single_zh 0.5 1,234 2,345 678" in page.text
    kept = page.text.index("kept single_en/sa_000000/1 ")
    assert kept < page.text.index("left out, the same wording single_en/sa_000001/100 ")
    assert "sa_000000 passes 12 2 16.7% too_short 2" in page.text
    assert "Rejected sa_000000 multi_zh passes 0.200 0.300 5.0% 0.0% Why rows" in page.text
    assert "Lowest 0.62, median 0.62 over 1 shard; 1 under 0.9." in page.text
    assert "sa_000000 0.62 500" in page.text


def test_a_shard_page_shows_how_full_the_window_was_or_why_nobody_knows(campaign):
    put(campaign, "sa_000000", {"single_en": [TEXT], "multi_en": [TEXT], "multi_zh": [CHINESE]})
    fed = Occupancy(0.98, 500)
    found = {
        "single_en": fed,
        "multi_en": fed,
        "multi_zh": Occupancy(note=HOSTILE[0]),
    }
    page = Page(shard_page(campaign, "sa_000000", TRACKS[:1], occupancy=found))
    assert "single_en, multi_en 0.98 500" in page.text
    assert "multi_zh – – " + HOSTILE[0] in page.text
    assert_harmless(page)
    page = Page(shard_page(campaign, "sa_000000", TRACKS[:1], occupancy={"single_en": Occupancy()}))
    assert "single_en – – an older version captioned them and did not measure" in page.text


def test_evenly_spreads_over_everything():
    assert evenly(0, 4) == []
    assert evenly(3, 4) == [0, 1, 2]
    assert evenly(100, 4) == [12, 37, 62, 87]

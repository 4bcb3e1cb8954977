import json
import shutil

from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions import layout
from sa1b_captions.mark_logs import MarkLog
from sa1b_captions.marks import Better, CaptionMark, Judgement, PairMark, text_digest
from sa1b_captions.release.comparing.difference import EXAMPLES, KINDS, NOT_THERE
from sa1b_captions.release.comparing.judged import share
from sa1b_captions.stages import diff
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import builders, pages, releases
from tests.support.compared import HOSTILE, SCRIPT, compared, read
from tests.support.counting_store import CountingStore


def test_every_row_is_unchanged_changed_removed_or_added(facts):
    found = facts["tracks"]["single_en"]
    assert [found["before"]["rows"], found["after"]["rows"]] == [15, 13]
    assert [found[kind] for kind in ("unchanged", *KINDS)] == [10, 2, 3, 1]
    for track in facts["tracks"].values():
        assert track["unchanged"] + track["changed"] + track["removed"] == track["before"]["rows"]
        assert track["unchanged"] + track["changed"] + track["added"] == track["after"]["rows"]


def test_what_moved_has_its_reason_and_says_whether_it_was_judged_otherwise(facts):
    found = facts["tracks"]["single_en"]
    assert found["removed_by_reason"] == {
        "off_topic": {"rows": 1, "same_caption": 1},
        "special_tokens": {"rows": 1, "same_caption": 0},
        NOT_THERE: {"rows": 1, "same_caption": 0},
    }
    assert found["added_by_reason"] == {
        "duplicate_of_other_shard": {"rows": 1, "same_caption": 1},
    }
    assert found["before"]["reasons"] == {"too_short": 2, "duplicate_of_other_shard": 1}
    assert found["after"]["reasons"] == {"special_tokens": 1, "off_topic": 1}


def test_the_counts_are_those_of_both_manifests(two_releases, facts):
    for side, version in (("before", "v1"), ("after", "v2")):
        manifest = json.loads(two_releases.read(layout.manifest_key(version)))
        for track, totals in manifest["tracks"].items():
            found = facts["tracks"][track][side]
            assert found["rows"] == totals["rows"]
            assert found["rows"] + found["left_out"] == totals["planned"]
            assert found["reasons"] == totals["reasons"]


def test_lengths_shift_by_what_the_changed_captions_gained(facts):
    found = facts["tracks"]["single_en"]
    first = releases.captions_of("single_en", "sa_000000", 2)
    gained = [len(HOSTILE) + 1, len("Short one.") - len(first[1])]
    assert found["characters_gained"]["mean"] == sum(gained) / 2
    assert found["characters_gained"]["p5"] == min(gained)
    assert found["after"]["characters"]["p95"] == len(first[0]) + gained[0]


def test_one_shard_of_a_release_is_found_without_the_others(two_releases):
    whole = diff.release_of(two_releases, "v2").side
    shards = whole.shards("single_en")
    store = CountingStore(two_releases.root)
    for shard in shards:
        alone = diff.release_of(store, "v2").side
        store.forget()
        assert alone.samples("single_en", shard).equals(whole.samples("single_en", shard))
        one = store.calls["read_range"]
        alone.shards("single_en")
        assert store.calls["read_range"] > one
    assert diff.release_of(two_releases, "v2").side.samples("single_en", "sa_000077").height == 0
    assert whole.samples("single_en", "sa_000077").height == 0


def test_a_release_does_not_differ_from_itself(two_releases):
    facts = compared(two_releases, "v2", "v2")
    assert facts["settings"] == {}
    for found in facts["tracks"].values():
        assert found["unchanged"] == found["before"]["rows"] == found["after"]["rows"] > 0
        assert [found[kind] for kind in KINDS] == [0, 0, 0]


def test_a_campaign_gives_what_its_release_would(two_releases):
    found = compared(two_releases, "v2", "@test")
    as_release = compared(two_releases, "v2", "v2")
    assert found["tracks"] == as_release["tracks"]
    assert compared(two_releases, "v1", "@test")["tracks"] == compared(two_releases)["tracks"]


def test_two_campaigns_are_compared_by_their_images(local):
    one = releases.ready_campaign(local)
    source = json.loads(json.dumps(one.recipe.source))
    source["tracks"]["single_en"]["prompt"] = "Say | what you see."
    other_recipe = builders.demo_recipe(tracks=source["tracks"])
    other = builders.open_campaign(local, "other", other_recipe)
    for shard in one.recipe.shards:
        releases.put_curated(other, "single_en", shard, ["Other words.", "And more."])
    facts = compared(local, "@test", "@other")
    found = facts["tracks"]["single_en"]
    assert [found[kind] for kind in ("unchanged", *KINDS)] == [0, 4, 2, 0]
    assert facts["tracks"]["single_zh"]["after"]["rows"] == 0
    assert facts["tracks"]["single_zh"]["removed_by_reason"] == {
        NOT_THERE: {"rows": 6, "same_caption": 0}
    }
    assert list(facts["settings"]) == ["tracks.single_en.prompt"]
    assert facts["settings"]["tracks.single_en.prompt"][1] == "Say | what you see."


def test_a_rule_that_changed_is_named_beside_what_it_did(local):
    campaign = releases.ready_campaign(local)
    export_release(campaign, "v1")
    quality = json.loads(json.dumps(campaign.recipe.source["quality"]))
    quality["language"]["en"]["min_chars"] = 99
    stricter = builders.open_campaign(local, "test", builders.demo_recipe(quality=quality))
    for track in stricter.tracks:
        for shard in stricter.recipe.shards:
            captions = releases.captions_of(track, shard)
            kept = [] if track.endswith("en") and shard == "sa_000001" else captions
            gone = [(caption, ["too_short"]) for caption in captions if caption not in kept]
            releases.put_curated(stricter, track, shard, kept, gone)
        releases.put_duplicates(stricter, track, {})
    export_release(stricter, "v2")
    facts = compared(local)
    was = campaign.recipe.source["quality"]["language"]["en"].get("min_chars")
    assert facts["settings"] == {"quality.language.en.min_chars": (was, 99)}
    moved = {"too_short": {"rows": 3, "same_caption": 3}}
    assert facts["tracks"]["single_en"]["removed_by_reason"] == moved
    card = local.read("releases/v2/README.md").decode()
    section = card.split("## Changes since v1")[1].split("##")[0]
    assert f"| setting `quality.language.en.min_chars` | `{was}` | `99` |" in section
    assert "| `too_short` in `single_en` | 0 | 3 |" in section
    assert "| rows of `single_en` | 6 | 3 |" in section


def test_json_and_page_say_the_same_and_lie_beside_the_releases(two_releases, facts):
    kept = json.loads(read(facts["json"]))
    assert kept["tracks"] == facts["tracks"]
    assert set(kept["examples"]) == set(KINDS)
    page = pages.Page(read(facts["page"]))
    assert "off_topic" in page.text
    assert all(f"{n}" in page.text for n in (15, 13))
    assert not list(two_releases.list("releases/v2/v1"))
    for key in (facts["json"], facts["page"]):
        assert "/diffs/v1/v2." in key


def test_the_page_shows_photographs_and_no_text_of_it_runs(facts):
    html = read(facts["page"])
    page = pages.Page(html)
    assert page.all("script") == []
    assert len(page.all("style")) == 1
    assert all("onmouseover" not in attributes for _, attributes in page.elements)
    assert HOSTILE.split()[0] in page.text
    assert SCRIPT in page.text
    sources = [image["src"] for image in page.all("img")]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert "default-src 'none'" in policy


def test_marks_of_these_very_captions_give_a_win_rate(two_releases, tmp_path):
    shutil.copytree(two_releases.root, tmp_path / "copy")
    store = FileStore(tmp_path / "copy")
    assert compared(store)["tracks"]["single_en"]["marks"] is None
    sample = "single_en/sa_000000/2"
    was = text_digest(releases.captions_of("single_en", "sa_000000", 2)[1])
    is_ = text_digest("Short one.")
    pair = {"sample_id": sample, "left": "v2", "right": "v1", "left_xxh3": is_, "right_xxh3": was}
    other = text_digest("Words of neither.")
    MarkLog(store, "test").add(
        PairMark(who="a", better=Better.LEFT, **pair),
        PairMark(who="b", better=Better.RIGHT, **pair),
        PairMark(who="b", better=Better.LEFT, **pair),
        PairMark(who="c", better=Better.RIGHT, **pair),
        PairMark(who="d", better=Better.NEITHER, **pair),
        PairMark(who="e", better=Better.LEFT, **pair | {"left_xxh3": other}),
        CaptionMark(who="a", sample_id=sample, text_xxh3=was, judgement=Judgement.GOOD),
        CaptionMark(who="a", sample_id=sample, text_xxh3=is_, judgement=Judgement.BAD),
        CaptionMark(who="b", sample_id=sample, text_xxh3=was, judgement=Judgement.GOOD),
        CaptionMark(who="c", sample_id=sample, text_xxh3=was, judgement=Judgement.WITHDRAWN),
        CaptionMark(who="d", sample_id=sample, text_xxh3=other, judgement=Judgement.GOOD),
    )
    facts = compared(store)
    marks = facts["tracks"]["single_en"]["marks"]
    assert marks["preferred"] == {"before": 1, "after": 2, "neither": 1}
    assert (marks["win_rate"]["marks"], marks["win_rate"]["share"]) == (3, 2 / 3)
    assert (marks["fit"]["before"]["share"], marks["fit"]["before"]["marks"]) == (1, 2)
    assert (marks["fit"]["after"]["share"], marks["fit"]["after"]["marks"]) == (0, 1)
    assert "66.7%" in pages.Page(read(facts["page"])).text
    back = compared(store, "v2", "v1")["tracks"]["single_en"]["marks"]
    assert back["preferred"] == {"before": 2, "after": 1, "neither": 1}


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_interval_holds_the_share_and_narrows(whole, part):
    one = share(round(part * whole), whole)
    assert 0 <= one["low"] <= one["share"] <= one["high"] <= 1
    many = share(100 * round(part * whole), 100 * whole)
    assert many["high"] - many["low"] < one["high"] - one["low"]


def test_changed_words_are_marked_on_both_sides(facts):
    page = pages.Page(read(facts["page"]))
    assert page.all("del")
    assert page.all("ins")


def test_a_page_without_photographs_says_so(two_releases, tmp_path):
    shutil.copytree(two_releases.root, tmp_path / "copy")
    bare = FileStore(tmp_path / "copy")
    for key in list(bare.list("shards/")):
        bare.delete(key)
    page = pages.Page(read(compared(bare)["page"]))
    assert page.all("img") == []
    assert "cannot be shown" in page.text


def test_examples_are_drawn_by_the_seed_and_spread_over_the_tracks(local):
    campaign = releases.ready_campaign(local, rows=6)
    export_release(campaign, "v1")
    for track in campaign.tracks:
        for shard in campaign.recipe.shards:
            captions = [f"Anew: {text}" for text in releases.captions_of(track, shard, 6)]
            releases.put_curated(campaign, track, shard, captions)
        releases.put_duplicates(campaign, track, {})
    export_release(campaign, "v2")

    def drawn(seed):
        facts = compared(local, seed=seed)
        rows = json.loads(read(facts["json"]))["examples"]["changed"]
        return [row["sample_id"] for row in rows]

    assert drawn(1) == drawn(1) != drawn(2)
    assert len(set(drawn(1))) == EXAMPLES
    by_track = [sum(name.startswith(track) for name in drawn(1)) for track in campaign.tracks]
    assert by_track == [5, 5, 5, 5]

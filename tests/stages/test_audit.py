import dataclasses
import json

import pytest
from typer.testing import CliRunner

from sa1b_captions import layout
from sa1b_captions.caption.engines.openai.engine import OpenAIEngine
from sa1b_captions.cli import app, captioning, common
from sa1b_captions.errors import EXIT_PERMANENT, PermanentError, RetryableError
from sa1b_captions.freshness.shard_freshness import read_shard
from sa1b_captions.mark_logs import MarkLog
from sa1b_captions.marks import SentenceMark, Support
from sa1b_captions.outputs import read_answers
from sa1b_captions.receipts.receipt_files import audit_place, read_receipt
from sa1b_captions.stages.auditing.audit import audit_shards
from sa1b_captions.stages.auditing.audit_findings import Reviews, find_in_release, find_in_shard
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.openai_server import content, serve
from tests.support.planted_falsehoods import Judge, plant
from tests.support.receipts import read_curate_receipts

SHARD = "sa_000000"
SENSITIVITY, SPECIFICITY = 0.8, 0.95


def curated(tmp_path, world, track="single_en", **audit):
    """A campaign whose shard holds a world's captions, all accepted."""
    recipe = builders.demo_recipe(audit={"captions_per_shard": 1000, **audit})
    campaign = builders.demo_campaign(FileStore(tmp_path), recipe)
    builders.put_shard(campaign.store, SHARD, world.jpegs)
    table = builders.caption_rows(recipe, track, SHARD, list(world.captions.values()))
    builders.put_captions(campaign, SHARD, track, table)
    found = curate_shard(campaign, SHARD, tracks=[track])["tracks"][track]
    assert found["accepted"] == len(world.captions)
    return campaign


def audit(campaign, judge, track="single_en", **options):
    """Audit through the real protocol; returns the receipt and what the server was asked."""
    with serve(answer=judge) as server:

        def open_judge():
            engine = OpenAIEngine(campaign.recipe.model, (server.url,), window=8, patience_s=5.0)
            engine.wait_until_ready()
            return engine

        audit_shards(campaign, [SHARD], open_judge, tracks=[track], **options)
        requests = server.requests
    return read_receipt(campaign.store, audit_place(campaign.name, track, SHARD)), requests


def never():
    raise AssertionError("no judge is needed")


def answers(campaign, receipt):
    return read_answers(campaign, receipt).to_pylist()


def image_of(row):
    return int(row["sample_id"].rpartition("/")[2])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_perfect_judge_refuses_what_is_false_and_nothing_else(tmp_path, language):
    track = f"single_{language}"
    world = plant(12, 0.2, language=language)
    campaign = curated(tmp_path, world, track)
    receipt, _ = audit(campaign, Judge(world), track)
    rows = answers(campaign, receipt)
    assert len(rows) == len(world.false) == sum(receipt.answers.values())
    refused = {(image_of(row), row["sentence"]): row["answer"] == "no" for row in rows}
    assert refused == world.false
    for row in rows:
        text = world.captions[image_of(row)]
        assert text[row["start"] : row["end"]] == row["text"]
    assert receipt.counts.refused == sum(world.false.values())
    assert receipt.judges_itself


def test_each_question_holds_one_sentence_behind_the_images(tmp_path):
    world = plant(5, 0.2)
    _, requests = audit(curated(tmp_path, world), Judge(world))
    sentences = []
    for body in requests:
        parts = content(body)
        assert [part["type"] for part in parts] == ["image_url", "text"]
        assert (body["logprobs"], body["top_logprobs"], body["max_tokens"]) == (True, 20, 8)
        sentences.append(parts[-1]["text"].rpartition("Sentence: ")[2])
    said = " ".join(world.captions.values())
    assert sorted(sentences) == sorted(f"{one.strip()}." for one in said.split(".") if one.strip())
    by_image = [parts for parts in zip(*[iter(sentences)] * 4, strict=True)]
    assert any(list(four) != sorted(four, key=said.index) for four in by_image)


def test_a_judge_without_probabilities_is_taken_at_its_word(tmp_path):
    world = plant(6, 0.3)
    campaign = curated(tmp_path, world)
    receipt, _ = audit(campaign, Judge(world, tells=False))
    rows = answers(campaign, receipt)
    assert {row["yes_logprob"] for row in rows} == {None}
    assert receipt.counts.refused == sum(world.false.values())


def test_a_judge_that_does_not_answer_the_question_is_refused(tmp_path):
    world = plant(6, 0.3)
    campaign = curated(tmp_path, world)
    with pytest.raises(PermanentError, match="because that is what I see.*choose another"):
        audit(campaign, Judge(world, tells=False, talks=True), max_failure_share=0.05)
    assert read_receipt(campaign.store, audit_place(campaign.name, "single_en", SHARD)) is None


def test_what_is_audited_is_not_asked_again(tmp_path):
    world = plant(4, 0.3)
    campaign = curated(tmp_path, world)
    first, _ = audit(campaign, Judge(world))
    audit_shards(campaign, [SHARD], never, tracks=["single_en"])
    again, _ = audit(campaign, Judge(world), force=True)
    assert again.id != first.id
    assert again.files == first.files


def test_a_judge_that_is_lost_leaves_nothing_and_the_next_run_goes_on(tmp_path):
    world = plant(6, 0.3)
    campaign = curated(tmp_path, world)

    class Dying:
        name, model, model_revision = "openai", "preview", "1"
        window, needs_pixels = 2, False
        closed = False

        def caption(self, request):
            raise RetryableError("the judge is gone")

        def close(self):
            Dying.closed = True

    with pytest.raises(RetryableError, match="gone"):
        audit_shards(campaign, [SHARD], Dying, tracks=["single_en"])
    assert Dying.closed
    assert list(campaign.store.list(f"{layout.campaign_prefix(campaign.name)}audit/")) == []
    receipt, _ = audit(campaign, Judge(world))
    assert receipt.drawn == 6


def test_a_shard_gives_as_many_captions_as_the_recipe_asks_for(tmp_path):
    world = plant(20, 0.1)
    campaign = curated(tmp_path, world, captions_per_shard=7)
    receipt, _ = audit(campaign, Judge(world))
    assert (receipt.drawn, receipt.accepted) == (7, 20)
    assert len({row["sample_id"] for row in answers(campaign, receipt)}) == 7


def test_other_captions_and_other_questions_make_an_audit_stale(tmp_path):
    world = plant(6, 0.3)
    campaign = curated(tmp_path, world)
    audit(campaign, Judge(world))
    assert set(read_shard(campaign, SHARD).audits.fresh) == {"single_en"}
    curate_shard(campaign, SHARD, tracks=["single_en"], force=True)
    assert set(read_shard(campaign, SHARD).audits.fresh) == {"single_en"}, "the same were accepted"

    more = dataclasses.replace(campaign.recipe.audit, captions_per_shard=3)
    asks_less = dataclasses.replace(
        campaign, recipe=dataclasses.replace(campaign.recipe, audit=more)
    )
    (stale,) = read_shard(asks_less, SHARD).audits.stale
    assert "asks otherwise" in stale.why
    assert stale.command == f"sa1b-captions audit --shards {SHARD} --tracks single_en"

    texts = list(world.captions.values())[::-1]
    table = builders.caption_rows(campaign.recipe, "single_en", SHARD, texts)
    builders.put_captions(campaign, SHARD, "single_en", table)
    (stale,) = read_shard(campaign, SHARD).audits.stale
    assert "about are stale" in stale.why
    curate_shard(campaign, SHARD, tracks=["single_en"])
    (stale,) = read_shard(campaign, SHARD).audits.stale
    assert "other captions are accepted" in stale.why


def test_without_the_section_there_is_no_audit(tmp_path):
    world = plant(4, 0.3)
    campaign = curated(tmp_path, world)
    audit(campaign, Judge(world))
    plain = dataclasses.replace(campaign, recipe=dataclasses.replace(campaign.recipe, audit=None))
    assert plain.recipe.fingerprint == campaign.recipe.fingerprint
    assert read_shard(plain, SHARD).audits is None
    with pytest.raises(PermanentError, match=r"add a section \[audit\]"):
        audit_shards(plain, [SHARD], never)


def test_an_archive_that_was_dropped_is_named_with_what_brings_it_back(tmp_path):
    world = plant(4, 0.3)
    campaign = curated(tmp_path, world)
    campaign.store.delete(layout.archive_key(SHARD))
    with pytest.raises(PermanentError, match="ingest --shards sa_000000 --force, then audit"):
        audit_shards(campaign, [SHARD], never, tracks=["single_en"])


def test_an_image_that_the_archive_does_not_have_any_more_is_named(tmp_path):
    world = plant(4, 0.3)
    campaign = curated(tmp_path, world)
    builders.put_shard(campaign.store, SHARD, {1: world.jpegs[1]})
    with pytest.raises(PermanentError, match=r"image \d of single_en/sa_000000/\d is not in"):
        audit_shards(campaign, [SHARD], never, tracks=["single_en"])


def test_the_prefix_cache_makes_an_audit_cheap(tmp_path):
    world = plant(5, 0.2)
    receipt, _ = audit(curated(tmp_path, world), Judge(world))
    tokens = receipt.tokens
    assert tokens.questions > 20 * 3400
    assert tokens.computed < 0.35 * tokens.questions
    assert tokens.cached == 20 * 3328
    assert tokens.captions > 5 * 1800


def mark_all(campaign, world, rows, count, draw="d1"):
    """A person marks so many refused and so many other sentences, and is right."""
    log = MarkLog(campaign.store, campaign.name)
    by_kind = {True: [], False: []}
    for row in rows:
        by_kind[row["answer"] == "no"].append(row)
    for found in by_kind.values():
        for row in found[:count]:
            false = world.false[image_of(row), row["sentence"]]
            log.add(
                SentenceMark(
                    sample_id=row["sample_id"],
                    text_xxh3=row["text_xxh3"],
                    sentence=row["sentence"],
                    supported=Support.NO if false else Support.YES,
                    who="ada",
                    draw=draw,
                )
            )


@pytest.mark.parametrize("seed", range(3))
def test_marks_bring_a_judge_of_known_errors_to_the_truth(tmp_path, seed):
    world = plant(60, 0.15, seed)
    campaign = curated(tmp_path, world)
    campaign = dataclasses.replace(
        campaign,
        recipe=dataclasses.replace(campaign.recipe, shards=(SHARD,)),
        tracks=("single_en",),
    )
    receipt, _ = audit(campaign, Judge(world, SENSITIVITY, SPECIFICITY, seed))
    receipts = {"single_en": read_curate_receipts(campaign, "single_en", [SHARD])}
    found = find_in_release(campaign, receipts, Reviews(campaign)).everything
    assert found.corrected is None
    assert "nobody has marked" in found.uncalibrated
    mark_all(campaign, world, answers(campaign, receipt), 60)
    found = find_in_release(campaign, receipts, Reviews(campaign)).everything
    assert found.corrected.low <= world.share_false <= found.corrected.high
    assert found.quality.recall.low <= SENSITIVITY <= found.quality.recall.high
    assert found.quality.reviewers == 1
    assert {one.by for one in found.slices} == {"position", "length", "language"}


def test_the_worst_sentences_are_those_that_were_refused(tmp_path):
    world = plant(8, 0.2)
    campaign = curated(tmp_path, world)
    receipt, _ = audit(campaign, Judge(world))
    found = find_in_shard(campaign, {"single_en": receipt}, Reviews(campaign))
    assert 0 < len(found.worst) <= 8
    for one in found.worst:
        image = int(one.sample_id.rpartition("/")[2])
        text = world.captions[image][one.start : one.end]
        place = [s.strip() + "." for s in world.captions[image].split(".")].index(text)
        assert world.false[image, place]
        assert one.probability == pytest.approx(0.9 / 0.98, abs=1e-3)
    assert found.tracks["single_en"].corrected is None


def test_a_section_that_is_new_in_the_deployments_recipe_is_taken_from_there(tmp_path, monkeypatch):
    """A pod has none, and takes what curate stored."""
    world = plant(4, 0.3)
    campaign = curated(tmp_path, world)
    stored = {k: v for k, v in campaign.recipe.source.items() if k != "audit"}
    campaign.store.write(layout.recipe_key("test"), json.dumps(stored).encode())
    monkeypatch.setenv("CAPTIONS_ROOT", f"file://{tmp_path}")
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", "test")
    monkeypatch.setenv("CAPTIONS_JUDGE_ENGINE", "openai")
    arguments = ["audit", "--shards", "0", "--tracks", "single_en"]
    monkeypatch.setattr(captioning, "load_recipe", lambda name: builders.demo_recipe())
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == EXIT_PERMANENT
    for module in (captioning, common):
        monkeypatch.setattr(module, "load_recipe", lambda name: campaign.recipe)
    with serve(answer=Judge(world)) as server:
        monkeypatch.setenv("CAPTIONS_JUDGE_URLS", server.url)
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output.strip().splitlines()[-1])
    assert found["shards"][SHARD]["tracks"]["single_en"]["drawn"] == 4
    assert "audit" in json.loads(campaign.store.read(layout.recipe_key("test")))

"""The campaign board and a shard's page: what they say is what receipts and Airflow say."""

import dataclasses
import datetime as dt
import json
import re
import time

import pytest

from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.recipe import TRACKS
from sa1b_captions.records import content_digest
from sa1b_captions.shards import shard_name
from sa1b_captions.stages.status import campaign_summary
from sa1b_captions.stages.status.outlook import outlook
from sa1b_captions.stages.status.status import read_status
from sa1b_captions.storage import open_store_url
from tests.support import builders, console_pages, receipts
from tests.support.counting_store import CountingStore

SHARDS = 40
LINE = "sa_000030 75/100 samples (single_en 75/100), 3.9 images/s, <b>790</b> tokens/s"


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    """Eight shards are done, one is captioned in a track, and the rest waits."""
    monkeypatch.setenv("CAPTIONS_ROOT", tmp_path.as_uri())
    recipe = builders.demo_recipe(shards=f"0-{SHARDS - 1}")
    monkeypatch.setattr("sa1b_console.common.load_recipe", lambda name: recipe)
    campaign = open_campaign(open_store_url(tmp_path.as_uri()), "test", recipe)
    for number in range(8):
        shard = shard_name(number)
        receipts.put_ingest(campaign.store, shard)
        for track in TRACKS:
            receipts.put_caption(campaign, track, shard, {"ok": 100})
            rejected = 60 if number == 5 else 2 + number % 2
            receipts.put_curate(campaign, track, shard, 100 - rejected, rejected)
        receipts.put_shard_validation(campaign, shard)
    receipts.put_caption(campaign, "single_en", "sa_000008", {"ok": 100})
    return campaign


def get(client, path, status=200):
    text = console_pages.get(client, path, status).text
    return " ".join(re.sub(r"<[^>]+>", " ", text).split()), text


def test_the_board_says_what_status_says(login, campaign):
    told = outlook(read_status(campaign), dt.datetime.now(dt.UTC))
    text, _ = get(login(), "/")
    assert f"Captioned {told.captioned} of {told.shards} shards" in text
    assert "from the 8 shards captioned since" in text
    assert "receipts as of" in text
    assert told.shards_per_day is not None
    assert f"for {told.left:,.1f} shards at this rate" in text
    assert "CAPTIONS_PRICE_PER_GPU_HOUR is not set" in text
    assert "Rejected 9.6%" in text


def test_a_few_shards_give_no_rate(login, campaign):
    for number in range(5):
        campaign.store.delete(layout.caption_receipt_key("test", "multi_zh", shard_name(number)))
    text, _ = get(login(), "/")
    assert "Captioned 3 of 40 shards" in text
    assert "it takes five shards or more" in text


def test_costs_are_hours_times_gpus_times_the_price(login, campaign, monkeypatch):
    monkeypatch.setenv("CAPTIONS_RUNTIME", "pod")
    monkeypatch.setenv("CAPTIONS_WORKER_IMAGE", "worker:1")
    monkeypatch.setenv("CAPTIONS_PRICE_PER_GPU_HOUR", "2.5")
    for number in range(8):
        for track in TRACKS:
            key = layout.curated_key("test", track, shard_name(number), "metrics.json")
            metrics = {"captioned_from": "2026-11-01T00:00:00+00:00"}
            metrics |= {"captioned_to": "2026-11-01T03:00:00+00:00"}
            metrics["captioned"] = {"rows": 100, "chars": [[640, 100]], "tokens": [[108, 100]]}
            data = json.dumps(metrics).encode()
            campaign.store.write(key, data)
            files = {"metrics.json": content_digest(data)}
            receipts.put_curate(campaign, track, shard_name(number), 98, 2, files=files)
        receipts.put_shard_validation(campaign, shard_name(number))
    text, _ = get(login(), "/")
    assert "GPU-hours spent 96.0 captioning 8 shards × 4 GPUs" in text
    assert "Cost 240 spent" in text
    assert "at CAPTIONS_PRICE_PER_GPU_HOUR, 2.5," in text
    assert "Tokens per second 4 " in text
    assert "Mean length in characters, single_en" in text
    assert "Slowest shards" in text


def test_the_odd_shard_is_named_and_leads_to_its_page(login, campaign):
    text, html = get(login(), "/")
    assert "Oddest shards" in text
    assert "sa_000005 single_en rejected 60.0% 2.5%" in text
    assert '<a href="/captions/board/sa_000005">sa_000005</a>' in html
    text, _ = get(login(), "/board/sa_000005")
    assert "What is odd about it" in text
    assert "single_en: rejected 60.0%, of all shards 2.5%" in text


def test_a_begun_shard_shows_its_part(login, campaign):
    _, html = get(login(), "/")
    assert '<a class="captioning p20" href="/captions/board/sa_000008"' in html
    assert '<a class="pass" href="/captions/board/sa_000000"' in html
    assert len(re.findall(r'<a class="[a-z]+[^"]*" href="/captions/board/', html)) == SHARDS


def test_running_pods_show_progress_and_node(login, campaign, put_task):
    run_id = put_task("sa_000030", progress=LINE, node="gpu-7")
    text, html = get(login(), "/")
    assert "sa_000030 caption deferred 2.0 " in text
    assert "gpu-7 sa_000030 75/100 samples" in text
    assert "&lt;b&gt;790" in html
    path = f"/dags/caption_shards/runs/{run_id.replace(':', '%3A').replace('+', '%2B')}"
    assert f'href="{path}/tasks/shard.caption/mapped/3"' in html
    assert '<a class="captioning p70" href="/captions/board/sa_000030"' in html


def test_a_shards_page_leads_to_its_task_its_log_and_its_report(login, campaign, put_task):
    put_task("sa_000007", "success", progress="sa_000007 100/100 samples")
    put_task("5-9", "success")
    text, html = get(login(), "/board/sa_000007")
    assert "pass · 100.0% captioned" in text
    assert "caption success 1.0" in text
    assert "100/100" not in text  # of a task that has ended
    links = re.findall(r'href="([^"]+)"', html)
    assert "/captions/shards/sa_000007" in links
    assert "/captions/gallery?shards=sa_000007" in links
    assert any(one.endswith("/tasks/shard.caption/mapped/3/details") for one in links)
    assert any(one.endswith("/tasks/shard.caption/mapped/3") for one in links)
    assert "knows of no task" not in text
    text, html = get(login(), "/board/sa_000039")
    assert "no quality report yet" in text
    assert "knows of no task" in text
    assert 'rel="next"' not in html
    get(login(), "/board/sa_000040", 404)
    get(login(), "/board/..%2frecipe", 404)


def test_tasks_are_for_those_whom_airflow_shows_them(login, campaign, put_task, monkeypatch):
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    def only_runs(self, *, access_entity=None, **_):
        return access_entity == DagAccessEntity.RUN

    put_task("sa_000030", progress=LINE)
    monkeypatch.setattr(SimpleAuthManager, "is_authorized_dag", only_runs)
    for path in ("/", "/board/sa_000030"):
        text, _ = get(login(), path)
        assert "Airflow does not let you see the tasks" in text
        assert "75/100" not in text


def test_a_track_that_is_none_is_refused(login, campaign):
    text, html = get(login(), "/?track=%3Cscript%3E", 404)
    assert "there is no track" in text
    assert "<script>" not in html


class SlowStore(CountingStore):
    """A store whose listings take a while, as those of a thousand shards do."""

    def stamps(self, keys):
        time.sleep(1.0)
        return super().stamps(keys)


def test_no_request_lists_the_store_once_a_summary_is_kept(campaign, monkeypatch):
    from sa1b_console.board import Board

    monkeypatch.setattr(campaign_summary, "WORTH_KEEPING", 1)
    expected = read_status(campaign)
    store = SlowStore(campaign.store.root)
    board = Board(dataclasses.replace(campaign, store=store))
    began = time.monotonic()
    seen = board.look()
    assert time.monotonic() - began < 0.9
    assert (seen.status, seen.asked_at) == (expected, None)
    assert store.calls["read"] == 1
    deadline = time.monotonic() + 60
    while board.look().asked_at is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert board.look().status == expected


def test_a_store_that_fails_later_leaves_what_was_known(campaign, monkeypatch):
    from sa1b_captions.errors import RetryableError
    from sa1b_console import board as module

    board = module.Board(campaign)
    assert board.look().fault == ""

    def fail(campaign):
        raise RetryableError("the store is away")

    monkeypatch.setattr(module, "read_status", fail)
    deadline = time.monotonic() + 60
    while not (seen := board.look()).fault and time.monotonic() < deadline:
        time.sleep(0.05)
    assert seen.fault == "the store is away"
    assert len(seen.status.shards) == SHARDS


def test_a_damaged_receipt_is_named_where_nothing_is_known(login, campaign):
    key = layout.curate_receipt_key("test", "multi_zh", "sa_000002")
    campaign.store.write(key, b"[]")
    text, _ = get(login(), "/", 503)
    assert "multi_zh/sa_000002" in text

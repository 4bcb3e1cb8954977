"""Ingest under a wrong clock: links end, and servers are waited for, by the server's time."""

import datetime as dt
import os
import subprocess
import sys

import httpx
import pytest

from sa1b_captions.errors import EXIT_PERMANENT
from sa1b_captions.ingest.downloading.replies import Interrupted, read_reply
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.fault_server import serve
from tests.support.jumping_clock import DAY_S, YEAR_S, JumpingClock

ARCHIVE = builders.make_archive(builders.sa1b_members([1, 2, 3]))


def ingest(server, folder, clock, ends_in_s):
    """The real process, with a link that ends then by the right time."""
    end = int(dt.datetime.now(dt.UTC).timestamp()) + ends_in_s
    links = server.links().replace("oe=7fffffff", f"oe={end:x}")
    command = [sys.executable, "-m", "sa1b_captions", "ingest", "--shards", "0", "--links", "-"]
    environ = os.environ | clock.environ | {"CAPTIONS_ROOT": folder.as_uri()}
    return subprocess.run(command, input=links, env=environ, capture_output=True, text=True)


@pytest.fixture
def clock(tmp_path):
    return JumpingClock(tmp_path / "clock")


def test_a_clock_that_is_ahead_ends_no_link(tmp_path, clock):
    clock.jump(YEAR_S)
    with serve(ARCHIVE) as server:
        done = ingest(server, tmp_path / "store", clock, ends_in_s=DAY_S)
    assert done.returncode == 0, done.stderr
    assert "SECRET" not in done.stderr
    receipt = read_receipt(FileStore(tmp_path / "store"), ingest_place("sa_000000"))
    assert receipt.images == 3


def test_a_link_that_the_server_calls_expired_stops_before_the_first_byte(tmp_path, clock):
    clock.jump(YEAR_S)
    with serve(ARCHIVE) as server:
        done = ingest(server, tmp_path / "store", clock, ends_in_s=-DAY_S)
    assert done.returncode == EXIT_PERMANENT
    assert "the link of sa_000000 expired at" in done.stderr
    assert "SECRET" not in done.stderr
    assert server.requests == []


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Date": "Fri, 01 Jan 2010 00:00:00 GMT"}, 90),
        ({"Date": "Fri, 01 Jan 2010 00:02:00 GMT"}, 0),
        ({"Date": "Thu, 01 Jan 2100 00:00:00 GMT"}, 0),
        ({}, None),
        ({"Date": "soon"}, None),
    ],
)
def test_a_moment_to_come_back_at_is_of_the_servers_clock(headers, wait_s):
    retry_after = {"Retry-After": "Fri, 01 Jan 2010 00:01:30 GMT"}
    with pytest.raises(Interrupted) as caught:
        read_reply(httpx.Response(503, headers=headers | retry_after), 0, "sa_000000")
    assert caught.value.retry_after_s == wait_s

"""Stores under a wrong clock: what is alive stays, and a refusal says that the clock is why."""

import contextlib
import datetime as dt
import os
import subprocess
import sys
import threading
import uuid
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.storage import FileStore, open_store_url
from tests.support.jumping_clock import DAY_S, MINUTE_S, YEAR_S, JumpingClock

CLEAR = """
import sys
from sa1b_captions.storage import open_store_url
open_store_url(sys.argv[1], sys.argv[2] or None).clear_unfinished("k", float(sys.argv[3]))
"""
EXISTS = """
import sys
from sa1b_captions.storage import open_store_url
open_store_url(sys.argv[1], sys.argv[2]).exists("k")
"""


def run(program, clock, *arguments):
    """A process that lives by another clock."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=os.environ | clock.environ, capture_output=True, text=True)


@pytest.fixture
def clock(tmp_path):
    return JumpingClock(tmp_path / "clock")


@pytest.fixture
def half_written(tmp_path):
    path = tmp_path / "store" / ".k.abc.partial"
    path.parent.mkdir()
    path.write_bytes(b"half")
    return path


@pytest.mark.parametrize("ahead_s", [YEAR_S, -YEAR_S])
def test_a_file_that_grows_is_alive_and_an_idle_one_is_not(half_written, clock, ahead_s):
    clock.jump(ahead_s)
    url = half_written.parent.as_uri()
    assert run(CLEAR, clock, url, "", "3600").returncode == 0
    assert half_written.exists()
    idle_since = dt.datetime.now(dt.UTC).timestamp() - 3601
    os.utime(half_written, (idle_since, idle_since))
    assert run(CLEAR, clock, url, "", "3600").returncode == 0
    assert not half_written.exists()
    assert list(FileStore(half_written.parent).root.iterdir()) == []


def test_an_upload_that_grows_is_alive(s3_client, s3_url, clock):
    bucket = f"b-{uuid.uuid4().hex}"
    s3_client.create_bucket(Bucket=bucket)
    target = {"Bucket": bucket, "Key": "k"}
    target["UploadId"] = s3_client.create_multipart_upload(**target)["UploadId"]
    s3_client.upload_part(**target, PartNumber=1, Body=b"half")
    clock.jump(10 * MINUTE_S)  # a server takes up to 15
    done = run(CLEAR, clock, f"s3://{bucket}", s3_url, str(5 * MINUTE_S))
    assert done.returncode == 0, done.stderr
    assert len(s3_client.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1


@pytest.mark.real_s3
@pytest.mark.parametrize("ahead_s", [DAY_S, -DAY_S])
def test_a_real_server_refuses_a_wrong_clock(s3_client, s3_url, clock, ahead_s):
    bucket = f"b-{uuid.uuid4().hex}"
    s3_client.create_bucket(Bucket=bucket)
    clock.jump(ahead_s)
    done = run(EXISTS, clock, f"s3://{bucket}", s3_url)
    assert "RetryableError" in done.stderr
    assert "clock is wrong" in done.stderr


@contextlib.contextmanager
def refusing(code, off_s):
    """A server that refuses everything, by a clock that much ahead of this machine's."""
    date = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=off_s)

    class Refusal(BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
            self.send_response_only(403)
            self.send_header("Date", format_datetime(date, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_PUT = do_GET

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


CALLS = {
    "read": lambda store: store.read("k"),
    "write": lambda store: store.write("k", b""),
    "exists": lambda store: store.exists("k"),
    "list": lambda store: list(store.list("")),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("off_s", [-YEAR_S, DAY_S])
def test_a_refusal_because_of_the_clock_says_so_and_may_pass(s3_url, call, off_s):
    with refusing("AccessDenied", off_s) as endpoint:
        store = open_store_url("s3://bucket", endpoint)
        with pytest.raises(RetryableError, match=r"clock is wrong: it says .* UTC.*set the clock"):
            CALLS[call](store)


def test_a_server_that_names_the_cause_is_believed(s3_url):
    with refusing("RequestTimeTooSkewed", 0) as endpoint:
        store = open_store_url("s3://bucket", endpoint)
        with pytest.raises(RetryableError, match="clock is wrong"):
            store.read("k")


@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_by_a_server_of_the_same_time_is_permanent(s3_url, call):
    with refusing("AccessDenied", MINUTE_S) as endpoint:
        store = open_store_url("s3://bucket", endpoint)
        with pytest.raises(PermanentError) as caught:
            CALLS[call](store)
    assert "clock" not in str(caught.value)

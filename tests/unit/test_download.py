import hashlib
import logging
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.ingest.downloading.download import Download
from sa1b_captions.ingest.downloading.http_client import Patience
from sa1b_captions.ingest.downloading.links import parse_links
from tests.support.fault_server import Fault, serve

OBJECT = random.Random(7).randbytes(60_000)
QUICK = Patience(stall_timeout_s=0.3, attempts=4, progress_bytes=1, backoff_s=0.5)


def open_download(server, patience=QUICK, pauses=None):
    link = parse_links(server.links())["sa_000000"]
    return Download(link, patience, sleep=(pauses if pauses is not None else []).append)


def assert_whole(download, data):
    assert data == OBJECT
    assert download.received_bytes == len(OBJECT)
    assert download.md5 == hashlib.md5(OBJECT).hexdigest()  # noqa: S324, as Meta's lists have it


def fetch(server, **options):
    download = open_download(server, **options)
    assert_whole(download, b"".join(download))
    return download


def refuse(server, error, match, patience=QUICK, pauses=None):
    """The download fails with this error, having given out only bytes of the object."""
    pieces = []
    with pytest.raises(error, match=match) as caught:
        pieces.extend(open_download(server, patience, pauses))
    assert OBJECT.startswith(b"".join(pieces))
    message = str(caught.value)
    assert "sa_000000 from http://127.0.0.1" in message
    assert "/objects/sa_000000.tar" in message
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert not any("SECRETSIGNATURE" in repr(link) for link in chain)


def test_an_untroubled_download_is_one_request():
    with serve(OBJECT) as server:
        download = fetch(server)
    assert server.requests == [None]
    assert (download.total_bytes, download.resumes) == (len(OBJECT), 0)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut_after=10_000),
        Fault(cut_after=10_000, reset=True),
        Fault(cut_after=10_000, stall_s=0.5),
        Fault(cut_after=10_000, chunked=True),
        Fault(cut_after=10_000, no_length=True),
        Fault(cut_after=0),
        Fault(status=503),
        Fault(status=429),
        Fault(status=408),
        Fault(status=500),
        Fault(redirect=True),
        Fault(chunked=True),
        Fault(no_length=True),
        Fault(headers={"Content-Encoding": "gzip"}),
    ],
    ids=str,
)
def test_a_fault_at_the_start_is_survived(fault):
    with serve(OBJECT, [fault]) as server:
        fetch(server)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(ignore_range=True),
        Fault(ignore_range=True, cut_after=4_000),
        Fault(ignore_range=True, cut_after=30_000),
        Fault(ignore_range=True, chunked=True),
        Fault(ignore_range=True, no_length=True),
        Fault(range_bytes=1_000),
        Fault(range_shift=-1_000),
        Fault(range_shift=1_000),
        Fault(headers={"Content-Range": "bytes nonsense"}),
        Fault(headers={"Content-Range": None}),
        Fault(headers={"Content-Range": f"bytes 10000-59999/{9**99}"}),
        Fault(status=416, headers={"Content-Range": "bytes */60000"}),
        Fault(status=416),
        Fault(headers={"ETag": None, "Last-Modified": None}),
        Fault(headers={"Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"}),
        Fault(redirect=True),
        Fault(headers={"ETag": 'W/"v1"'}),
        Fault(headers={"ETag": "v1"}),
        Fault(headers={"ETag": '"v1-gzip"'}),
        Fault(headers={"ETag": 'W/"v1;gzip"'}),
        Fault(headers={"ETag": ""}),
    ],
    ids=str,
)
def test_a_fault_while_resuming_is_survived(fault):
    with serve(OBJECT, [Fault(cut_after=10_000), fault]) as server:
        fetch(server)
    assert server.requests[0] is None
    assert server.requests[1] == "bytes=10000-"


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.builds(
            Fault,
            cut_after=st.integers(0, len(OBJECT)),
            reset=st.booleans(),
            ignore_range=st.booleans(),
            chunked=st.booleans(),
            redirect=st.integers(0, 5).map(lambda n: n == 0),
            status=st.sampled_from([None, None, None, None, 503]),
        ),
        max_size=6,
    )
)
def test_any_cuts_give_the_same_bytes(faults):
    with serve(OBJECT, faults) as server:
        fetch(server, patience=Patience(attempts=len(faults) + 1))


def test_a_server_without_sizes_or_ranges_is_read_to_its_real_end():
    bare = Fault(no_length=True, ignore_range=True)
    with serve(OBJECT, [Fault(no_length=True, cut_after=9_000), bare, bare]) as server:
        fetch(server)


def test_iterating_again_continues_where_it_stopped():
    with serve(OBJECT) as server:
        download = open_download(server)
        first = next(iter(download))
        assert_whole(download, first + b"".join(download))


@pytest.mark.parametrize("status", [401, 403, 404, 410])
@pytest.mark.parametrize("before", [[], [Fault(cut_after=5_000)]])
def test_a_refused_link_is_permanent(status, before):
    with serve(OBJECT, [*before, Fault(status=status)]) as server:
        refuse(server, PermanentError, f"{status}.*expired or is refused; download a new links")


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        (Fault(body=b"<html>", headers={"Content-Type": "text/html; charset=utf-8"}), "web page"),
        (Fault(status=204), "status 204"),
        (Fault(status=304), "status 304"),
        (Fault(status=400), "status 400"),
        (Fault(status=302, headers={"Location": "ftp://h/SECRETSIGNATURE"}), "leads nowhere"),
        (Fault(headers={"Content-Length": str(2**50)}, cut_after=1), "larger than"),
    ],
    ids=str,
)
def test_what_no_archive_comes_with_is_permanent(fault, match):
    with serve(OBJECT, [fault]) as server:
        refuse(server, PermanentError, match)


def test_a_redirect_loop_is_permanent():
    loop = Fault(status=302, headers={"Location": "/objects/sa_000000.tar?SECRETSIGNATURE"})
    with serve(OBJECT, [loop] * 9) as server:
        refuse(server, PermanentError, "leads nowhere")


OTHER = OBJECT[:20_000] + b"x" * 40_000


@pytest.mark.parametrize(
    "fault",
    [
        Fault(headers={"ETag": '"v2"'}),
        Fault(headers={"ETag": 'W/"v2-gzip"'}),
        Fault(body=OBJECT + b"more"),
        Fault(body=OBJECT[:30_000]),
        Fault(body=OBJECT[:10_000]),
        Fault(body=OBJECT[:9_000]),
        Fault(headers={"ETag": None, "Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"}),
        Fault(body=b"y" * len(OBJECT), ignore_range=True),
        Fault(ignore_range=True, chunked=True, body=b"y" * len(OBJECT)),
    ],
    ids=str,
)
def test_an_object_that_changed_is_never_joined_to_the_old_one(fault):
    with serve(OBJECT, [Fault(cut_after=10_000), fault]) as server:
        refuse(
            server,
            RetryableError,
            "changed while it was read.*parts that were kept .* are discarded",
        )


def test_a_server_that_keeps_failing_ends_the_download():
    pauses = []
    with serve(OBJECT, [Fault(cut_after=10_000)] + [Fault(status=500)] * 9) as server:
        refuse(server, RetryableError, "status 500 after 10,000 bytes, 4 times", pauses=pauses)
    assert len(server.requests) == 4
    assert [pause / 2**n for n, pause in enumerate(pauses)] == [pytest.approx(0.375, abs=0.125)] * 3


def test_progress_forgives_earlier_failures():
    with serve(OBJECT, [Fault(cut_after=1_000)] * 20) as server:
        assert fetch(server).resumes == 20


def test_crumbs_are_not_progress():
    with serve(OBJECT, [Fault(cut_after=10)] * 20) as server:
        refuse(server, RetryableError, "4 times", Patience(attempts=4, progress_bytes=1_000))


def test_a_trickle_is_given_up():
    with serve(OBJECT, [Fault(drip_s=0.04)]) as server:
        patience = Patience(stall_timeout_s=0.1, min_bytes_per_s=10**7, backoff_s=0)
        download = fetch(server, patience=patience)
    assert download.resumes == 1


def test_retry_after_is_obeyed_in_seconds_and_as_a_date():
    pauses = []
    date = Fault(status=503, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})
    past = Fault(status=429, headers={"Retry-After": "Fri, 01 Jan 2010 00:00:00 GMT"})
    with serve(OBJECT, [Fault(status=429, headers={"Retry-After": "17"}), past]) as server:
        fetch(server, pauses=pauses)
    assert pauses[0] == 17
    assert pauses[1] < 2
    with serve(OBJECT, [date]) as server:
        refuse(server, RetryableError, "the server asks to wait")


def test_an_address_nobody_listens_on_is_retryable():
    with serve(OBJECT) as server:
        download = open_download(server)
    with pytest.raises(RetryableError, match="ConnectError after 0 bytes, 4 times"):
        list(download)


def test_logs_never_show_the_signature(caplog):
    faults = [Fault(cut_after=3), Fault(status=503), Fault(redirect=True)]
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG), serve(OBJECT, faults) as server:
        fetch(server)
    assert "sa_000000.tar: status 503 after 3 bytes, asking again" in caplog.text
    assert "SECRETSIGNATURE" not in caplog.text

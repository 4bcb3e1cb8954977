import datetime as dt
import io
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.ingest.downloading.links import (
    parse_links,
    read_links,
    read_md5_list,
    require_fresh,
)
from sa1b_captions.storage import open_store_url

EXPIRES = dt.datetime(2026, 2, 14, 10, 32, tzinfo=dt.UTC)
OE = f"{int(EXPIRES.timestamp()):x}"
HOST = "https://scontent.xx.fbcdn.net/m1/v/t6/"
ROWS = (
    f"sa_000020.tar\t{HOST}An20.tar?oh=SECRET20&oe={OE}&_nc_sid=0\n"
    f"sa_images_ids.txt\t{HOST}ids.txt?oh=x&oe={OE}\n"
    f"sa_co_gold.tar\t{HOST}gold.tar?oh=x&oe={OE}\n"
    f"sa_000000.tar\t{HOST}An0.tar?oh=SECRET0&oe={OE}&_nc_sid=0"
)


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        f"file_name\tcdn_link\n{ROWS}",
        f"\ufefffile_name\tcdn_link\n{ROWS}\n",
        ROWS.replace("\n", "\r\n") + "\r\n",
        ROWS.replace("\n", "\r"),
        "\n\n" + ROWS.replace("\n", "\n\n"),
        ROWS.replace("\t", "    "),
        "\n".join('"' + row.replace("\t", '"\t"') + '"' for row in ROWS.split("\n")),
    ],
    ids=["plain", "header", "bom", "crlf", "cr", "blank-lines", "spaces", "quoted"],
)
def test_every_form_of_the_file_gives_the_same_links(text):
    links = parse_links(text)
    assert sorted(links) == ["sa_000000", "sa_000020"]
    assert links["sa_000020"].url.endswith(f"oh=SECRET20&oe={OE}&_nc_sid=0")
    assert links["sa_000020"].expires_at == EXPIRES


URL = f"{HOST}An0.tar?_nc_cat=1&oh=00_AYC%2Fx%3D&oe={OE}&_nc_sid=0"


@pytest.mark.parametrize(
    "spoilt",
    [
        URL.replace("&", "&amp;"),
        URL.replace("&", "&amp;amp;"),
        URL.replace("&", "&#38;"),
        URL.replace("&", "&#x26;"),
        URL.replace("&", "\\u0026").replace("/", "\\/"),
        URL.replace("%", "%25"),
        URL.replace("%", "%2525"),
        quote(URL, safe=""),
        quote(quote(URL, safe=""), safe=""),
        quote(URL, safe=":/"),
        f"<{URL}>",
        f"'{URL}'",
    ],
)
def test_a_link_that_was_escaped_on_its_way_is_mended(spoilt):
    link = parse_links(f"sa_000000.tar\t{spoilt}")["sa_000000"]
    assert link.url == URL
    assert link.expires_at == EXPIRES


@pytest.mark.parametrize(
    "url", [URL, f"{HOST}a%20b.tar?copy=1&lt=2&amp=3", "http://h/a.tar?to=http%3A%2F%2Fh%3Fx%3D1"]
)
def test_a_link_that_only_looks_escaped_stays(url):
    assert parse_links(f"sa_000000.tar\t{url}")["sa_000000"].url == url


@given(st.text(alphabet=string.printable + "\ufeff\u2028é"))
def test_any_text_gives_links_or_a_permanent_error(text):
    try:
        links = parse_links(text)
    except PermanentError:
        return
    assert links


@given(
    st.lists(st.integers(0, 999_999), min_size=1, max_size=8, unique=True),
    st.randoms(use_true_random=False),
)
def test_row_order_does_not_matter(numbers, random):
    rows = [f"sa_{n:06d}.tar\thttps://h/{n}.tar?oe=7fffffff" for n in numbers]
    shuffled = random.sample(rows, len(rows))
    assert parse_links("\n".join(rows)) == parse_links("\n".join(shuffled))
    assert len(parse_links("\n".join(rows))) == len(numbers)


def test_a_shard_named_twice_keeps_the_link_that_expires_last():
    old, new = "sa_000000.tar\thttps://h/0.tar?oe=6000", "sa_000000.tar\thttps://h/0.tar?oe=7000"
    for text in (f"{old}\n{new}", f"{new}\n{old}"):
        assert parse_links(text)["sa_000000"].url.endswith("oe=7000")


@pytest.mark.parametrize("url", ["", "\tftp://host/a.tar", "\tsa_000001.tar", "\thttp://[SECRET"])
def test_a_row_without_a_usable_url_is_named_by_line_and_not_shown(url):
    with pytest.raises(PermanentError, match=r"line 2 .* sa_000000\.tar") as caught:
        parse_links(f"file_name\tcdn_link\nsa_000000.tar{url}")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "<!DOCTYPE html><html>", "sa_images_ids.txt\thttps://h/i"])
def test_a_file_without_archives_says_how_to_get_one(text):
    with pytest.raises(PermanentError, match="download the links file again"):
        parse_links(text)


def test_the_signature_shows_only_in_the_url():
    link = parse_links("sa_000000.tar\thttps://user:SECRET@h:8443/m1/0.tar?oh=SECRET")["sa_000000"]
    assert link.source == "https://h:8443/m1/0.tar"
    assert "SECRET" not in f"{link} {link!r} {link.source}"


NOW = EXPIRES - dt.timedelta(minutes=32)


@pytest.mark.parametrize(
    ("margin_min", "now", "words"),
    [
        (60, NOW, "expires too soon, at 2026-02-14 10:32 UTC"),
        (0, NOW + dt.timedelta(hours=1), "expired at 2026-02-14 10:32 UTC"),
    ],
)
def test_a_link_that_ends_within_the_margin_stops_the_run(margin_min, now, words):
    link = parse_links(ROWS)["sa_000000"]
    with pytest.raises(PermanentError, match=f"sa_000000 {words}.*download the links") as caught:
        require_fresh(link, now, dt.timedelta(minutes=margin_min))
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("query", ["", "?oe=", "?oe=nothex", "?oe=ffffffffffffffffff", "?x=1"])
def test_a_link_that_does_not_say_when_it_ends_is_taken_as_fresh(query):
    link = parse_links(f"sa_000000.tar\thttp://127.0.0.1:1/0.tar{query}")["sa_000000"]
    assert link.expires_at is None
    require_fresh(link, NOW, dt.timedelta(days=9999))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_links_are_read_from_a_path_or_a_key(tmp_path, encoding):
    store = open_store_url((tmp_path / "store").as_uri())
    store.write("links/meta.tsv", ROWS.encode(encoding))
    (tmp_path / "links.tsv").write_bytes(ROWS.encode(encoding))
    from_path = read_links(store, str(tmp_path / "links.tsv"))
    assert from_path == read_links(store, "store:links/meta.tsv") == parse_links(ROWS)


def test_links_are_read_from_standard_input(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(ROWS.encode())))
    assert read_links(open_store_url(tmp_path.as_uri()), "-") == parse_links(ROWS)


@pytest.mark.parametrize(
    "location", ["missing.tsv", "store:missing.tsv", "image.jpg", "connection:sa1b_links"]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, location, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "image.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(PermanentError, match=location.removeprefix("store:")):
        read_links(open_store_url(tmp_path.as_uri()), location)


def test_md5_list_is_read_as_md5sum_writes_it(tmp_path):
    store = open_store_url(tmp_path.as_uri())
    text = f"{'AB' * 16}  sa_000000.tar\n{'cd' * 16} *sa_000001.tar\r\nshort  sa_000002.tar\n"
    store.write("md5.txt", text.encode())
    expected = {"sa_000000": "ab" * 16, "sa_000001": "cd" * 16}
    assert read_md5_list(store, "store:md5.txt") == expected
    store.write("md5.txt", b"nothing here")
    with pytest.raises(PermanentError, match="no line such as"):
        read_md5_list(store, "store:md5.txt")

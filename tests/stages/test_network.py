"""Variables of the machine that keep HTTP from working are named, and their secrets are not."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sa1b_captions.errors import EXIT_PERMANENT, SettingsError
from sa1b_captions.ingest.downloading import download, http_client
from sa1b_captions.ingest.downloading.http_client import Patience, open_client
from sa1b_captions.settings import load_settings
from sa1b_captions.settings.network import (
    KEYS,
    PROXIES,
    fault_of_keys,
    fault_of_proxies,
    naming_variables,
)
from sa1b_captions.storage import open_store_url
from sa1b_captions.storage.s3_errors import store_errors


@pytest.fixture(autouse=True)
def _as_a_new_process(monkeypatch):
    for name in (*PROXIES, "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    http_client._ssl_context.cache_clear()
    yield
    http_client._ssl_context.cache_clear()


BAD = [
    ("SSL_CERT_FILE", "/no/cert.pem", "SSL_CERT_FILE=/no/cert.pem does not exist"),
    ("SSL_CERT_FILE", __file__, "holds no certificate"),
    ("SSLKEYLOGFILE", "/no/keys", "SSLKEYLOGFILE=/no/keys cannot be written"),
    ("ALL_PROXY", "socks5://host:1080", "ALL_PROXY=.*SOCKS.*use an HTTP proxy"),
    ("all_proxy", "socks5h://host:1080", "all_proxy=.*SOCKS"),
    ("ALL_PROXY", "socks://host:1080", "ALL_PROXY=.*SOCKS"),
    ("HTTPS_PROXY", "ftp://host:1080", "HTTPS_PROXY=.*no proxy; write http://host:port"),
    ("HTTP_PROXY", "http://host:3128\r", r"HTTP_PROXY='http://host:3128\\r' holds a blank or inv"),
    ("https_proxy", "http://host:3128\n", "https_proxy=.* holds a blank or invisible character"),
    ("NO_PROXY", "localhost,[::1]", "NO_PROXY=.* write IPv6 addresses without brackets"),
    ("no_proxy", "[::1]", "no_proxy=.* without brackets"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), BAD)
def test_what_keeps_a_download_from_starting_is_named(monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=sentence) as caught:
        open_client(Patience())
    assert caught.value.exit_code == EXIT_PERMANENT
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "host:3128"),
        ("HTTPS_PROXY", "http://user:secret@host:3128"),
        ("NO_PROXY", "localhost,::1,.svc,10.0.0.0/8"),
        ("SSL_CERT_DIR", "/no/folder"),
        ("ALL_PROXY", ""),
    ],
)
def test_what_works_is_let_work(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    open_client(Patience()).close()
    assert fault_of_proxies(brackets=True) == ""


def test_a_proxys_login_is_not_shown(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@host:3128\r")
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as caught:
        open_client(Patience())
    assert "secret" not in str(caught.value)


def test_a_cause_that_is_not_known_says_where_to_look():
    with (
        pytest.raises(SettingsError, match="something odd; check SSL_CERT_FILE"),
        naming_variables("no client"),
    ):
        raise ImportError("something\nodd")


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_missing_certificate_file_of_the_store_is_named(monkeypatch, name):
    monkeypatch.setenv(name, "/no/ca.pem")
    with pytest.raises(SettingsError, match=f"{name}=/no/ca.pem does not exist"):
        open_store_url("s3://b", "https://127.0.0.1:9")
    open_store_url("s3://b", "http://127.0.0.1:9")


def test_a_proxy_that_boto3_cannot_read_is_named(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9\r")
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "x")
    monkeypatch.setattr("sa1b_captions.storage.s3.MAX_ATTEMPTS", 1)
    with pytest.raises(SettingsError, match="http_proxy=.*invisible character"):
        open_store_url("s3://b", "http://127.0.0.1:9").read("k")


@pytest.mark.parametrize(
    ("kind", "variable"), [("SSLError", "AWS_CA_BUNDLE"), ("ProxyConnectionError", "HTTPS_PROXY")]
)
def test_what_boto3_says_of_a_connection_names_the_variable(monkeypatch, kind, variable):
    from botocore import exceptions

    monkeypatch.setenv("HTTPS_PROXY", "socks5://host:1080")
    details = {"endpoint_url": "https://h", "proxy_url": "p", "error": "CERTIFICATE_VERIFY_FAILED"}
    with pytest.raises(Exception, match=variable) as caught, store_errors("k", "s3://b"):
        raise getattr(exceptions, kind)(**details)
    assert caught.value.exit_code == EXIT_PERMANENT


def test_a_certificate_that_is_not_trusted_is_no_passing_fault(tmp_path):
    """A server with a certificate of its own making."""
    from sa1b_captions.errors import PermanentError
    from sa1b_captions.ingest.downloading.links import parse_links
    from tests.support.https_server import serve_https

    with serve_https(tmp_path) as url, contextlib.closing(open_client(Patience())) as client:
        link = parse_links(f"sa_000000.tar\t{url}/a.tar")["sa_000000"]
        with pytest.raises(PermanentError, match="not trusted; set SSL_CERT_FILE"):
            list(download.Download(link, client=client))


def test_the_result_is_utf8_whatever_the_locale_says():
    program = (
        "from sa1b_captions.cli import app, common\n"
        "@common.command\n"
        "def chinese() -> None:\n"
        "    common.print_result({'caption': chr(0x732b)})\n"
        "app(['chinese'])\n"
    )
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True)
    assert (done.returncode, done.stdout.decode()) == (0, '{"caption": "猫"}\n')
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 75
    assert "the result cannot be written to standard output" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", KEYS)
def test_a_key_of_the_store_with_a_line_break_is_named_and_not_shown(monkeypatch, name):
    for key in KEYS:
        monkeypatch.setenv(key, "secret")
    monkeypatch.setenv(name, "secret\n")
    with pytest.raises(SettingsError, match=f"{name} holds a blank or inv") as caught:
        open_store_url("s3://b", "http://127.0.0.1:9")
    assert "secret" not in str(caught.value)


def test_a_password_with_blanks_is_a_key(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a pässword")
    assert fault_of_keys() == ""


@pytest.mark.parametrize("key", ["sécret", "sec ret", "secret\x01x"])
def test_a_key_that_no_header_can_hold_is_named_and_not_shown(monkeypatch, key):
    monkeypatch.setenv("CAPTIONS_OPENAI_API_KEY", key)
    with pytest.raises(SettingsError, match="CAPTIONS_OPENAI_API_KEY is not usable") as caught:
        load_settings(needs_store=False)
    assert key not in str(caught.value)


def test_a_token_file_that_is_not_there_is_named(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it keeps the keys that it found once
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/token")
    with pytest.raises(SettingsError, match="/no/token.*check the AWS variables"):
        open_store_url("s3://b", "http://127.0.0.1:9").read("k")


def test_an_address_that_is_none_is_a_setting_to_correct(monkeypatch):
    for key in KEYS[:2]:
        monkeypatch.setenv(key, "x")
    with pytest.raises(SettingsError, match="check CAPTIONS_S3_ENDPOINT_URL"):
        open_store_url("s3://b", "http://host:99999").read("k")


def test_threads_that_numba_cannot_have_are_a_setting_to_correct():
    command = [sys.executable, "-c", "import sa1b_captions.quality.kernels"]
    environment = os.environ | {"NUMBA_NUM_THREADS": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert "SettingsError: numba does not start" in done.stderr
    assert "NUMBA_NUM_THREADS" in done.stderr

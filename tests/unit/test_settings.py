import dataclasses
import datetime as dt

import pytest

from sa1b_captions.errors import SettingsError
from sa1b_captions.settings import load_settings, worker_environment

ROOT = {"CAPTIONS_ROOT": "s3://bucket/prefix/"}


def test_defaults_need_only_the_root():
    settings = load_settings(ROOT)
    assert settings.captions_root == "s3://bucket/prefix"
    assert settings.shards_per_run == 10
    assert settings.start_date == dt.date(2026, 11, 1)


def test_a_missing_root_names_the_variable():
    with pytest.raises(SettingsError, match=r"CAPTIONS_ROOT is not set.*\.env\.example"):
        load_settings({"CAPTIONS_ROOT": " "})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CAPTIONS_ROOT", "/tmp/x"),
        ("CAPTIONS_ROOT", "file://relative"),
        ("CAPTIONS_SHARDS_PER_RUN", "0"),
        ("CAPTIONS_SHARDS_PER_RUN", "ten"),
        ("CAPTIONS_SHARDS_PER_POD", "11"),
        ("CAPTIONS_START_DATE", "01.11.2026"),
        ("CAPTIONS_RUNTIME", "docker"),
        ("CAPTIONS_ENGINE", "gpt"),
        ("CAPTIONS_CAMPAIGN", "../x"),
        ("CAPTIONS_WINDOW", "0"),
        ("CAPTIONS_OPENAI_URLS", "captions-0:23333/v1"),
        ("CAPTIONS_OPENAI_URLS", "http://user:password@host/v1"),
        ("CAPTIONS_OPENAI_URLS", "http://:password@host/v1"),
        ("CAPTIONS_S3_ENDPOINT_URL", "https://user:password@host"),
        ("CAPTIONS_S3_ENDPOINT_URL", "host:9000"),
        ("CAPTIONS_S3_ENDPOINT_URL", "http://a,http://b"),
        ("CAPTIONS_ROOT", "s3://key:password@bucket/prefix"),
        ("CAPTIONS_OPENAI_URLS", "http://host/v1,http://host/v1/"),
        ("CAPTIONS_LMDEPLOY_OPTIONS", "quant_policy=8"),
        ("CAPTIONS_LMDEPLOY_OPTIONS", "[8]"),
    ],
)
def test_a_malformed_setting_names_the_variable_and_the_value(variable, value):
    with pytest.raises(SettingsError, match=variable):
        load_settings(ROOT | {variable: value})


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("CAPTIONS_SHARDS_PER_RUN", "ten", "expected a whole number of at least 1"),
        ("CAPTIONS_MAX_FAILURE_SHARE", "half", "expected a share from 0 to 1"),
    ],
)
def test_a_number_in_words_is_answered_in_words(variable, value, expected):
    with pytest.raises(SettingsError, match=expected):
        load_settings(ROOT | {variable: value})


def test_a_worker_elsewhere_reads_the_same_settings_but_no_secret():
    settings = load_settings(
        ROOT
        | {
            "CAPTIONS_OPENAI_URLS": "http://a:1/v1/, http://b/v1",
            "CAPTIONS_LMDEPLOY_OPTIONS": '{"quant_policy": 8}',
            "CAPTIONS_TENSOR_PARALLEL": "2",
            "CAPTIONS_OPENAI_API_KEY": "secret",
        }
    )
    there = load_settings(worker_environment(settings))
    assert there.openai_urls == ("http://a:1/v1", "http://b/v1")
    assert dataclasses.replace(settings, openai_api_key=None) == there
    assert "secret" not in str(worker_environment(settings))


def test_a_misspelt_variable_is_refused_with_the_right_name():
    with pytest.raises(SettingsError) as raised:
        load_settings(ROOT | {"CAPTIONS_SHARD_PER_RUN": "5", "CAPTIONS_XYZ": "1"})
    assert str(raised.value) == (
        "CAPTIONS_SHARD_PER_RUN is no setting (did you mean CAPTIONS_SHARDS_PER_RUN?); "
        "CAPTIONS_XYZ is no setting; docs/settings.md lists all"
    )


def test_variables_of_others_and_empty_ones_are_no_misspelt_settings():
    others = {"CAPTION_WINDOW": "5", "CAPTIONS_WINDOWS": " ", "AIRFLOW_HOME": "/x"}
    assert load_settings(ROOT | others) == load_settings(ROOT)


def test_variables_that_kubernetes_makes_of_a_service_are_no_misspelt_settings():
    service = {
        "CAPTIONS_SERVICE_HOST": "10.0.0.1",
        "CAPTIONS_SERVICE_PORT_HTTP": "80",
        "CAPTIONS_PORT_80_TCP_ADDR": "10.0.0.1",
        "CAPTIONS_PROXY_SERVICE_HOST": "10.0.0.2",
        "CAPTIONS_PROXY_PORT": "tcp://10.0.0.2:80",
    }
    assert load_settings(ROOT | service) == load_settings(ROOT)
    with pytest.raises(SettingsError, match="CAPTIONS_POST is no setting"):
        load_settings(ROOT | service | {"CAPTIONS_POST": "1"})


def test_a_refused_url_does_not_tell_its_password():
    urls = "http://a/v1,http://user:hunter2@b/v1"
    with pytest.raises(SettingsError, match="CAPTIONS_OPENAI_URLS.*a/v1.*b/v1") as raised:
        load_settings({"CAPTIONS_ROOT": "file:///x", "CAPTIONS_OPENAI_URLS": urls})
    assert "hunter2" not in str(raised.value)

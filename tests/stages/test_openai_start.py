import pytest

from sa1b_captions.caption.engines.openai.engine import open_engine
from sa1b_captions.errors import PermanentError, RetryableError, SettingsError
from sa1b_captions.records import CaptionStatus
from sa1b_captions.settings import load_settings
from tests.support.openai_client import RECIPE, engine_for, request
from tests.support.openai_server import serve


def test_a_url_without_v1_is_named():
    with serve() as server:
        server.url = server.url.removesuffix("/v1")
        with (
            pytest.raises(RetryableError, match="should end in /v1"),
            engine_for(server, patience_s=1.0),
        ):
            pass


def test_another_model_is_refused_at_start():
    with (
        serve(models=["internlm/other"]) as server,
        pytest.raises(PermanentError, match="serves internlm/other, the recipe needs preview"),
    ):
        open_engine(RECIPE, settings_for(server.url))


def test_a_key_is_sent_and_a_wrong_one_is_refused():
    with serve(key="secret") as server:
        engine = open_engine(RECIPE, settings_for(server.url, CAPTIONS_OPENAI_API_KEY="secret"))
        assert engine.caption(request()).status is CaptionStatus.OK
        engine.close()
        with pytest.raises(PermanentError, match="set CAPTIONS_OPENAI_API_KEY"):
            open_engine(RECIPE, settings_for(server.url))


def test_no_url_names_the_setting():
    with pytest.raises(SettingsError, match="CAPTIONS_OPENAI_URLS"):
        open_engine(RECIPE, load_settings({"CAPTIONS_ROOT": "file:///x"}))


def test_the_key_is_not_in_what_settings_print():
    assert "k3y" not in repr(settings_for("http://h/v1", CAPTIONS_OPENAI_API_KEY="k3y"))


def test_rows_name_the_revision_only_if_the_endpoint_does():
    with serve() as server, engine_for(server) as engine:
        assert (engine.name, engine.model, engine.model_revision) == (
            "openai",
            "preview",
            "unreported",
        )
    with serve(models=["preview@r1"]) as server, engine_for(server) as engine:
        assert (engine.model, engine.model_revision) == ("preview", "r1")
        assert engine.caption(request()).status is CaptionStatus.OK


def settings_for(url, **variables):
    return load_settings({"CAPTIONS_ROOT": "file:///x", "CAPTIONS_OPENAI_URLS": url} | variables)

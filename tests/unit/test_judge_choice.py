import pytest

from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.audits import audit_fingerprint
from sa1b_captions.settings import load_settings
from sa1b_captions.stages.auditing.judge_choice import judge_engine, judge_recipe, judge_settings
from tests.support import builders

OWN = {"CAPTIONS_ROOT": "file:///x", "CAPTIONS_OPENAI_URLS": "http://own/v1"}
KEYS = {"CAPTIONS_OPENAI_API_KEY": "own-key", "CAPTIONS_JUDGE_API_KEY": "judge-key"}


def test_the_judge_is_the_recipes_model_unless_the_audit_names_another():
    own = builders.demo_recipe(audit={})
    assert judge_recipe(own).model == own.model
    other = builders.demo_recipe(audit={"model": "judge-7b", "revision": "v2"})
    model = judge_recipe(other).model
    assert (model.id, model.revision, model.system_prompt) == ("judge-7b", "v2", "")
    assert other.fingerprint == own.fingerprint
    assert audit_fingerprint(other) != audit_fingerprint(own)


def test_what_only_weighs_answers_asks_nothing_anew():
    own, strict = (builders.demo_recipe(audit=a) for a in ({}, {"unsupported": [0.0, 0.01]}))
    assert audit_fingerprint(own) == audit_fingerprint(strict)
    assert audit_fingerprint(builders.demo_recipe()) == ""


def test_the_judges_servers_never_get_the_key_of_others():
    own = judge_settings(load_settings(OWN | KEYS))
    assert (own.openai_urls, own.openai_api_key) == (("http://own/v1",), "own-key")
    settings = load_settings(OWN | KEYS | {"CAPTIONS_JUDGE_URLS": "http://judge/v1"})
    other = judge_settings(settings)
    assert (other.openai_urls, other.openai_api_key) == (("http://judge/v1",), "judge-key")
    without = load_settings(
        OWN | {"CAPTIONS_OPENAI_API_KEY": "own-key"} | {"CAPTIONS_JUDGE_URLS": "http://judge/v1"}
    )
    assert judge_settings(without).openai_api_key is None


def test_the_preview_engine_cannot_judge():
    with pytest.raises(PermanentError, match="cannot judge sentences.*CAPTIONS_JUDGE_ENGINE"):
        judge_engine(load_settings(OWN))
    chosen = load_settings(OWN | {"CAPTIONS_JUDGE_ENGINE": "openai"})
    assert judge_engine(chosen) == "openai"
    assert judge_engine(chosen, "lmdeploy") == "lmdeploy"


def test_a_recipe_without_an_audit_is_told_what_to_add():
    with pytest.raises(PermanentError, match=r"add a section \[audit\]"):
        judge_recipe(builders.demo_recipe())

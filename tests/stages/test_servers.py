"""`sa1b-captions check-server` against servers in several moods."""

import functools
import io
import json
import logging
import threading

import pytest
from PIL import Image
from typer.testing import CliRunner

from sa1b_captions.caption.engines.openai import conformance
from sa1b_captions.caption.engines.openai.conformance import Speed, best_window
from sa1b_captions.cli import app
from sa1b_captions.recipe import load_recipe
from tests.support.openai_server import Answer, Fault, content, image_bytes, serve

MODEL = load_recipe("internvl").model
ENGLISH, CHINESE = {True: "red", False: "blue"}, {True: "红色", False: "蓝色"}


@functools.cache
def is_red(jpeg):
    """Whether the middle of an image is red."""
    with Image.open(io.BytesIO(jpeg)) as image:
        red, _, blue = image.getpixel((image.width // 2, image.height // 2))
    return red > blue


def colours(body):
    return [is_red(jpeg) for jpeg in image_bytes(body)]


def prompt(body):
    return content(body)[-1]["text"]


def seeing(body):
    """A model that sees colours, obeys limits and speaks both languages."""
    if body["max_completion_tokens"] == 4:
        return Answer("The image shows", "length")
    words = CHINESE if "图" in prompt(body) else ENGLISH
    return Answer(
        " and ".join(words[red] for red in colours(body)),
        first_tokens={"red": -0.01, "blue": -5.0},
    )


def refuses_long(body):
    if len(prompt(body)) < 10_000:
        return None
    return Fault(400, "This model's maximum context length is 8192 tokens.")


@pytest.fixture
def check(monkeypatch, caplog):
    """Run the command; its exit code, lines of output, result and log."""
    for name in ("CAPTIONS_ROOT", "CAPTIONS_RECIPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(conformance, "LONG_WORDS", 2_000)
    caplog.set_level(logging.INFO)

    def run(server, *options):
        arguments = ["check-server", server.url, "--patience-s", "2", "--most-in-flight", "2"]
        done = CliRunner().invoke(app, [*arguments, *options])
        lines = done.stdout.strip().splitlines()
        result = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else None
        return done.exit_code, done.stdout, result, caplog.text

    return run


def results(result):
    return {one["check"]: one["works"] for one in result["checks"]}


def test_a_server_that_does_it_all_passes_and_its_settings_are_shown(check):
    with serve(models=[MODEL.id], answer=seeing, odd=refuses_long) as server:
        code, output, result, _ = check(server)
    assert code == 0
    assert set(results(result).values()) == {True}
    assert list(results(result)) == [
        *("model", "image", "two images", "Chinese", "token limit is reported"),
        *("greedy decoding", "over-long prompt is refused", "probabilities of tokens"),
    ]
    assert "of 2 first tokens: red 99%, blue 1%" in output
    assert f"CAPTIONS_OPENAI_URLS={server.url}" in output
    assert f"CAPTIONS_WINDOW={result['window']}" in output
    assert result["speeds"][0]["tokens_per_s"] > 0
    assert "1 in flight" in output
    assert "tokens/s" in output


@pytest.mark.parametrize(
    ("answer", "broken"),
    [
        (lambda body: Answer("I see nothing."), {"image", "two images", "Chinese"}),
        (
            lambda body: (
                Answer(ENGLISH[colours(body)[0]]) if len(colours(body)) == 2 else seeing(body)
            ),
            {"two images"},
        ),
        (
            lambda body: Answer("blue and red") if len(colours(body)) == 2 else seeing(body),
            {"two images"},
        ),
        (
            lambda body: Answer(seeing(body).text.replace("红", "red"), seeing(body).finish_reason),
            {"Chinese"},
        ),
        (lambda body: Answer(seeing(body).text, "stop"), {"token limit is reported"}),
    ],
    ids=["blind", "first image only", "order lost", "no Chinese", "limit not reported"],
)
def test_what_captions_need_and_a_server_lacks_exits_with_65(check, answer, broken):
    with serve(models=[MODEL.id], answer=answer, odd=refuses_long) as server:
        code, output, result, log = check(server)
    assert code == 65
    assert broken <= {name for name, works in results(result).items() if not works}
    assert not result["works"]
    assert "cannot caption: " in log
    assert "FAILS" in output
    assert result["window"] is None


def test_what_is_only_odd_is_told_and_exits_with_0(check):
    """As llama.cpp with a shifting context does, or a server that ignores top_k."""
    said = iter(range(1000))

    def answer(body):
        found = seeing(body)
        return Answer(f"{found.text} {next(said)}", found.finish_reason)

    with serve(models=[MODEL.id], answer=answer) as server:
        code, output, result, _ = check(server)
    assert code == 0
    different = {name for name, works in results(result).items() if not works}
    assert different == {
        *("greedy decoding", "over-long prompt is refused", "probabilities of tokens")
    }
    assert "the server cuts prompts without a word" in output
    assert "is top_k ignored?" in output
    assert "not told: an audit takes the words of such a judge alone" in output


def test_a_server_that_refuses_to_tell_probabilities_captions_all_the_same(check):
    def odd(body):
        if body.get("logprobs"):
            return Fault(400, "logprobs is not supported")
        return refuses_long(body)

    with serve(models=[MODEL.id], answer=seeing, odd=odd) as server:
        code, output, result, _ = check(server)
    assert code == 0
    assert not results(result)["probabilities of tokens"]
    assert "logprobs is not supported" in output


def test_a_server_without_images_shows_its_own_words(check):
    refusal = Fault(400, "At most 0 image(s) may be provided in one request.")
    with serve(models=[MODEL.id], odd=lambda body: refusal) as server:
        code, output, _, _ = check(server)
    assert code == 65
    assert "At most 0 image(s)" in output


def test_a_server_that_fails_on_every_image_exits_with_65(check):
    with serve(models=[MODEL.id], odd=lambda body: Fault(500, "no kernel image")) as server:
        code, output, result, _ = check(server)
    assert code == 65
    assert len(result["checks"]) == 8
    assert "no kernel image" in output


def test_a_server_that_goes_away_midway_ends_the_table_and_exits_with_75(check):
    def leave(body):
        threading.Thread(target=server.stop).start()
        return Fault(stall_s=0.2, reset=True)

    with serve(models=[MODEL.id], odd=leave) as server:
        code, output, result, log = check(server, "--patience-s", "0.3")
    assert code == 75
    assert "stopped to answer" in log
    assert len(result["checks"]) == 8
    assert "FAILS" in output


def test_a_server_that_is_not_there_exits_with_75(check):
    with serve() as server:
        server.stop()
        code, _, _, log = check(server, "--patience-s", "0.2")
    assert code == 75
    assert "no replica has answered" in log


def test_a_server_of_another_model_exits_with_65_or_is_asked_by_its_name(check):
    with serve(models=["other"], answer=seeing, odd=refuses_long) as server:
        code, _, _, log = check(server)
        assert code == 65
        assert f"serves other, the recipe needs {MODEL.id}" in log
        code, output, result, _ = check(server, "--model", "other")
    assert (code, result["works"]) == (0, True)
    assert "a recipe whose [model] has this name" in output


def test_the_key_comes_from_the_setting_and_is_not_printed(check, monkeypatch):
    monkeypatch.setenv("CAPTIONS_OPENAI_API_KEY", "s3cret")
    with serve(models=[MODEL.id], answer=seeing, odd=refuses_long, key="s3cret") as server:
        code, output, _, log = check(server)
    assert code == 0
    assert "s3cret" not in output + log


def test_the_window_is_the_smallest_that_writes_nearly_as_much():
    speeds = [
        Speed(1, 1.0, 100.0),
        Speed(2, 1.9, 190.0),
        Speed(4, 3.0, 300.0),
        Speed(8, 3.1, 310.0),
    ]
    assert best_window(speeds) == 4
    assert best_window([Speed(1, 2.0, None), Speed(2, 2.1, None)]) == 1
    assert best_window([]) is None


def test_what_a_server_writes_cannot_steer_the_terminal(check):
    with serve(models=[MODEL.id], answer=lambda body: Answer("\x1b[2J\x07red")) as server:
        _, output, _, _ = check(server)
    assert "red" in output
    assert not {"\x1b", "\x07"} & set(output)


@pytest.mark.parametrize(
    "url",
    ["", "host", "ftp://host/v1", "http://host:99999/v1", "http://a:secret@h/v1", "file:///x"],
)
def test_a_url_that_is_none_exits_with_65_at_once(url, caplog):
    result = CliRunner().invoke(app, ["check-server", url])
    assert result.exit_code == 65
    assert "URL" in caplog.messages[-1]
    assert "secret" not in caplog.text

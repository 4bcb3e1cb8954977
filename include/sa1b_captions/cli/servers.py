"""The command that finds out what works with a server."""

import dataclasses
import logging
from typing import TYPE_CHECKING, Annotated

import typer

from sa1b_captions.cli.common import command, print_result
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import load_settings, parsers

if TYPE_CHECKING:
    from sa1b_captions.caption.engines.openai.conformance import Finding, Speed

_FIRST_PAUSE_S = 0.02
"""A table should not wait long for a server that fails again and again."""


@command
def check_server(
    url: Annotated[str, typer.Argument(help="Its URL, as http://host:23333/v1.")],
    model: Annotated[
        str | None, typer.Option(help="Name to ask for; by default the recipe's model.")
    ] = None,
    patience_s: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for a server that does not answer yet.")
    ] = 30.0,
    most_in_flight: Annotated[
        int, typer.Option(min=1, help="Requests at once, at most, to measure the speed with.")
    ] = 64,
) -> None:
    """Find out what works with an OpenAI-compatible server, and which settings to use."""
    from sa1b_captions.audit.judge import TOP_TOKENS
    from sa1b_captions.caption.engines.openai.conformance import ServerCheck, best_window
    from sa1b_captions.caption.engines.openai.engine import OpenAIEngine

    # Each question has an engine of its own, and the table says all that they would log.
    logging.getLogger(OpenAIEngine.__module__.rpartition(".")[0]).setLevel(logging.ERROR)
    url = _one_url(url)
    settings = load_settings(needs_store=False)
    recipe = load_recipe(settings.recipe)
    asked = dataclasses.replace(recipe.model, id=model) if model else recipe.model
    check = ServerCheck(
        lambda: OpenAIEngine(
            asked,
            (url,),
            api_key=settings.openai_api_key,
            window=most_in_flight,
            timeout_s=settings.request_timeout_s,
            patience_s=patience_s,
            first_pause_s=_FIRST_PAUSE_S,
        ),
        recipe,
        TOP_TOKENS,
    )
    findings = [_print_finding(finding) for finding in check.findings()]
    broken = [one.check for one in findings if one.needed and not one.works]
    speeds = [] if broken else [_print_speed(s) for s in check.speeds(most_in_flight)]
    window = best_window(speeds)
    if window is not None:
        _print_settings(url, window, replaced=asked != recipe.model)
    print_result(
        {
            "stage": "check-server",
            "url": url,
            "works": not broken,
            "checks": [dataclasses.asdict(finding) for finding in findings],
            "speeds": [dataclasses.asdict(speed) for speed in speeds],
            "window": window,
        }
    )
    if check.gone:
        raise RetryableError(f"{url} stopped to answer: {check.gone}")
    if broken:
        raise PermanentError(f"{url} cannot caption: {', '.join(broken)}; the table says why")


def _one_url(text: str) -> str:
    try:
        found = parsers.urls(text)
    except ValueError as error:
        raise PermanentError(f"the URL is not usable: {error}") from None
    if len(found) != 1:
        raise PermanentError("give one URL, like http://host:23333/v1")
    return found[0]


def _print_finding(found: "Finding") -> "Finding":
    result = "works" if found.works else "FAILS" if found.needed else "differs"
    print(f"{found.check:<30}{result:<9}{found.detail}", flush=True)
    return found


def _print_speed(speed: "Speed") -> "Speed":
    check = f"{speed.in_flight} in flight"
    tokens = "" if speed.tokens_per_s is None else f"{speed.tokens_per_s:,} tokens/s, "
    print(f"{check:<30}{'':<9}{tokens}{speed.captions_per_s:,} captions/s", flush=True)
    return speed


def _print_settings(url: str, window: int, *, replaced: bool) -> None:
    print("\nSettings for it:\n")
    print("  CAPTIONS_ENGINE=openai")
    print(f"  CAPTIONS_OPENAI_URLS={url}")
    print(f"  CAPTIONS_WINDOW={window}")
    if replaced:
        print("  and a recipe whose [model] has this name: CAPTIONS_RECIPE=<its path>")
    print()

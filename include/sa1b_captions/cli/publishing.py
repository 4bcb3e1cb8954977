"""The command that publishes a release."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sa1b_captions.cli.common import command, print_result
from sa1b_captions.errors import PermanentError, SettingsError
from sa1b_captions.plurals import counted
from sa1b_captions.settings import Settings, load_settings, parsers
from sa1b_captions.storage import open_store


@command
def publish(
    version: Annotated[str, typer.Argument(help="Name of a release of the store.")],
    to: Annotated[
        str,
        typer.Option(
            help="Repository: hf://owner/name or modelscope://owner/name, with @branch for another "
            "branch; by default CAPTIONS_PUBLISH_TO."
        ),
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without, only say what would go where.")
    ] = False,
) -> None:
    """Publish a release at Hugging Face or ModelScope, after verifying it.

    A repository that is made for it is private. What was sent before a kill is not sent again, and
    a repository that has the release is left as it is.
    """
    from sa1b_captions.release.hubs.hub import parse_destination
    from sa1b_captions.stages.publish import publish_release

    settings = load_settings()
    place = to or settings.publish_to
    if not place:
        raise PermanentError("say where to publish, with --to or CAPTIONS_PUBLISH_TO")
    result = publish_release(
        open_store(settings), version, parse_destination(place), _token(settings), dry_run=not yes
    )
    _print_plan(result)
    print_result(result)


def _token(settings: Settings) -> str | None:
    """The token from its setting or its file; None where there is neither."""
    if settings.publish_token_file is None:
        return settings.publish_token
    try:
        return parsers.key(Path(settings.publish_token_file).read_text(encoding="utf-8").strip())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "one line without blanks is one"
        raise SettingsError(
            f"CAPTIONS_PUBLISH_TOKEN_FILE={settings.publish_token_file} holds no token: {why}"
        ) from None


def _print_plan(result: dict[str, Any]) -> None:
    """What goes where."""
    done = "would be" if result["dry_run"] else "were"
    print(
        f"{result['version']} at {result['url']}: {counted(result['files'], 'file')}, "
        f"{result['bytes']:,} bytes; {counted(result['send_files'], 'file')} of "
        f"{result['send_bytes']:,} bytes {done} sent"
    )
    for verb, label in (("send", "send"), ("remove", "remove"), ("leave", "leave (not ours)")):
        for name in result[verb]:
            print(f"  {label} {name}")
    if result["up_to_date"]:
        print("the repository has this release already")
    elif result["dry_run"]:
        print("nothing was sent; give --yes to do it")

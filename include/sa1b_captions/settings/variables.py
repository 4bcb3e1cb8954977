"""What one environment variable of the settings is, and how its text is read."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sa1b_captions.errors import SettingsError
from sa1b_captions.spelling import did_you_mean

PREFIX = "CAPTIONS_"

REQUIRED = object()
"""Default of a variable that must be set."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that holds a setting."""

    name: str
    parse: Callable[[str], Any]
    """Raises ValueError with what it expected."""
    default: Any
    """Value when the variable is not set; `REQUIRED` makes that an error."""
    doc: str
    """Whole sentences for people, in Markdown."""
    for_worker: bool
    """Whether a caption worker elsewhere gets the same value."""
    example: str | None
    """Text in `.env.example`; that of the default if None."""
    secret: bool
    """Whether messages leave its value out."""
    heading: str | None
    """Title of the group that begins here in the documentation."""

    def read(self, environ: Mapping[str, str]) -> Any:
        """The value in an environment, or the default.

        Raises SettingsError: it is required and not set, or its text is not usable.
        """
        text = environ.get(self.name, "").strip()
        if not text:
            if self.default is REQUIRED:
                raise SettingsError(f"{self.name} is not set; .env.example says what it may be")
            return self.default
        try:
            return self.parse(text)
        except ValueError as error:
            shown = repr(re.sub("//[^/@]*@", "//…@", text))  # a URL's login is a secret
            said = self.name if self.secret else f"{self.name}={shown}"
            raise SettingsError(f"{said} is not usable: {error}") from None


def variable(
    name: str,
    parse: Callable[[str], Any],
    default: Any = None,
    *,
    doc: str,
    for_worker: bool = False,
    secret: bool = False,
    example: str | None = None,
    heading: str | None = None,
) -> Any:
    """A field of a dataclass that an environment variable holds; a secret one has no repr.

    The arguments are those of `Variable`, which becomes the field's metadata.
    """
    entry = Variable(name, parse, default, doc, for_worker, example, secret, heading)
    return field(metadata={"variable": entry}, repr=not secret)


def as_text(value: object) -> str:
    """A setting's value as its variable spells it."""
    if isinstance(value, tuple):
        return ",".join(value)
    return json.dumps(value) if isinstance(value, dict | bool) else str(value)


def refuse_unknown(environ: Mapping[str, str], known: Iterable[str]) -> None:
    """Accept no variable with our prefix that is none of ours, unless it is empty.

    Kubernetes gives every pod variables for each Service of its namespace, also for one that is
    called `captions`: those are not ours.

    Raises SettingsError naming all of them, each with the right name that is nearest.
    """
    known = set(known)
    services = [name.removesuffix("HOST") for name in environ if name.endswith("_SERVICE_HOST")]
    of_services = (*services, *(name.removesuffix("SERVICE_") + "PORT" for name in services))
    unknown = [
        f"{name} is no setting{did_you_mean(name, sorted(known), PREFIX)}"
        for name in sorted(environ)
        if name.startswith(PREFIX)
        and environ[name].strip()
        and name not in known
        and not name.startswith(of_services)
    ]
    if unknown:
        raise SettingsError(f"{'; '.join(unknown)}; docs/settings.md lists all")

"""What is written from the settings: `docs/settings.md`, and parts of two files of a deployment.

A part lies between the lines BEGIN and END.
"""

import textwrap

from sa1b_captions.settings import VARIABLES
from sa1b_captions.settings.variables import REQUIRED, Variable, as_text

BEGIN = "# --- The package's settings, from its settings/settings.py by `make docs` ---"
END = "# --- End of the package's settings ---"
WIDTH = 100


def page() -> str:
    """Every environment variable, its meaning and its default, for `docs/settings.md`."""
    text = (
        "# Settings\n\nEnvironment variables, all read in `settings/`. One that begins with\n"
        "`CAPTIONS_` and is not among them is refused, for it is a misspelt one.\n"
    )
    for variable in VARIABLES.values():
        if variable.heading:
            text += f"\n## {variable.heading}\n\n| variable | meaning | default |\n|---|---|---|\n"
        text += f"| `{variable.name}` | {variable.doc} | {_default(variable)} |\n"
    return text


def _default(variable: Variable) -> str:
    if variable.default is REQUIRED:
        return "required"
    return "" if variable.default is None else f"`{as_text(variable.default)}`"


def fill_env_example(text: str) -> str:
    """`.env.example` with every setting, explained and set to its default or example."""
    lines = []
    for variable in VARIABLES.values():
        if variable.heading:
            lines += ["", f"# {variable.heading}", ""]
        required = " Required." if variable.default is REQUIRED else ""
        lines += textwrap.wrap(
            variable.doc + required, WIDTH, initial_indent="# ", subsequent_indent="# "
        )
        lines.append(f"{variable.name}={_example(variable)}")
    return _fill(text, [*lines, ""], indent="")


def _example(variable: Variable) -> str:
    if variable.example is not None:
        return variable.example
    return "" if variable.default is None else as_text(variable.default)


def fill_compose(text: str) -> str:
    """`docker-compose.yaml` with every setting handed on from `.env`."""
    lines = [
        f"{variable.name}: ${{{variable.name}"
        + (":?set it in .env}" if variable.default is REQUIRED else ":-}")
        for variable in VARIABLES.values()
    ]
    return _fill(text, lines, indent="  ")


def _fill(text: str, lines: list[str], indent: str) -> str:
    """The text with these lines between BEGIN and END."""
    before, _, rest = text.partition(f"{indent}{BEGIN}\n")
    _, end, after = rest.partition(f"{indent}{END}\n")
    if not end:
        raise ValueError(f"the file lacks the lines {BEGIN!r} and {END!r}")
    part = "".join(f"{indent}{line}".rstrip() + "\n" for line in lines)
    return f"{before}{indent}{BEGIN}\n{part}{end}{after}"


PARTS = (
    (".env.example", fill_env_example),
    ("docker-compose.yaml", fill_compose),
)

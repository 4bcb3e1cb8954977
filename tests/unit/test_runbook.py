import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
# What Airflow and Kubernetes say.
THEIR_WORDS = {
    *("Clear", "Required Actions", "Dag not found during start up", "Import Errors"),
    *("exceeded quota", "namespaces … not found"),
}
# Emphasis and names of measures, not messages.
MERE_WORDS = {"knee"}


def said(tree):
    """Texts that a module can say, with NUL where a value is put in; docstrings are not said."""
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(v.value if isinstance(v, ast.Constant) else "\0" for v in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in notes:
            yield str(node.value)


def texts():
    for folder in ("include", "plugins", "dags"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix == ".py":
                yield from said(ast.parse(path.read_text()))
            elif path.suffix in (".jinja", ".html"):
                yield path.read_text()


def pattern(quote):
    """A quote's own words, in order and in one text; … stands for whatever is put in."""
    words = [re.escape(word.strip(" ,")) for word in quote.split("…")]
    return re.compile(".*".join(word for word in words if word), re.IGNORECASE)


def quotes():
    found = re.findall(r"(?<![*\w])\*([^*]+?)\*(?!\*)", RUNBOOK)
    return {" ".join(quote.split()) for quote in found} - THEIR_WORDS - MERE_WORDS


def test_the_runbook_quotes_only_what_the_code_says():
    known = "\n".join(" ".join(text.split()) for text in texts())
    assert len(quotes()) > 30
    assert sorted(quote for quote in quotes() if not pattern(quote).search(known)) == []

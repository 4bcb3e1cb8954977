"""The dashboard and the alert rules of deploy/observing name what the code sends."""

import json
import re
from pathlib import Path

import pytest
import yaml

from sa1b_captions.observing import telemetry

FOLDER = Path(__file__).parents[2] / "deploy" / "observing"
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text())
RULES = yaml.safe_load((FOLDER / "prometheus-rules.yaml").read_text())["groups"][0]["rules"]
EXPRESSIONS = {
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    },
    **{rule["alert"]: rule["expr"] for rule in RULES},
}
SERIES = {name: metric for metric in telemetry.METRICS for name in metric.prometheus}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_use_series_and_labels_that_there_are(name):
    text = EXPRESSIONS[name]
    used = set(re.findall(r"sa1b_\w+", text))
    assert used
    assert used <= set(SERIES)
    labels = {label for series in used for label in SERIES[series].labels}
    grouped = {one.strip() for by in re.findall(r"by \(([^)]*)\)", text) for one in by.split(",")}
    selected = set(re.findall(r"[{,]\s*(\w+)(?:=|!=|=~|!~)\"", text))
    assert grouped | selected <= labels
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_counters_are_asked_for_a_rate_and_gauges_are_not(name):
    for series in re.findall(r"(?<!\w)(sa1b_\w+)", EXPRESSIONS[name]):
        kind = SERIES[series].kind
        rated = re.search(rf"(rate|increase)\({series}(\{{[^}}]*\}})?\[", EXPRESSIONS[name])
        assert bool(rated) == (kind != "gauge"), series


def test_every_metric_is_on_the_dashboard():
    shown = " ".join(EXPRESSIONS[name] for name in EXPRESSIONS if " " in name)
    missing = [m.name for m in telemetry.METRICS if not any(s in shown for s in m.prometheus)]
    assert missing == []


def test_every_alert_says_what_is_wrong_and_what_to_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["action"].endswith(".")


def test_values_that_rules_ask_for_are_sent():
    sources = "\n".join(
        path.read_text()
        for folder in ("include/sa1b_captions", "plugins/sa1b_operators")
        for path in (FOLDER.parents[1] / folder).rglob("*.py")
    )
    values = {value for rule in RULES for value in re.findall(r'\w+!?="(\w+)"', rule["expr"])}
    assert values
    assert [value for value in values if f'"{value}"' not in sources and value != "caption"] == []


def test_panels_do_not_overlap():
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells
        taken |= cells

"""The dashboard and the alert rules of deploy/observing name what the code sends."""

import json
import re
import shutil
import subprocess
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
        rated = re.search(
            rf"(rate|increase)\({series}(\{{[^}}]*\}})?\[|{series}(\{{[^}}]*\}})? offset",
            EXPRESSIONS[name],
        )
        assert bool(rated) or kind == "gauge", series
        assert not (kind == "gauge" and "increase" in EXPRESSIONS[name]), series


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
    values = {
        value
        for rule in RULES
        for said in re.findall(r'\w+(?:=|!=|!~)"([\w|]+)"', rule["expr"])
        for value in said.split("|")
    }
    assert values
    assert [value for value in values if f'"{value}"' not in sources and value != "caption"] == []


def annotated(alert, expected):
    """An alert that a case expects, with what its rule says of these labels."""
    labels = expected["exp_labels"]
    (rule,) = [rule for rule in RULES if rule["alert"] == alert]
    said = {
        name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)
        for name, text in rule["annotations"].items()
    }
    return {"exp_labels": labels, "exp_annotations": said}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool, of Prometheus")
def test_alerts_fire_when_they_should_and_only_then(tmp_path):
    cases = yaml.safe_load((Path(__file__).parents[1] / "support/alert_cases.yaml").read_text())
    for case in cases["tests"]:
        for asked in case["alert_rule_test"]:
            expected = asked.get("exp_alerts", [])
            asked["exp_alerts"] = [annotated(asked["alertname"], one) for one in expected]
    shutil.copy(FOLDER / "prometheus-rules.yaml", tmp_path)
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(cases))
    done = subprocess.run(
        ["promtool", "test", "rules", "cases.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


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

from sa1b_captions import shards
from sa1b_captions.quality.report import charts
from tests.support import builders
from tests.support.pages import Page

LIMITS = builders.demo_recipe().quality.languages["en"]


def test_a_length_chart_counts_every_row_once():
    chart = Page(charts.length_chart({300: 5, 320: 7, 90_000: 2}, {0: 1}, 20, LIMITS))
    titles = "".join(chart.words)
    assert "300–319 characters: 5 accepted, 0 rejected" in titles
    assert "0–19 characters: 0 accepted, 1 rejected" in titles
    assert "or more characters: 2 accepted" in titles
    assert "min 200" in titles
    assert "max 2,000" in titles
    assert chart.all("svg")[0]["aria-label"].startswith("Histogram of the lengths of 15 captions")


def test_a_chart_of_nothing_is_drawn():
    assert "0 captions" in charts.length_chart({}, {}, 20, LIMITS)
    assert "0 shards" in charts.share_chart([], [], 0.05, 0.1)


def test_a_share_chart_of_a_thousand_shards_names_the_bad_ones_and_stays_small():
    names = [shards.shard_name(number) for number in range(1000)]
    shares = [0.01] * 1000
    shares[17], shares[433] = 0.07, 1.0
    chart = charts.share_chart(names, shares, 0.05, 0.1)
    titles = [word for word in Page(chart).words if ": " in word]
    assert titles == ["sa_000017: 7.0%", "sa_000433: 100.0%"]
    assert len(chart) < 40_000


def test_a_series_has_a_bar_for_each_span_that_tells_something():
    names = ["2026-11-01", "2026-11-02", "2026-11-03"]
    svg = charts.series_chart(names, [0.5, None, 0.25], lambda value: f"{value:.0%}", "Rejected")
    assert svg.count("<rect") == 2
    assert "<title>2026-11-03: 25%</title>" in svg
    assert 'aria-label="Rejected, from 2026-11-01 to 2026-11-03, at most 50%"' in svg
    assert "nan" not in charts.series_chart(names, [0.0, None, None], str, "<b>")
    assert "<b>" not in charts.series_chart(names, [0.0, None, None], str, "<b>")


def test_limits_that_lie_close_share_a_name():
    assert "warns above 50.0%, fails above 51.0%" in charts.share_chart(["a"], [0.1], 0.5, 0.51)
    assert "warns" not in charts.share_chart(["a"], [0.1], 1.0, 1.0)

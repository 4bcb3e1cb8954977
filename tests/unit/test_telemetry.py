import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.observing import telemetry
from sa1b_captions.settings import parsers
from tests.support.statsd_listener import listening


@pytest.fixture
def listener():
    with listening() as found:
        telemetry.send_to(found.address)
        yield found
        telemetry.send_to(None)


def test_metrics_of_one_call_come_in_one_datagram(listener):
    telemetry.send(
        telemetry.of(telemetry.IMAGES, 3, track="multi_en"),
        telemetry.of(telemetry.OCCUPANCY, 0.97, shard="sa_000017"),
        telemetry.of(telemetry.LOAD_TIME, 181.5),
    )
    assert listener.lines() == [
        "sa1b.caption.images:3|c|#track:multi_en",
        "sa1b.caption.occupancy:0.97|g|#shard:sa_000017",
        "sa1b.model.load_seconds:181500|ms",
    ]
    assert len(listener.datagrams) == 1


def test_many_metrics_are_put_into_datagrams_that_every_network_passes(listener):
    telemetry.send(*(telemetry.of(telemetry.IMAGES, n, track="single_en") for n in range(200)))
    assert len(listener.lines(within_s=0.2)) == 200
    assert len(listener.datagrams) > 1
    assert max(map(len, listener.datagrams)) <= 1400


@given(st.text(max_size=200))
def test_no_label_can_break_a_line(value):
    with listening() as listener:
        telemetry.send_to(listener.address)
        telemetry.send(telemetry.of(telemetry.FAILURES, track="single_en", reason=value))
        telemetry.send_to(None)
        (line,) = listener.lines()
    assert line.isascii()
    assert line.count("|") == 2
    assert line.count(":") == 3
    assert line.startswith("sa1b.caption.failures:1|c|#track:single_en,reason:")
    assert len(line) < 150


def test_reasons_that_a_server_invents_end_as_other(listener):
    for number in range(telemetry.MOST_VALUES + 5):
        telemetry.send(telemetry.of(telemetry.FAILURES, track="single_en", reason=f"code {number}"))
    lines = listener.lines(within_s=0.2)
    assert len({line for line in lines if "code_" in line}) == telemetry.MOST_VALUES
    assert sum(line.endswith("reason:other") for line in lines) == 5


def test_labels_are_those_that_the_metric_names(listener):
    with pytest.raises(ValueError, match=r"sa1b.caption.images has the labels \('track',\)"):
        telemetry.send(telemetry.of(telemetry.IMAGES, shard="sa_000017"))


def test_nothing_is_sent_unless_asked_for():
    assert not telemetry.is_on()
    telemetry.send(telemetry.of(telemetry.IMAGES, nonsense="goes unseen"))


def test_a_listener_that_is_away_costs_nothing():
    with listening() as listener:
        address = listener.address
    telemetry.send_to(address)
    for _ in range(3):
        telemetry.send(telemetry.of(telemetry.PLANNED, 10))
    telemetry.send_to(None)


def test_a_listener_nobody_knows_is_told_once_and_stops_nothing(caplog):
    telemetry.send_to("no-such-host.invalid:9125")
    assert not telemetry.is_on()
    assert "no metrics are sent to CAPTIONS_STATSD=no-such-host.invalid:9125" in caplog.text


@pytest.mark.parametrize("text", ["statsd:9125", "10.0.0.7:8125", "[::1]:9125", "a.b-c.svc:1"])
def test_listeners(text):
    assert parsers.listener(text) == text


@pytest.mark.parametrize("text", ["statsd", ":9125", "udp://statsd:9125", "statsd:0", "statsd:x"])
def test_what_is_no_listener_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        parsers.listener(text)


def test_every_metric_is_named_once_and_says_what_it_counts():
    names = [metric.name for metric in telemetry.METRICS]
    assert len(set(names)) == len(names) > 20
    for metric in telemetry.METRICS:
        assert metric.name.startswith("sa1b.")
        assert metric.meaning
        assert metric.kind != "timer" or metric.name.endswith("seconds")

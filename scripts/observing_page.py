"""How a deployment is watched, for docs/observing.md; the table is of the metrics' own words."""

from sa1b_captions.observing.telemetry import METRICS

_ROW = "| `{name}` | {kind} | {labels} | {meaning} |"


def page() -> str:
    """The page."""
    rows = "\n".join(
        _ROW.format(
            name=metric.name,
            kind=metric.kind,
            labels=", ".join(metric.labels),
            meaning=metric.meaning,
        )
        for metric in METRICS
    )
    return TEXT.format(rows=rows)


TEXT = """# Watching it: metrics, alerts, logs

All of this is off until it is asked for, and none of it can fail a run.

## Metrics

    CAPTIONS_STATSD=airflow-statsd:9125

Stages, caption pods, operators and callbacks then send StatsD lines with tags
(`name:value|c|#label:x`) over UDP. A `statsd_exporter` takes them as they are; Airflow's chart
brings one with `statsd.enabled`. Any StatsD listener that knows tags will do: Telegraf, Vector, the
Datadog agent, an OpenTelemetry collector's `statsd` receiver. Pods must be allowed to reach it.
Nothing is waited for or sent twice: a listener that is away loses what it was sent, and its name
is looked up once, when a process starts.

Airflow's own metrics go to the same listener with `[metrics] statsd_on`. They need the package
`statsd`, which our image lacks: add it, or leave that off.

Behind `statsd_exporter`, dots become underscores, and a timer a summary in seconds
(`sa1b_model_load_seconds_sum`, `_count`). Keep its `summary` timers, which are its default: the
dashboard divides sums by counts.

| metric | kind | labels | what it is |
|---|---|---|---|
{rows}

Images/s is `sum(rate(sa1b_caption_images[5m]))`. Receipts hold the numbers that count; metrics
are for the night.

## Dashboard and alert rules

`deploy/observing/grafana-dashboard.json` is imported as it is and asks for the Prometheus data
source. `deploy/observing/prometheus-rules.yaml` goes into Prometheus' `rule_files`, or its
`groups` into a `PrometheusRule`. Each alert says what is wrong and what to do. A test compares
both files with the names in the code.

## A webhook for runs

    airflow connections add captions_alerts --conn-type http \\
        --conn-host https://hooks.example.org --conn-password TOKEN \\
        --conn-extra '{{"path": "/services/captions"}}'

    CAPTIONS_ALERT_CONNECTION=captions_alerts
    CAPTIONS_DEADLINE_H=24

A run of either DAG that fails is told to the connection's webhook, and so is a run of
`caption_shards` that has not ended so many hours after it was queued. It is a POST of a JSON
object with `event` (`run_failed`, `run_late`), `text`, `dag_id`, `run_id`, `url` and, of a
failure, `reason`; chat servers show `text`. The password is sent as a bearer token and may be
left out. A server that is busy or away is asked three times, then a warning is logged, in the DAG
processor for failures and in the triggerer for deadlines. Both need the settings and the plugins
folder, as the image has them. `release_dataset` has no deadline, for it waits for a person for up
to a week. With a deadline Airflow shows late runs by itself, webhook or not.

## Logs

Every line of a stage's log that is about a shard names it, and one that is about a sample names
that: `single_en/sa_000017/190188` is track, shard and image. Lines of an engine that do not say
so themselves end with it in parentheses.

    CAPTIONS_LOG_FORMAT=json

writes each line as an object with `time`, `level`, `logger`, `stage`, `message` and, where the
line has them, `shard`, `track`, `sample` and `traceback`. The result on standard output stays as
it is.
"""

"""What a campaign costs, for docs/fleet.md: the command's own words, and its numbers' sources."""

import contextlib
import io
import os
import shlex
import tomllib
from unittest import mock

from sa1b_captions.cli import app
from sa1b_captions.costs.fleet import HOUR_S
from sa1b_captions.costs.forecast import Seen, Terms, engine_of, forecast
from sa1b_captions.costs.sourced import NUMBERS_PATH, Numbers
from sa1b_captions.costs.work import Work, usual_mix
from sa1b_captions.recipe import load_recipe

COMMAND = "plan --profile h100x4 --nodes 8 --price-per-gpu-hour 2.5 --spot"
LOAD_MIN = {"node's NVMe": 3, "shared volume": 10, "slow shared volume": 40}
"""From 1 to 70 minutes were reported for tensor-parallel models of this size."""


def output(command: str) -> str:
    """What the command prints, without a store and without its last line, which is JSON."""
    printed = io.StringIO()
    bare = {name: text for name, text in os.environ.items() if not name.startswith("CAPTIONS_")}
    with mock.patch.dict(os.environ, bare, clear=True), contextlib.redirect_stdout(printed):
        app(shlex.split(command), standalone_mode=False)
    return printed.getvalue().rstrip().rpartition("\n")[0]


def lost_by_pods(work: Work, gpus: float, shards_per_pod: int, load_min: float) -> float:
    """GPU-hours that pods lose to it; one of fewer shards at the end counts by its share."""
    return work.shards / shards_per_pod * load_min / 60 * gpus


def lost_by_servers(
    work: Work, gpus: float, replicas: int, load_min: float, numbers: Numbers
) -> float:
    """GPU-hours that servers which stay up lose to loads and to waiting for work."""
    idle = work.shards * work.captioning_s / HOUR_S * gpus * numbers["fleet_idle_share"]
    return (replicas + numbers["fleet_restarts"]) * load_min / 60 * gpus + idle


def page() -> str:
    """The page, its numbers those of the command."""
    recipe = load_recipe("internvl")
    terms = Terms(profile="h100x4", nodes=8, price_per_gpu_hour=2.5)
    found = forecast(recipe, terms, Seen(shards=len(recipe.shards)))
    work, gpus, numbers = found.work, found.fleet.gpus, found.numbers
    useful = work.shards * work.captioning_s / HOUR_S * gpus
    rows = []
    for shards_per_pod in (1, 4, 10):
        lost = [lost_by_pods(work, gpus, shards_per_pod, least) for least in LOAD_MIN.values()]
        rows.append((f"pods, {shards_per_pod} shard{'s' * (shards_per_pod > 1)} each", lost))
    for replicas in (1, 4):
        lost = [
            lost_by_servers(work, gpus, replicas, least, numbers) for least in LOAD_MIN.values()
        ]
        rows.append((f"warm fleet of {replicas}", lost))
    table = "\n".join(
        f"| {name} | " + " | ".join(f"{h:,.0f} ({h / useful:.1%})" for h in lost) + " |"
        for name, lost in rows
    )
    idle = lost_by_servers(work, gpus, 4, LOAD_MIN["node's NVMe"], numbers)
    places = " | ".join(f"{name}, {minutes} min" for name, minutes in LOAD_MIN.items())
    return TEXT.format(
        command=COMMAND,
        output=output(COMMAND),
        useful=f"{useful:,.0f}",
        shards=work.shards,
        gpus=f"{gpus:g}",
        rate=f"{found.speed.value:.2f}",
        places=places,
        lines="|---" * (len(LOAD_MIN) + 1) + "|",
        table=table,
        idle=f"{idle:,.0f}",
        cold=f"{_cold(replicas=4):,.0f}",
        restarts=f"{numbers['fleet_restarts']:g}",
        idle_share=f"{numbers['fleet_idle_share']:.0%}",
        upload=f"{found.speed.value * numbers['megabytes_per_image'] * 4 / 3:.1f}",
        numbers=_numbers(),
        gpu_rows=_gpu_rows(),
    )


def _cold(replicas: int) -> float:
    """GPU-hours lost if load alone chose the server of a Chinese request."""
    recipe, numbers = load_recipe("internvl"), Numbers()
    terms = Terms(profile="h100x4", nodes=1, price_per_gpu_hour=0)
    engine = engine_of(recipe, terms, numbers)
    mix, track = usual_mix(recipe, numbers), recipe.tracks["single_zh"]
    answer = numbers["answer_tokens_single_zh"]
    saved_s = engine.sample_s(mix.tiles, answer) - engine.sample_s(mix.tiles, answer, cached=True)
    images = len(recipe.shards) * (track.samples_per_shard or 0)
    return (1 - 1 / replicas) * images * saved_s / HOUR_S * engine.gpus


def _numbers() -> str:
    return "\n".join(
        f"| `{name}` | {number['value']:g} {number['unit']} | {number['kind']} "
        f"| {number['source']} |"
        for name, number in Numbers().sources().items()
    )


def _gpu_rows() -> str:
    gpus = tomllib.loads(NUMBERS_PATH.read_text(encoding="utf-8"))["gpus"]
    return "\n".join(
        f"| {name} | " + " | ".join(f"{value:g}" for value in gpu.values()) + " |"
        for name, gpu in gpus.items()
    )


TEXT = """# What a campaign costs

`sa1b-captions plan` tells GPU-hours, wall clock and cost before they are paid:

    $ sa1b-captions {command}

```
{output}
```

The last line of its output, left out here, is the same as JSON, with the source of every number.

- Without a store it tells of all the recipe's shards, from the numbers below. With `CAPTIONS_ROOT`
  set and the campaign begun, it tells of the shards that are left. Sizes of photographs then come
  from the indexes of up to 20 ingested shards, download speed and size from their receipts. Speed
  and load come from the receipts of shards that pods of the same profile captioned whole.
- Cost is the sum of its parts. GPU-hours are of whole nodes, which are paid for with or without a
  pod: one starts before its first pod, and is kept for minutes after its last. Airflow's own
  machines and what leaves the cloud are not in it.
- The wall clock's interval is the formula at the slowest and the fastest speed that is likely: 40 %
  either way while speed is computed, two standard errors once five shards or more are measured.
- The formula is exact for pods that are all alike. The simulation plays all shards through with
  shards that differ, slow nodes, and preemptions when they come; it shows what the formula cannot:
  what waits for a straggler at the end, what a pool or a quota holds up, what more shards a pod
  save where pods are preempted. One play is one throw of the dice.
- An audit is counted as a second pod of the same shards that loads the model again.

## Paying for the model load

The model is 152 GB: a pod that starts cold holds its GPUs for minutes before the first caption.
GPU-hours lost to that over {shards} shards, on pods of {gpus} H100s at {rate} images/s, where
captioning itself takes {useful} (all estimates, none measured here):

| loading from | {places} |
{lines}
{table}

- **A run of a few shards**: one shard a pod. Nothing to set up, each shard's pod is retried alone.
- **A campaign on pods**: several shards a pod (`caption --shards 0-9` loads the model once), and
  the model on the nodes' own disks (`deploy/kubernetes/model-node-local.yaml`). A preempted pod
  loses its captions in flight and one load, no more than before.
- **A warm fleet** (`deploy/kubernetes/fleet`): GPUs that are yours anyway, shards that come in
  small numbers all day, other users of the same model, or storage so slow that a load takes half
  an hour. Not for the cheapest campaign: a fleet of 4 loses {idle} GPU-hours to {restarts}
  restarts and to {idle_share} of its time without work. A Chinese request goes to the server that
  has just captioned the image in English, unless that one has an eighth more work than its share;
  sent by load alone, such requests would cost {cold} GPU-hours more. What a fleet is sent is
  cheap: base64 adds a third, {upload} MB/s a server.

Idling is what decides: a fleet that waits a day for shards costs 96 GPU-hours a server. Scale it
to zero between campaigns (`kubectl -n sa1b-captions scale statefulset captions --replicas=0`); its
local copies stay on their nodes.

## Where the numbers are from

Reading a prompt takes two operations a weight and token of the language model, and attention over
the tokens; the vision model's tiles take theirs, at the share of the GPU's peak below. Writing an
answer moves the weights and the cache of all requests in flight once a token. Sizes are those of
each model's published config.json.

| number | value | known how | source |
|---|---|---|---|
{numbers}

| GPU | memory GB | bf16 TFLOP/s | GB/s | language model's share of the peak | vision model's |
|---|---|---|---|---|---|
{gpu_rows}
"""

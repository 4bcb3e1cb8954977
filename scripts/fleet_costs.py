"""The arithmetic of paying for the model load, for docs/fleet.md; every number is an estimate."""

SHARDS = 1000
IMAGES_PER_SHARD = 11_186
GPUS = 4
IMAGES_PER_S = 2.36
"""H100, four GPUs in bf16, 8.75 tiles an image."""
LOAD_MIN = {"node's NVMe": 3, "shared volume": 10, "slow shared volume": 40}
"""From 1 to 70 minutes were reported for tensor-parallel models of this size."""
FLEET_IDLE_SHARE = 0.03
"""Of a fleet's time: first and last shards, and an Airflow that is slow to send the next."""
FLEET_RESTARTS = 20
"""Loads of a whole campaign: rollouts, evictions, hung engines."""
ZH_IMAGES, ZH_SAVED_S = 1_000_000, 0.33
"""Chinese after English on the same server skips this much of an image's prefill."""


def useful_hours() -> float:
    """GPU-hours in which captions are made."""
    return SHARDS * IMAGES_PER_SHARD / IMAGES_PER_S / 3600 * GPUS


def pods(shards_per_pod: int, load_min: float) -> float:
    """GPU-hours lost to loading with so many shards per pod."""
    return SHARDS / shards_per_pod * load_min / 60 * GPUS


def fleet(replicas: int, load_min: float) -> float:
    """GPU-hours that a fleet loses to loads and idling."""
    idle = useful_hours() * FLEET_IDLE_SHARE
    return (replicas + FLEET_RESTARTS) * load_min / 60 * GPUS + idle


def cold(replicas: int) -> float:
    """GPU-hours that a fleet would lose if load alone chose the server of a Chinese request."""
    return (1 - 1 / replicas) * ZH_IMAGES * ZH_SAVED_S / 3600 * GPUS


def page() -> str:
    """The page, its numbers computed from the constants above."""
    useful = useful_hours()
    rows = []
    for shards_per_pod in (1, 4, 10):
        lost = [pods(shards_per_pod, minutes) for minutes in LOAD_MIN.values()]
        rows.append((f"pods, {shards_per_pod} shard{'s' * (shards_per_pod > 1)} each", lost))
    for replicas in (1, 4):
        lost = [fleet(replicas, minutes) for minutes in LOAD_MIN.values()]
        rows.append((f"warm fleet of {replicas}", lost))
    table = "\n".join(
        f"| {name} | " + " | ".join(f"{h:,.0f} ({h / useful:.1%})" for h in lost) + " |"
        for name, lost in rows
    )
    idle = fleet(4, LOAD_MIN["node's NVMe"])
    places = " | ".join(f"{name}, {minutes} min" for name, minutes in LOAD_MIN.items())
    return TEXT.format(
        useful=f"{useful:,.0f}",
        shards=SHARDS,
        gpus=GPUS,
        rate=IMAGES_PER_S,
        places=places,
        lines="|---" * (len(LOAD_MIN) + 1) + "|",
        table=table,
        idle=f"{idle:,.0f}",
        cold=f"{cold(4):,.0f}",
        restarts=FLEET_RESTARTS,
        idle_share=f"{FLEET_IDLE_SHARE:.0%}",
        upload=f"{IMAGES_PER_S * 1.33:.1f}",
    )


TEXT = """# Paying for the model load

The model is 152 GB: a pod that starts cold holds its GPUs for minutes before the first caption.
GPU-hours lost to that over {shards} shards, on pods of {gpus} H100s at {rate} images/s, where
captioning itself takes {useful} (all estimates, none measured here; `scripts/fleet_costs.py`
computes them):

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
"""

"""The command that tells what a campaign will take and cost, before it is paid."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign, look_at_campaign, read_lock
from sa1b_captions.cli.common import command, lock_beside_recipe, print_lock, print_result
from sa1b_captions.errors import NothingToDo, PermanentError
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import Recipe, load_recipe
from sa1b_captions.settings import Settings, load_settings
from sa1b_captions.storage import open_store

if TYPE_CHECKING:
    from sa1b_captions.costs.forecast import Forecast
    from sa1b_captions.costs.sourced import Number


@command
def plan(
    nodes: Annotated[int, typer.Option(help="Nodes at once.")],
    price_per_gpu_hour: Annotated[
        float | None,
        typer.Option(
            help="Of one GPU, in any currency; all costs are in the same. By default "
            "CAPTIONS_PRICE_PER_GPU_HOUR."
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Pod profile; by default CAPTIONS_GPU_PROFILE.")
    ] = None,
    spot: Annotated[
        bool, typer.Option("--spot/--on-demand", help="Whether nodes may be taken away.")
    ] = False,
    gpus_per_node: Annotated[
        int | None, typer.Option(help="GPUs of a node; by default as many as a pod takes.")
    ] = None,
    shards_per_pod: Annotated[
        int | None, typer.Option(help="By default CAPTIONS_SHARDS_PER_POD.")
    ] = None,
    pool: Annotated[
        int | None, typer.Option(help="Slots of pool gpu; by default no fewer than fit the nodes.")
    ] = None,
    quota_gpus: Annotated[
        int | None, typer.Option(help="GPUs that the namespace's quota allows.")
    ] = None,
    downloads: Annotated[int, typer.Option(help="Slots of pool download.")] = 4,
    months: Annotated[float, typer.Option(help="Months for which what is stored is paid.")] = 1.0,
    load_min: Annotated[
        float | None, typer.Option(help="Minutes that a pod loads the model.")
    ] = None,
    node_start_min: Annotated[
        float | None, typer.Option(help="Minutes until a new node has pulled the image.")
    ] = None,
    preemptions_per_hour: Annotated[
        float | None, typer.Option(help="Of a pod on a node that may be taken away.")
    ] = None,
    retried_pods: Annotated[
        float | None, typer.Option(help="Share of pods that fail once for another cause.")
    ] = None,
    retried_captions: Annotated[
        float | None, typer.Option(help="Share of captions that take one more try.")
    ] = None,
    stragglers: Annotated[
        float | None, typer.Option(help="Share of pods on a slow node, in the simulation.")
    ] = None,
    download_mb_per_s: Annotated[
        float | None, typer.Option(help="Of one archive's download.")
    ] = None,
    price_per_gb_month: Annotated[float | None, typer.Option(help="Of what is stored.")] = None,
) -> None:
    """Tell GPU-hours, wall clock and cost of the shards that are left to caption.

    Computed and simulated from numbers whose sources docs/fleet.md lists. What was given here, and
    what the store tells of shards that are ingested and captioned, takes their place.
    """
    from sa1b_captions.costs.forecast import Seen, Terms, forecast
    from sa1b_captions.stages.status.campaign_costs import forecast_campaign

    settings = load_settings(needs_store=False)
    price = settings.price_per_gpu_hour if price_per_gpu_hour is None else price_per_gpu_hour
    if price is None:
        raise PermanentError(
            "no price: give --price-per-gpu-hour, or set CAPTIONS_PRICE_PER_GPU_HOUR"
        )
    terms = Terms(
        profile=profile or settings.gpu_profile,
        nodes=nodes,
        price_per_gpu_hour=price,
        spot=spot,
        gpus_per_node=gpus_per_node,
        shards_per_pod=settings.shards_per_pod if shards_per_pod is None else shards_per_pod,
        pool=pool,
        quota_gpus=quota_gpus,
        downloads=downloads,
        window=settings.window,
        months=months,
        drops_archives=settings.drop_raw,
    )
    given = _given(
        load_min=load_min,
        node_start_min=node_start_min,
        preemptions_per_hour=preemptions_per_hour,
        retried_pods=retried_pods,
        retried_captions=retried_captions,
        stragglers=stragglers,
        download_mb_per_s=download_mb_per_s,
        price_per_gb_month=price_per_gb_month,
    )
    recipe = load_recipe(settings.recipe)
    campaign = _started(settings, recipe)
    found = (
        forecast_campaign(campaign, terms, given)
        if campaign is not None
        else forecast(recipe, terms, Seen(shards=len(recipe.shards)), given)
    )
    if found is None:
        raise NothingToDo("every shard is captioned; nothing is left to pay for")
    _print_forecast(found)
    lock = (
        lock_beside_recipe(settings.recipe)
        if campaign is None
        else read_lock(campaign.store, campaign.name)
    )
    print_lock(recipe.model, lock)
    print_result(_result(found) | {"model_lock": None if lock is None else lock.digest})


def _given(**values: float | None) -> "dict[str, Number]":
    """What was given in place of packaged numbers."""
    from sa1b_captions.costs.sourced import Number, Numbers

    packaged = Numbers()
    return {
        name: Number(value, packaged.source(name).unit, "given", "an option of the command")
        for name, value in values.items()
        if value is not None
    }


def _started(settings: Settings, recipe: Recipe) -> Campaign | None:
    """The campaign, where there is a store and it has begun there."""
    if not settings.has_store:
        return None
    store = open_store(settings)
    if not store.exists(layout.recipe_key(settings.campaign)):
        return None
    return look_at_campaign(store, settings.campaign, recipe)


def _print_forecast(found: "Forecast") -> None:
    from sa1b_captions.costs.forecast import variants

    terms, fleet = found.terms, found.fleet
    print(
        f"{counted(found.work.shards, 'shard')} on {counted(fleet.places, 'pod')} of "
        f"{terms.profile} at once, {counted(terms.shards_per_pod, 'shard')} each, "
        f"{'spot' if terms.spot else 'on demand'}"
    )
    print(f"{found.speed.value:.2f} images/s a pod ({found.speed.kind}: {found.speed.source})\n")
    print(f"{'part':<24}{'GPU-hours':>12}{'cost':>14}")
    for part, cost in found.bill.parts.items():
        hours = found.estimate.gpu_hours.get(part)
        if cost or hours:
            shown = f"{hours:>12,.1f}" if hours is not None else " " * 12
            print(f"{part:<24}{shown}{cost:>14,.2f}")
    print(f"{'all':<24}{found.estimate.total_gpu_hours:>12,.1f}{found.bill.total:>14,.2f}\n")
    low, high = found.wall_hours
    print(f"wall clock {found.estimate.wall_hours:,.1f} h ({low:,.1f} to {high:,.1f} h)\n")
    print(f"{'simulated':<36}{'GPU-hours':>12}{'wall h':>10}{'pods':>8}{'preempted':>11}")
    for name, played in variants(found):
        print(
            f"{name:<36}{played.gpu_hours:>12,.1f}{played.wall_hours:>10,.1f}{played.pods:>8,}"
            f"{played.preemptions:>11,}"
        )


def _result(found: "Forecast") -> dict[str, Any]:
    low, high = found.wall_hours
    return {
        "stage": "plan",
        "profile": found.terms.profile,
        "pods": found.fleet.places,
        "shards": found.work.shards,
        "gpu_hours": round(found.estimate.total_gpu_hours, 1),
        "wall_hours": round(found.estimate.wall_hours, 1),
        "wall_hours_low": round(low, 1),
        "wall_hours_high": round(high, 1),
        "cost": round(found.bill.total, 2),
        "cost_by_part": {part: round(cost, 2) for part, cost in found.bill.parts.items()},
        "images_per_s": round(found.speed.value, 3),
        "simulated_gpu_hours": round(found.played.gpu_hours, 1),
        "simulated_wall_hours": round(found.played.wall_hours, 1),
        "sources": {"images_per_s": asdict(found.speed), **found.numbers.sources()},
    }

"""What a campaign will take and cost on some GPUs: formula, simulation and prices together."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sa1b_captions.costs.architectures import ARCHITECTURES
from sa1b_captions.costs.fleet import Fleet, lost_s, places_at_once
from sa1b_captions.costs.formula import Estimate, estimate, interval
from sa1b_captions.costs.prices import Bill, bill
from sa1b_captions.costs.simulation import Played, simulate
from sa1b_captions.costs.sourced import Number, Numbers, find_gpu
from sa1b_captions.costs.speeds import Engine
from sa1b_captions.costs.work import Mix, Work, captioning_s, shards_of_work, usual_mix
from sa1b_captions.errors import PermanentError
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import Recipe
from sa1b_captions.settings import MAX_SHARDS_PER_POD
from sa1b_captions.settings.profiles import PodProfile, load_profile, profile_names
from sa1b_captions.spelling import did_you_mean

_PRODUCT = "nvidia.com/gpu.product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked about: GPUs, their price, and how they are used."""

    profile: str
    """A section of pod_profiles.toml."""
    nodes: int
    price_per_gpu_hour: float
    """In whatever currency; all costs are in the same."""
    spot: bool = False
    """Whether nodes may be taken away."""
    gpus_per_node: int | None = None
    """None for as many as a pod takes."""
    shards_per_pod: int = 1
    pool: int | None = None
    """Slots of Airflow's pool `gpu`; None for as many as there are nodes for."""
    quota_gpus: int | None = None
    downloads: int = 4
    """Slots of Airflow's pool `download`."""
    window: int = 96
    """CAPTIONS_WINDOW."""
    months: float = 1.0
    """For which what is stored is paid."""
    drops_archives: bool = False
    """CAPTIONS_DROP_RAW."""

    def __post_init__(self) -> None:
        """Raise PermanentError for what cannot be."""
        for name in ("nodes", "downloads", "window"):
            _require(name, getattr(self, name), least=1)
        _require("shards_per_pod", self.shards_per_pod, least=1, most=MAX_SHARDS_PER_POD)
        for name in ("gpus_per_node", "pool", "quota_gpus"):
            if getattr(self, name) is not None:
                _require(name, getattr(self, name), least=1)
        for name in ("price_per_gpu_hour", "months"):
            _require(name, getattr(self, name), least=0)
        if self.profile not in profile_names():
            raise PermanentError(
                f"there is no profile {self.profile!r}{did_you_mean(self.profile, profile_names())}"
                f"; there are: {', '.join(profile_names())}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a store tells of a campaign; nothing where it has not begun."""

    shards: int
    """That are left to caption."""
    mix: Mix | None = None
    """Of the images in its indexes."""
    seconds: tuple[float, ...] = ()
    """Of a pod of the profile, for each shard that it captioned, tries again included."""
    numbers: dict[str, Number] = field(default_factory=dict)
    """What was measured in place of a packaged number."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a campaign will take and cost."""

    terms: Terms
    work: Work
    fleet: Fleet
    estimate: Estimate
    wall_hours: tuple[float, float]
    """Least and most of the formula's wall clock that is likely."""
    played: Played
    bill: Bill
    numbers: Numbers
    speed: Number
    """Images a second of a pod."""


ENOUGH_SHARDS = 5
"""Shards whose speeds say how far the others may stray."""
_DEVIATIONS = 2.0


def forecast(
    recipe: Recipe, terms: Terms, seen: Seen, given: dict[str, Number] | None = None
) -> Forecast:
    """Foretell a campaign.

    Args:
        given: numbers that whoever asks knows better.

    Raises PermanentError: the profile has no GPU, the model does not fit it, its speed is not
    known, no pod fits a node or the quota, preemptions leave hardly any time, or their number is
    given of nodes that stay.
    """
    if "preemptions_per_hour" in (given or {}) and not terms.spot:
        raise PermanentError(
            "--preemptions-per-hour is of nodes that may be taken away; give --spot as well"
        )
    for name, number in (given or {}).items():
        _require(name, number.value, least=0, most=1 if number.unit == "share" else math.inf)
    numbers = Numbers({**seen.numbers, **(given or {})})
    profile = load_profile(terms.profile)
    if profile.gpus < 1:
        raise PermanentError(f"profile {profile.name} has no GPU; nothing is paid by GPU and hour")
    mix = seen.mix or usual_mix(recipe, numbers)
    work, speed = _work(recipe, profile, terms, seen, mix, numbers)
    fleet = _fleet(recipe, profile, terms, work, numbers)
    found = estimate(work, fleet)
    return Forecast(
        terms=terms,
        work=work,
        fleet=fleet,
        estimate=found,
        wall_hours=interval(work, fleet),
        played=simulate(work, fleet),
        bill=bill(recipe, terms, work, fleet, found, numbers),
        numbers=numbers,
        speed=speed,
    )


def variants(one: Forecast) -> Iterable[tuple[str, Played]]:
    """Simulations of the same campaign with one thing changed, to see what it is worth."""
    fleet, places = one.fleet, one.fleet.places
    changes: list[tuple[str, Fleet]] = [
        ("as planned", fleet),
        ("no slow nodes", replace(fleet, stragglers=0.0)),
        (
            "five times as many pods made again",
            replace(fleet, retried_pods=min(1.0, 5 * fleet.retried_pods)),
        ),
        *(
            (f"{count} shard{'s' * (count > 1)} a pod", replace(fleet, shards_per_pod=count))
            for count in (1, 4, 10)
            if count != fleet.shards_per_pod
        ),
        (f"pool of {max(1, places // 2)}", replace(fleet, places=max(1, places // 2))),
    ]
    if places * fleet.shards_per_pod < one.work.shards:
        changes.append((f"pool of {places * 2}", replace(fleet, places=places * 2)))
    for name, changed in changes:
        yield name, one.played if changed == fleet else simulate(one.work, changed)


def _work(
    recipe: Recipe,
    profile: PodProfile,
    terms: Terms,
    seen: Seen,
    mix: Mix,
    numbers: Numbers,
) -> tuple[Work, Number]:
    measured = seen.seconds
    mean = sum(measured) / len(measured) if measured else 0.0
    spread, error = numbers["shard_spread"], numbers["few_shards_error"]
    if len(measured) >= ENOUGH_SHARDS:
        deviation = math.sqrt(sum((one - mean) ** 2 for one in measured) / (len(measured) - 1))
        spread = deviation / mean
        error = _DEVIATIONS * spread / math.sqrt(len(measured))
    if measured:
        # Receipts count tries again with the captions.
        seconds = mean / (1 + numbers["retried_captions"])
        low, high = max(1 - error, 0.0), 1 + error
        source = f"{counted(len(measured), 'shard')} that pods of {profile.name} captioned"
    else:
        seconds = captioning_s(recipe, mix, engine_of(recipe, terms, numbers))
        error = numbers["speed_error"]
        # Of the speed, so that the slowest takes longer than the fastest saves.
        low, high = 1 / (1 + error), 1 / (1 - error)
        source = f"computed for {recipe.model.id} on {profile.gpus} GPUs of {profile.name}"
    work = shards_of_work(
        recipe, seen.shards, mix, numbers, seconds=seconds, low=low, high=high, spread=spread
    )
    kind = "measured" if measured else "estimate"
    return work, Number(work.images_per_s, "images/s", kind, source)


def engine_of(recipe: Recipe, terms: Terms, numbers: Numbers) -> Engine:
    """The recipe's model on the GPUs of a pod.

    Raises PermanentError: the speed of either is not known.
    """
    profile = load_profile(terms.profile)
    if recipe.model.id not in ARCHITECTURES:
        raise PermanentError(
            f"the sizes of {recipe.model.id} are not known; there are: "
            f"{', '.join(ARCHITECTURES)}; once shards are done, their receipts tell the speed"
        )
    return Engine(
        ARCHITECTURES[recipe.model.id],
        find_gpu(profile.node_selector.get(_PRODUCT, "")),
        profile.gpus,
        terms.window,
        numbers,
    )


def _fleet(
    recipe: Recipe, profile: PodProfile, terms: Terms, work: Work, numbers: Numbers
) -> Fleet:
    per_node = terms.gpus_per_node or profile.gpus
    megabytes = work.images * numbers["megabytes_per_image"]
    speed = numbers["download_mb_per_s"]
    _require("download_mb_per_s", speed, least=0.001)
    room = places_at_once(profile.gpus, terms.nodes, per_node, terms.pool, terms.quota_gpus)
    places = max(1, min(room, -(-work.shards // terms.shards_per_pod)))
    nodes = math.ceil(places / (per_node // profile.gpus))
    return Fleet(
        gpus=nodes * per_node / places,
        places=places,
        shards_per_pod=terms.shards_per_pod,
        passes=1 if recipe.audit is None else 2,
        node_start_s=60 * numbers["node_start_min"],
        node_release_s=60 * numbers["node_release_min"],
        pod_start_s=60 * numbers["pod_start_min"],
        load_s=60 * numbers["load_min"],
        lost_s=lost_s(numbers, terms.window, work.shard_s, work.samples),
        preemptions_per_h=numbers["preemptions_per_hour"] if terms.spot else 0.0,
        retried_pods=numbers["retried_pods"],
        stragglers=numbers["stragglers"],
        straggler_times=numbers["straggler_times"],
        ingest_s=megabytes / speed,
        downloads=terms.downloads,
    )


def _require(name: str, value: float, *, least: float, most: float = math.inf) -> None:
    if math.isfinite(value) and least <= value <= most:
        return
    wanted = f"{least:g} or more" if most == math.inf else f"from {least:g} to {most:g}"
    raise PermanentError(f"--{name.replace('_', '-')} is {value:g}; it must be {wanted}")

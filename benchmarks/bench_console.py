"""How soon the console answers over a whole campaign, and what memory that takes.

    make bench-console        ROWS=12000000 for a thousand shards; BENCH_FOLDER to choose the disk

A folder first, then the same objects on an S3 server (moto) on this machine. Counts and pages of
filters that a person may choose: tracks, shards, verdicts, reasons, lengths, attempts; in the order
of the shards, by length and at random; a page with everything that its cards show, photographs
apart. The board is asked of Airflow's own API server, with as many task instances as shards in its
database: `board_cold_s` is the first answer of that process, `board_rss_mib` its memory. `cold_s`
is the first answer of a gallery, `index_s` what counting all shards takes once. The last line is
one JSON object, of the worse of both stores.
"""

import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))

from benchmarks import console_server
from benchmarks.console_campaign import ROWS as ROWS_OF_SHARD
from benchmarks.console_campaign import Writing, build
from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.quality.browse.catalogue import Catalogue
from sa1b_captions.quality.browse.finding.filters import Filters
from sa1b_captions.quality.browse.finding.find import count
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.stages.status.status import read_status
from sa1b_captions.storage import FileStore, Store, open_store_url
from sa1b_console.cards import CardMaker

COUNTS, PAGES, BOARDS = 200, 60, 40
BUCKET = "bench"


def filters(rng: np.random.Generator, shards: int) -> Filters:
    """What a person may choose."""
    first = int(rng.integers(shards))
    low = int(rng.integers(200, 900))
    return Filters(
        track=str(rng.choice(["", "single_en", "single_en", "single_zh", "multi_en"])),
        shards=str(rng.choice(["", "", f"{first}", f"0-{first}"])),
        verdict=str(rng.choice(["", "", "accepted", "rejected"])),
        reason=str(rng.choice(["", "", "", "refusal", "missing_end"])),
        attempt=[None, None, None, 2][rng.integers(4)],
        min_chars=[None, None, low][rng.integers(3)],
        max_chars=[None, None, low + 200][rng.integers(3)],
        order=str(rng.choice(["plan", "short", "long", "random", "random"])),
        seed=int(rng.integers(100)),
    )


def show(campaign: Campaign, catalogue: Catalogue, chosen: Filters, after: str = "") -> str | None:
    """A page and its cards; returns the key of the next one."""
    page = catalogue.page(chosen, after)
    CardMaker(campaign, catalogue).cards(page.hits, {})
    return page.after


def pages(shards: int) -> list[Filters]:
    """Filters of the pages that are measured, the same ones every time."""
    rng = np.random.default_rng(11)
    return [filters(rng, shards) for _ in range(PAGES)]


def timed(step: Callable[[], object]) -> float:
    """Seconds that a step takes."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def measure(campaign: Campaign, shards: int) -> dict[str, float]:
    """Answer everything once, in a process that has answered nothing before."""
    catalogue = Catalogue(campaign)
    cold = timed(lambda: count(catalogue.counts(), Filters()))
    rng = np.random.default_rng(3)
    counted = [
        timed(lambda f=one: count(catalogue.counts(), f))  # type: ignore[misc]  # bound at once
        for one in (filters(rng, shards) for _ in range(COUNTS))
    ]
    shown = []
    for chosen in pages(shards):
        after: list[str | None] = []
        shown.append(timed(lambda: after.append(show(campaign, catalogue, chosen))))  # noqa: B023
        if after[0]:
            shown.append(timed(lambda: show(campaign, catalogue, chosen, after[0] or "")))  # noqa: B023
    return {
        "cold_s": cold,
        "p95_count_s": float(np.percentile(counted, 95)),
        "p95_page_s": float(np.percentile(shown, 95)),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure_board(url: str, shards: int, endpoint: str | None) -> dict[str, float]:
    """Ask Airflow's API server for the board again and again, with the track's own requests."""
    with tempfile.TemporaryDirectory() as home:
        console_server.prepare(Path(home), url, endpoint)
        client = console_server.start(shards)
        cold = timed(lambda: console_server.get(client, "/"))
        shown = []
        for number in range(BOARDS):
            path = f"/?track={TRACKS[number % len(TRACKS)]}" if number % 4 else "/board/sa_000007"
            shown.append(timed(lambda p=path: console_server.get(client, p)))  # type: ignore[misc]
            time.sleep(0.2)
    return {
        "board_cold_s": cold,
        "p95_board_s": float(np.percentile(shown, 95)),
        "board_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def prepare(store: Store, shards: int) -> dict[str, float]:
    """Build the campaign, count it, and write the captions that the pages will ask for."""
    campaign = build(store, shards)
    read_status(campaign)  # as validate does: it keeps the summary
    catalogue = Writing(campaign)
    indexing = timed(catalogue.refresh)
    for chosen in pages(shards):
        after = show(campaign, catalogue, chosen)
        if after:
            show(campaign, catalogue, chosen, after)
    return {"index_s": indexing, "rows": catalogue.counts().captions}


def child(*arguments: str) -> dict[str, float]:
    """Run a part in a process of its own, and read its last line."""
    command = [sys.executable, "-m", "benchmarks.bench_console", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def copy_to_s3(folder: Path, endpoint: str) -> None:
    """Put every object of a folder into a bucket."""
    import boto3

    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
    store, files = open_store_url(f"s3://{BUCKET}", endpoint), FileStore(folder)
    for key in files.list(""):
        store.write(key, files.read(key))
    # Stamps are others there, so the copied summary would be made anew while the board is asked.
    read_status(open_campaign(store, "bench", load_recipe("internvl")))


def on_s3(folder: Path, shards: int) -> dict[str, float]:
    """Measure the same objects on an S3 server."""
    from moto.server import ThreadedMotoServer

    os.environ |= {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    copy_to_s3(folder, endpoint)
    found = child("measure", f"s3://{BUCKET}", str(shards), endpoint)
    found |= child("board", f"s3://{BUCKET}", str(shards), endpoint)
    server.stop()
    return found


def main() -> None:
    """Prepare, measure on both stores, and print the result."""
    if sys.argv[1:]:
        what, url, number, *endpoint = sys.argv[1:]
        store = open_store_url(url, endpoint[0] if endpoint else None)
        if what == "prepare":
            print(json.dumps(prepare(store, int(number))))
        elif what == "board":
            print(json.dumps(measure_board(url, int(number), endpoint[0] if endpoint else None)))
        else:
            campaign = open_campaign(store, "bench", load_recipe("internvl"))
            print(json.dumps(measure(campaign, int(number))))
        return
    rows = int(os.environ.get("ROWS", "12000000"))
    shards = min(1000, max(1, round(rows / sum(ROWS_OF_SHARD.values()))))
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        url = Path(folder).as_uri()
        made = child("prepare", url, str(shards))
        print(f"{shards} shards, load {os.getloadavg()[0]:.1f}", json.dumps(made), flush=True)
        folder_ = child("measure", url, str(shards)) | child("board", url, str(shards))
        found = {"folder": folder_}
        print("folder", json.dumps(found["folder"]), flush=True)
        found["s3"] = on_s3(Path(folder), shards)
        print("s3", json.dumps(found["s3"]), flush=True)
    worse = {name: max(one[name] for one in found.values()) for name in found["s3"]}
    result = {name: round(value, 3) for name, value in worse.items()}
    print(json.dumps(result | {"index_s": round(made["index_s"], 1), "rows": int(made["rows"])}))


if __name__ == "__main__":
    main()

"""Settings of what is captioned, where it goes, and how captions are made."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sa1b_captions.settings import parsers
from sa1b_captions.settings.variables import REQUIRED, variable

ENGINE_NAMES = ("preview", "openai", "lmdeploy")
"""Engines there are; `caption/engines/registry.py` loads them."""

MAX_SHARDS_PER_POD = 10
"""A pod's deadline grows with its shards, and its Airflow task has 5 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionSettings:
    """The part of `Settings` that decides which captions are made, and by what."""

    captions_root: str = variable(
        "CAPTIONS_ROOT",
        parsers.root,
        REQUIRED,
        doc="Store that everything lives in: `file:///absolute/path` or `s3://bucket/prefix`.",
        for_worker=True,
        example="s3://sa1b/captions",
        heading="What is captioned, and where it goes",
    )
    s3_endpoint_url: str | None = variable(
        "CAPTIONS_S3_ENDPOINT_URL",
        parsers.url,
        doc="S3-compatible service, in compose SeaweedFS beside Airflow; not set means AWS.",
        for_worker=True,
        example="http://seaweedfs:8333",
    )
    links: str | None = variable(
        "CAPTIONS_LINKS",
        str,
        doc="Meta's links file: a local path, a key in the store as `store:links.tsv`, or an "
        "Airflow connection as `connection:sa1b_links`, whose password is the file's text. Its "
        "signed links are credentials. Compose mounts ./data read-only at /opt/airflow/data.",
        example="/opt/airflow/data/sa1b_links.txt",
    )
    md5_list: str | None = variable(
        "CAPTIONS_MD5_LIST",
        str,
        doc="Expected MD5s of the archives, as md5sum writes them: a local path or `store:<key>`; "
        "not set checks none.",
    )
    download_ranges: int = variable(
        "CAPTIONS_DOWNLOAD_RANGES",
        parsers.whole_number(),
        1,
        doc="Connections that share one archive's download; above 1 the server needs ranges.",
    )
    drop_raw: bool = variable(
        "CAPTIONS_DROP_RAW",
        parsers.flag,
        False,
        doc="`true` lets caption_shards delete a shard's archive from the store once the shard is "
        "validated; all of SA-1B is 11 TB.",
    )
    campaign: str = variable(
        "CAPTIONS_CAMPAIGN",
        parsers.name,
        "internvl2-76b",
        doc="Folder under `campaigns/`; one campaign holds captions of one recipe.",
        for_worker=True,
    )
    recipe: str = variable(
        "CAPTIONS_RECIPE",
        str,
        "internvl",
        doc="Name of a packaged recipe (docs/models.md), or the path of a recipe file.",
    )
    start_date: dt.date = variable(
        "CAPTIONS_START_DATE",
        dt.date.fromisoformat,
        dt.date(2026, 11, 1),
        doc="Day 0 of the schedule: the date whose run takes the first shards.",
    )
    shards_per_run: int = variable(
        "CAPTIONS_SHARDS_PER_RUN",
        parsers.whole_number(),
        10,
        doc="Shards that one scheduled day works on.",
    )
    shards_per_pod: int = variable(
        "CAPTIONS_SHARDS_PER_POD",
        parsers.whole_number(at_most=MAX_SHARDS_PER_POD),
        1,
        doc="Shards that one caption pod or process takes with one load of the model, 1 to "
        f"{MAX_SHARDS_PER_POD}, unless the run's form says otherwise.",
    )
    engine: str = variable(
        "CAPTIONS_ENGINE",
        parsers.one_of(*ENGINE_NAMES),
        "preview",
        doc="Engine unless the run's form says otherwise. `preview` needs nothing, `openai` "
        "endpoints that serve the model, `lmdeploy` GPUs of its own.",
        for_worker=True,
        heading="How captions are made",
    )
    window: int = variable(
        "CAPTIONS_WINDOW",
        parsers.whole_number(),
        96,
        doc="Captions that the openai and lmdeploy engines keep in flight, over all replicas; on "
        "80 GB GPUs 64 to 128 keep the engine full.",
        for_worker=True,
    )
    request_timeout_s: int = variable(
        "CAPTIONS_REQUEST_TIMEOUT_S",
        parsers.whole_number(),
        900,
        doc="Seconds for one caption, waiting in the engine included, before it is tried again; a "
        "full window takes one to two minutes.",
        for_worker=True,
    )
    max_failure_share: float = variable(
        "CAPTIONS_MAX_FAILURE_SHARE",
        parsers.share,
        0.05,
        doc="Share of a shard's samples in one track that may fail after all tries (error, empty "
        "or cut off) before the shard fails, with an allowance for chance; 1 for no limit. "
        "Clearing its task then captions the failed ones again.",
        for_worker=True,
    )
    model_path: str | None = variable(
        "CAPTIONS_MODEL_PATH",
        str,
        doc="lmdeploy: the model's folder, .../InternVL2-Llama3-76B or .../snapshots/<commit>.",
        for_worker=True,
    )
    tensor_parallel: int | None = variable(
        "CAPTIONS_TENSOR_PARALLEL",
        parsers.whole_number(),
        doc="lmdeploy: GPUs that share the model; not set takes all that the process sees.",
        for_worker=True,
    )
    lmdeploy_options: dict[str, Any] | None = variable(
        "CAPTIONS_LMDEPLOY_OPTIONS",
        parsers.options,
        doc="lmdeploy: other fields of its TurbomindEngineConfig as a JSON object, for example "
        '`{"quant_policy": 8}`.',
        for_worker=True,
    )
    openai_urls: tuple[str, ...] | None = variable(
        "CAPTIONS_OPENAI_URLS",
        parsers.urls,
        doc="openai: replicas, separated by commas, for example `http://captions-0:23333/v1`.",
        for_worker=True,
    )
    openai_api_key: str | None = variable(
        "CAPTIONS_OPENAI_API_KEY",
        parsers.key,
        doc="openai: key that the replicas ask for, if they do. Pods have it from their Secret.",
        secret=True,
    )
    openai_patience_s: int = variable(
        "CAPTIONS_OPENAI_PATIENCE_S",
        parsers.whole_number(),
        1800,
        doc="openai: seconds without a working replica before Airflow has the shard back.",
        for_worker=True,
    )
    judge_engine: str | None = variable(
        "CAPTIONS_JUDGE_ENGINE",
        parsers.one_of("openai", "lmdeploy"),
        doc="audit: engine that judges sentences; not set means CAPTIONS_ENGINE. `preview` cannot.",
        for_worker=True,
    )
    judge_urls: tuple[str, ...] | None = variable(
        "CAPTIONS_JUDGE_URLS",
        parsers.urls,
        doc="audit: replicas of the judge, where it is another model than CAPTIONS_OPENAI_URLS "
        "serve.",
        for_worker=True,
    )
    judge_api_key: str | None = variable(
        "CAPTIONS_JUDGE_API_KEY",
        parsers.key,
        doc="audit: key that CAPTIONS_JUDGE_URLS ask for; they are never sent another.",
        secret=True,
    )

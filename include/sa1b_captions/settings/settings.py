"""Every setting, said once: its variable, how that is read, and what it decides."""

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any, Literal

from sa1b_captions.settings import parsers
from sa1b_captions.settings.variables import REQUIRED, Variable, variable

Runtime = Literal["local", "pod"]

ENGINE_NAMES = ("preview", "openai", "lmdeploy")
"""Engines there are; `caption/engines/registry.py` loads them."""

NO_STORE = "file:///no-store"

MAX_SHARDS_PER_POD = 10
"""A pod's deadline grows with its shards, and its Airflow task has 5 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment decides; what a run decides is a DAG Param or a CLI option."""

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
        str,
        doc="S3-compatible service; not set means AWS. In compose it is the SeaweedFS beside "
        "Airflow.",
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
        doc="Connections that share one archive's download; more than 1 needs a server with "
        "ranges.",
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
        doc="openai: seconds without any working replica before the shard is given back to "
        "Airflow.",
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
    ray_address: str | None = variable(
        "CAPTIONS_RAY_ADDRESS",
        str,
        doc="dedup: the Ray cluster that does its work, as `host:port`; not set means that it runs "
        "in one process. What is stored is the same. docs/scale-out.md says when it pays.",
        example="dedup-head.sa1b-captions:6379",
        heading="Where duplicates are found",
    )
    statsd: str | None = variable(
        "CAPTIONS_STATSD",
        parsers.listener,
        doc="Where metrics go, as `host:port` of a StatsD listener that takes tags, such as the "
        "statsd_exporter of Airflow's chart; not set sends none. docs/observing.md lists them.",
        for_worker=True,
        heading="How it is watched",
    )
    log_format: str = variable(
        "CAPTIONS_LOG_FORMAT",
        parsers.one_of("text", "json"),
        "text",
        doc="`json` writes each line of a stage's log as an object with time, level, stage, shard, "
        "track and sample.",
        for_worker=True,
    )
    alert_connection: str | None = variable(
        "CAPTIONS_ALERT_CONNECTION",
        parsers.connection,
        doc="Airflow connection of a webhook that is told of runs that fail or miss their "
        "deadline; not set tells nobody.",
        example="captions_alerts",
    )
    deadline_h: int | None = variable(
        "CAPTIONS_DEADLINE_H",
        parsers.whole_number(),
        doc="Hours from when a run of caption_shards is queued to when it should have ended; not "
        "set means no deadline.",
        example="24",
    )
    publish_to: str | None = variable(
        "CAPTIONS_PUBLISH_TO",
        str,
        doc="Repository that release_dataset offers each release to: `hf://owner/name` or "
        "`modelscope://owner/name`, with `@branch` for another branch than the main one. A person "
        "is asked each time; not set offers nothing.",
        heading="Where releases go",
    )
    publish_token: str | None = variable(
        "CAPTIONS_PUBLISH_TOKEN",
        parsers.key,
        doc="Token of that hub, which must be allowed to write there.",
        secret=True,
    )
    publish_token_file: str | None = variable(
        "CAPTIONS_PUBLISH_TOKEN_FILE",
        str,
        doc="File that holds the token, in place of CAPTIONS_PUBLISH_TOKEN.",
    )
    runtime: Runtime = variable(
        "CAPTIONS_RUNTIME",
        parsers.one_of("local", "pod"),
        "local",
        doc="Where the caption stage runs: `local`, a process beside Airflow, or `pod`, "
        "Kubernetes.",
        heading="Where captions are made",
    )
    gpu_profile: str = variable(
        "CAPTIONS_GPU_PROFILE",
        parsers.name,
        "h100x4",
        doc="pod: a section of include/sa1b_captions/settings/pod_profiles.toml.",
    )
    price_per_gpu_hour: float | None = variable(
        "CAPTIONS_PRICE_PER_GPU_HOUR",
        parsers.price,
        doc="What a GPU costs in an hour, in whatever currency; the campaign board tells costs in "
        "the same.",
        example="2.49",
    )
    worker_image: str | None = variable(
        "CAPTIONS_WORKER_IMAGE",
        parsers.container_image,
        doc="pod: image of caption pods (deploy/Dockerfile.worker) with its tag or digest; "
        "required.",
    )
    image: str | None = variable(
        "CAPTIONS_IMAGE",
        str,
        doc="pod: image that a caption pod runs in, told by its operator for receipts and releases "
        "to name. Leave it unset.",
    )
    namespace: str = variable(
        "CAPTIONS_NAMESPACE",
        parsers.kubernetes_name,
        "sa1b-captions",
        doc="pod: Kubernetes namespace; this and the names below are those of deploy/kubernetes.",
    )
    service_account: str = variable(
        "CAPTIONS_SERVICE_ACCOUNT",
        parsers.kubernetes_name,
        "sa1b-worker",
        doc="pod: service account; it needs no permission.",
    )
    store_secret: str = variable(
        "CAPTIONS_STORE_SECRET",
        parsers.kubernetes_name,
        "sa1b-store",
        doc="pod: Secret whose keys become a pod's environment: the store's credentials.",
    )
    model_claim: str = variable(
        "CAPTIONS_MODEL_CLAIM",
        parsers.kubernetes_name,
        "sa1b-models",
        doc="pod: persistent volume claim that holds the model, mounted read-only at /models.",
    )

    @property
    def has_store(self) -> bool:
        """Whether `CAPTIONS_ROOT` is set; `load_settings` may be told to do without."""
        return self.captions_root != NO_STORE


VARIABLES: dict[str, Variable] = {
    entry.name: entry.metadata["variable"] for entry in fields(Settings)
}
"""Every setting's variable by its field's name."""

VARIABLE_NAMES = tuple(entry.name for entry in VARIABLES.values())

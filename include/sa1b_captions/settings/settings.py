"""Every setting, said once: its variable, how that is read, and what it decides."""

from dataclasses import dataclass
from typing import Literal

from sa1b_captions.settings import parsers
from sa1b_captions.settings.caption_settings import CaptionSettings
from sa1b_captions.settings.variables import variable

Runtime = Literal["local", "pod"]

NO_STORE = "file:///no-store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(CaptionSettings):
    """What a deployment decides; what a run decides is a DAG Param or a CLI option."""

    ray_address: str | None = variable(
        "CAPTIONS_RAY_ADDRESS",
        str,
        doc="dedup: the Ray cluster that does its work, for example "
        "`dedup-head.sa1b-captions:6379`; not set means that it runs in one process. What is "
        "stored is the same. docs/scale-out.md says when it pays.",
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
    )
    deadline_h: int | None = variable(
        "CAPTIONS_DEADLINE_H",
        parsers.whole_number(),
        doc="Hours from when a run of caption_shards is queued to when it should have ended; not "
        "set means no deadline.",
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
        doc="Where the caption stage runs: `local`, beside Airflow, or `pod`, in Kubernetes.",
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

"""Deployment settings, all from environment variables and all listed in `.env.example`.

The one module that reads `os.environ`. A required setting that is missing is an error, never an
empty string.
"""

import contextlib
import datetime as dt
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from sa1b_captions.errors import SettingsError

Runtime = Literal["local", "pod"]

ENGINE_NAMES = ("preview", "openai", "lmdeploy")
"""Engines there are; `caption/engines/registry.py` loads them."""

MAX_SHARDS_PER_POD = 10
"""A pod's deadline grows with its shards, and its Airflow task has 5 days."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment decides; what a run decides is a DAG Param or a CLI option."""

    captions_root: str
    """Store everything lives in: `file:///path` or `s3://bucket/prefix`."""
    campaign: str
    """Name of the captioning campaign, a folder under `campaigns/`."""
    recipe: str
    """`internvl` for the packaged recipe, or the path of a recipe file."""
    links: str | None
    """Meta's links file: a local path, a key in the store as `store:links.tsv`, or an Airflow
    connection as `connection:sa1b_links`, whose password is the file's text."""
    md5_list: str | None
    """Expected MD5s of the archives, as md5sum writes them: a local path or `store:<key>`."""
    download_ranges: int
    """Connections that share one archive's download; more than 1 needs a server with ranges."""
    drop_raw: bool
    """Whether caption_shards deletes a shard's archive from the store once it is validated."""
    s3_endpoint_url: str | None
    """S3-compatible endpoint; None means AWS."""
    runtime: Runtime
    """Where the caption stage runs: a Kubernetes pod or a process beside Airflow."""
    engine: str
    """Engine a run uses unless its `engine` Param says otherwise."""
    gpu_profile: str
    """Name of a profile in `include/sa1b_captions/pod_profiles.toml`."""
    shards_per_run: int
    """Shards that one scheduled day works on."""
    shards_per_pod: int
    """Shards that one caption pod or process takes with one model load, unless the run's
    `shards_per_pod` Param says otherwise; at most 10."""
    start_date: dt.date
    """Day 0 of the schedule: the date whose run takes the first shards."""
    worker_image: str | None
    """Image of caption pods, with its tag or digest; the pod runtime needs it."""
    namespace: str
    """Kubernetes namespace of caption pods."""
    service_account: str
    """Service account of caption pods; it needs no permission."""
    store_secret: str
    """Kubernetes Secret whose keys become a pod's environment: the store's credentials."""
    model_claim: str
    """Persistent volume claim that holds the model, mounted read-only at /models."""
    window: int
    """Requests that the openai and lmdeploy engines keep in flight, over all replicas."""
    request_timeout_s: int
    """Longest time for one caption, waiting in the engine included."""
    max_failure_share: float
    """Share of a track's samples that may fail before its shard does, with an allowance for chance;
    1 for no limit."""
    model_path: str | None
    """The lmdeploy engine's model: a snapshot's folder, named for the model or inside its cache."""
    tensor_parallel: int | None
    """GPUs that the lmdeploy engine spreads the model over; all it sees if not set."""
    lmdeploy_options: dict[str, Any] | None
    """Other TurbomindEngineConfig fields as a JSON object, for example `{"quant_policy": 8}`."""
    openai_urls: tuple[str, ...] | None
    """The openai engine's replicas, separated by commas, for example `http://captions-0:23333/v1`."""
    openai_api_key: str | None = field(repr=False)
    """Key that the replicas ask for; none if not set."""
    openai_patience_s: int
    """How long the openai engine waits for a first replica, and for one to come back."""


def _runtime(text: str) -> Runtime:
    if text not in ("local", "pod"):
        raise ValueError("expected local or pod")
    return cast("Runtime", text)


def _engine(text: str) -> str:
    if text not in ENGINE_NAMES:
        raise ValueError(f"expected one of {', '.join(ENGINE_NAMES)}")
    return text


def _root(text: str) -> str:
    if not re.match(r"file:///.|s3://[^/]", text):
        raise ValueError("expected file:///absolute/path or s3://bucket/prefix")
    return text.rstrip("/")


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", text):
        raise ValueError("expected letters, digits, dot, dash or underscore, at most 63")
    return text


def _kubernetes_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", text):
        raise ValueError("expected small letters, digits and dashes, at most 63")
    return text


def _image(text: str) -> str:
    name = text.rpartition("/")[2]
    if not re.search(r"(:[^@:]+|@sha256:[0-9a-f]{64})$", name) or name.endswith(":latest"):
        raise ValueError("expected an image with its tag or digest, and not latest")
    return text


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"


def _positive(text: str) -> int:
    if not re.fullmatch("[0-9]+", text, re.ASCII) or int(text) < 1:
        raise ValueError("expected a whole number of at least 1")
    return int(text)


def _share(text: str) -> float:
    with contextlib.suppress(ValueError):
        number = float(text)
        if 0 <= number <= 1:
            return number
    raise ValueError("expected a share from 0 to 1, for example 0.05")


def _shards_per_pod(text: str) -> int:
    number = _positive(text)
    if number > MAX_SHARDS_PER_POD:
        raise ValueError(f"expected at most {MAX_SHARDS_PER_POD}")
    return number


def _urls(text: str) -> tuple[str, ...]:
    urls = tuple(url.strip().rstrip("/") for url in text.split(",") if url.strip())
    for url in urls:
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or parts.username)
        if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
            raise ValueError("expected URLs like http://host:23333/v1, separated by commas")
    if len(set(urls)) != len(urls):
        raise ValueError("a URL is given twice")
    return urls


def _options(text: str) -> dict[str, Any]:
    options = json.loads(text)
    if not isinstance(options, dict):
        raise ValueError("expected a JSON object")
    return options


REQUIRED = object()
VARIABLES: dict[str, tuple[str, Callable[[str], Any], Any]] = {
    # field: (environment variable, parser, default)
    "captions_root": ("CAPTIONS_ROOT", _root, REQUIRED),
    "campaign": ("CAPTIONS_CAMPAIGN", _name, "internvl2-76b"),
    "recipe": ("CAPTIONS_RECIPE", str, "internvl"),
    "links": ("CAPTIONS_LINKS", str, None),
    "md5_list": ("CAPTIONS_MD5_LIST", str, None),
    "download_ranges": ("CAPTIONS_DOWNLOAD_RANGES", _positive, 1),
    "drop_raw": ("CAPTIONS_DROP_RAW", _flag, False),
    "s3_endpoint_url": ("CAPTIONS_S3_ENDPOINT_URL", str, None),
    "runtime": ("CAPTIONS_RUNTIME", _runtime, "local"),
    "engine": ("CAPTIONS_ENGINE", _engine, "preview"),
    "gpu_profile": ("CAPTIONS_GPU_PROFILE", _name, "h100x4"),
    "shards_per_run": ("CAPTIONS_SHARDS_PER_RUN", _positive, 10),
    "shards_per_pod": ("CAPTIONS_SHARDS_PER_POD", _shards_per_pod, 1),
    "start_date": ("CAPTIONS_START_DATE", dt.date.fromisoformat, dt.date(2026, 11, 1)),
    "worker_image": ("CAPTIONS_WORKER_IMAGE", _image, None),
    "namespace": ("CAPTIONS_NAMESPACE", _kubernetes_name, "sa1b-captions"),
    "service_account": ("CAPTIONS_SERVICE_ACCOUNT", _kubernetes_name, "sa1b-worker"),
    "store_secret": ("CAPTIONS_STORE_SECRET", _kubernetes_name, "sa1b-store"),
    "model_claim": ("CAPTIONS_MODEL_CLAIM", _kubernetes_name, "sa1b-models"),
    "window": ("CAPTIONS_WINDOW", _positive, 96),
    "request_timeout_s": ("CAPTIONS_REQUEST_TIMEOUT_S", _positive, 900),
    "max_failure_share": ("CAPTIONS_MAX_FAILURE_SHARE", _share, 0.05),
    "model_path": ("CAPTIONS_MODEL_PATH", str, None),
    "tensor_parallel": ("CAPTIONS_TENSOR_PARALLEL", _positive, None),
    "lmdeploy_options": ("CAPTIONS_LMDEPLOY_OPTIONS", _options, None),
    "openai_urls": ("CAPTIONS_OPENAI_URLS", _urls, None),
    "openai_api_key": ("CAPTIONS_OPENAI_API_KEY", str, None),
    "openai_patience_s": ("CAPTIONS_OPENAI_PATIENCE_S", _positive, 1800),
}
VARIABLE_NAMES = tuple(variable for variable, _, _ in VARIABLES.values())

_WORKER_FIELDS = (
    "captions_root",
    "s3_endpoint_url",
    "campaign",
    "engine",
    "window",
    "request_timeout_s",
    "max_failure_share",
    "model_path",
    "tensor_parallel",
    "lmdeploy_options",
    "openai_urls",
    "openai_patience_s",
)


def worker_environment(settings: Settings) -> dict[str, str]:
    """Variables that give a worker elsewhere the same settings, without the secret ones."""
    values = {name: getattr(settings, name) for name in _WORKER_FIELDS}
    return {VARIABLES[name][0]: _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; a variable set to the empty string counts as not set.

    Raises:
        SettingsError: naming the variable, what is wrong with it and what to write.
    """
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for name, (variable, parse, default) in VARIABLES.items():
        text = source.get(variable, "").strip()
        if not text:
            if default is REQUIRED:
                raise SettingsError(f"{variable} is not set; .env.example says what it may be")
            values[name] = default
            continue
        try:
            values[name] = parse(text)
        except ValueError as error:
            shown = re.sub("//[^/@]*@", "//…@", text)  # a URL's login is a secret
            raise SettingsError(f"{variable}={shown!r} is not usable: {error}") from None
    return Settings(**values)

"""What the lmdeploy engine is started with, checked before the model is loaded.

lmdeploy drops settings it does not know and replaces what it cannot read by something else, both
without a word. Everything here is refused instead.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sa1b_captions.errors import PermanentError, SettingsError
from sa1b_captions.recipe import Model, Sampling
from sa1b_captions.settings import Settings

if TYPE_CHECKING:
    from lmdeploy import ChatTemplateConfig, GenerationConfig, TurbomindEngineConfig

_TURN_ENDS = {"internvl2": "<|im_end|>", "internvl2_5": "<|im_end|>\n"}
"""What ends a turn by `Model.template`; both begin turns alike."""

_OWN_SETTINGS = {"tp": "CAPTIONS_TENSOR_PARALLEL", "max_batch_size": "CAPTIONS_WINDOW"}
_UNKNOWN_REVISION = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """A model's folder, known to be the recipe's model."""

    path: Path
    revision: str
    """Commit, or `unknown` when the folder does not tell."""


def find_snapshot(model: Model, path: str | None) -> Snapshot:
    """Check that a folder is the recipe's model, by its name.

    Two layouts tell: the hub's cache (`models--OpenGVLab--Name/snapshots/<commit>`) and a plain
    folder called as the model (`.../Name`).

    Raises:
        SettingsError: no path is set.
        PermanentError: there is no model there, or another one or another revision.
    """
    if path is None:
        raise SettingsError(
            "CAPTIONS_MODEL_PATH is not set; the lmdeploy engine needs the model's folder"
        )
    folder = Path(path)
    if not (folder / "config.json").is_file():
        raise PermanentError(
            f"CAPTIONS_MODEL_PATH={path} holds no config.json; put {model.id} there or mount it"
        )
    cached = folder.parent.name == "snapshots"
    name = folder.parents[1].name if cached else folder.name
    expected = f"models--{model.id.replace('/', '--')}" if cached else model.id.rpartition("/")[2]
    if name != expected:
        raise PermanentError(
            f"CAPTIONS_MODEL_PATH={path} is called {name}, the recipe needs {model.id}; "
            f"a folder of that model is called {expected}"
        )
    revision = folder.name if cached else _UNKNOWN_REVISION
    if model.pinned and revision != model.revision:
        raise PermanentError(
            f"CAPTIONS_MODEL_PATH={path} is of revision {revision}, the recipe pins "
            f"{model.revision}; use the hub cache's folder snapshots/{model.revision}"
        )
    return Snapshot(folder, revision)


def engine_options(settings: Settings, model: Model) -> dict[str, Any]:
    """Fields of TurbomindEngineConfig.

    Raises SettingsError: CAPTIONS_LMDEPLOY_OPTIONS names a field that lmdeploy would ignore, or one
    that has a setting of its own.
    """
    from lmdeploy import TurbomindEngineConfig

    options = settings.lmdeploy_options or {}
    for name in options:
        if name in _OWN_SETTINGS:
            raise SettingsError(f"CAPTIONS_LMDEPLOY_OPTIONS: {_OWN_SETTINGS[name]} sets {name}")
    ours = {
        "tp": settings.tensor_parallel or _visible_gpus(),
        "max_batch_size": settings.window,
        "session_len": model.context_tokens,
        # Only zh after en on the same image gains from it: about a tenth of the prefill is left.
        "enable_prefix_caching": True,
        # An image that a prefill step cuts in two is encoded twice; 16384 halves how often.
        "max_prefill_token_num": 16384,
    }
    refuse_unknown(TurbomindEngineConfig, {**ours, **options})
    return {**ours, **options}


def refuse_unknown(config: type, options: dict[str, Any]) -> None:
    """Refuse names that are no fields of a dataclass: lmdeploy's accept and forget them.

    Raises SettingsError naming them.
    """
    known = {field.name for field in dataclasses.fields(config)}
    unknown = sorted(set(options) - known)
    if unknown:
        raise SettingsError(
            f"{config.__name__} has no field {', '.join(unknown)}; lmdeploy would ignore it; "
            "correct CAPTIONS_LMDEPLOY_OPTIONS"
        )


def engine_config(settings: Settings, model: Model) -> "TurbomindEngineConfig":
    """The engine's configuration; raises as `engine_options` says."""
    from lmdeploy import TurbomindEngineConfig

    try:
        return TurbomindEngineConfig(**engine_options(settings, model))
    except (AssertionError, ValueError) as error:
        raise SettingsError(f"CAPTIONS_LMDEPLOY_OPTIONS: {error}") from None


def _visible_gpus() -> int:
    import torch

    count: int = torch.cuda.device_count()
    if not count:
        raise PermanentError("the lmdeploy engine sees no GPU; check the pod's GPU limit")
    return count


def chat_template(model: Model) -> "ChatTemplateConfig":
    """The template and system prompt that the model's family was trained with.

    Without it lmdeploy takes the tokenizer's, which differs from them: it has no system prompt, and
    for InternVL2 a line break after `<|im_end|>` that the model was not trained on.
    """
    from lmdeploy import ChatTemplateConfig

    end = _TURN_ENDS[model.template]
    return ChatTemplateConfig(
        model_name="base",
        system="<|im_start|>system\n",
        meta_instruction=model.system_prompt or None,
        eosys=end,
        user="<|im_start|>user\n",
        eoh=end,
        assistant="<|im_start|>assistant\n",
        eoa=end,
        stop_words=["<|im_end|>"],
    )


def generation_config(settings: Sampling, top_tokens: int = 0) -> "GenerationConfig":
    """One request's sampling settings; `sampling` has seen to what lmdeploy would discard.

    Args:
        top_tokens: probable tokens that are to be reported with every one that is picked. They are
            what `top_k` leaves, and their probabilities add up to 1: of a greedy request only the
            picked one is told, with certainty.
    """
    from lmdeploy import GenerationConfig

    return GenerationConfig(**dataclasses.asdict(settings), logprobs=top_tokens or None)

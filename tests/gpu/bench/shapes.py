"""The models that can be measured, by name, and what is measured of each."""

from dataclasses import dataclass

COLOURS = ("red", "green", "blue", "cyan", "magenta", "yellow")
"""What a checkpoint sees: one channel above the other two, or one below them."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One timed pass over a shard of its own: a picture seen again would come from the cache."""

    name: str
    images: int
    window: int = 0
    """Requests that the worker keeps in flight; 0 for lmdeploy's own `pipe(list)`."""
    wide: bool = False
    """`pipe(list)` with as many preprocessing threads as the worker, instead of lmdeploy's one."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An InternVL2-Llama3 of some size."""

    hidden: int
    heads: int
    kv_heads: int
    inner: int
    layers: int
    vit_hidden: int
    vit_heads: int
    vit_inner: int
    vit_layers: int
    passes: tuple[Pass, ...]
    batches: tuple[int, ...] = ()
    """Batch sizes at which Transformers captions; none where the model does not fit twice."""
    large_vit: bool = True
    """InternViT-6B (RMS norm, normalised queries and keys), not InternViT-300M."""
    awq: bool = False
    dtype: str = "float16"
    vocabulary: int = 128264
    shortest: int = 120
    """Tokens of the shortest caption; the longest has 11/6 of it."""
    gpus: int = 1

    @property
    def window(self) -> int:
        """The largest window of any pass."""
        return max(each.window for each in self.passes)

    def caption_tokens(self) -> dict[str, int]:
        """Tokens of each colour's caption, the full stop included, the stop token not."""
        return {c: self.shortest * (6 + n) // 6 for n, c in enumerate(COLOURS)}


def _passes(images: int, *windows: int) -> tuple[Pass, ...]:
    """A warm-up, then worker and `pipe(list)` in turn at the first window, then other windows."""
    best, *others = windows
    return (
        Pass("warm-up", min(images, best), best),
        Pass(f"worker {best}, first", images, best),
        Pass("pipe(list), wide, first", images, wide=True),
        Pass(f"worker {best}, second", images, best),
        Pass("pipe(list), wide, second", images, wide=True),
        Pass("pipe(list), stock", images),
        *(Pass(f"worker {window}", images, window) for window in others),
    )


_6B = {"vit_hidden": 3200, "vit_heads": 25, "vit_inner": 12800, "vit_layers": 45}
_300M = {"vit_hidden": 1024, "vit_heads": 16, "vit_inner": 4096, "vit_layers": 24}
_TOY = {"vit_hidden": 256, "vit_heads": 2, "vit_inner": 512, "vit_layers": 2}
_TOY |= {"vocabulary": 1024, "shortest": 12}
_LLAMA_70B = (8192, 64, 8, 28672, 80)

SHAPES = {
    "tiny": Shape(256, 2, 1, 512, 2, **_TOY, passes=_passes(6, 4), batches=(1, 2)),
    "tiny-awq": Shape(256, 2, 1, 512, 2, **_TOY, passes=_passes(6, 4), awq=True),
    "8b": Shape(
        *(4096, 32, 8, 14336, 32),
        **_300M,
        passes=_passes(192, 64, 128, 32),
        batches=(1, 8, 16),
        large_vit=False,
        dtype="bfloat16",
    ),
    "76b-awq": Shape(*_LLAMA_70B, **_6B, passes=_passes(64, 24, 48, 12), awq=True),
    "76b": Shape(*_LLAMA_70B, **_6B, passes=_passes(128, 64, 128, 32), dtype="bfloat16", gpus=2),
}

"""Which packaged recipe fits which GPU, for docs/models.md; every number is an estimate."""

from sa1b_captions.costs.architectures import (
    ARCHITECTURES as MODELS,
)
from sa1b_captions.costs.architectures import kv_tokens as room
from sa1b_captions.costs.sourced import Numbers, find_gpu
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings.profiles import load_profile

TOKENS_PER_IMAGE = 2840
"""8.75 tiles of 256 tokens, which SA-1B's shapes come to, and 600 of prompts and caption."""

ARCHITECTURES = {
    recipe: MODELS[load_recipe(recipe).model.id]
    for recipe in (
        *("internvl", "internvl2-76b-awq", "internvl2-8b", "internvl2-2b"),
        *("internvl2_5-8b", "internvl3-8b", "internvl3_5-8b", "internvl3_5-38b"),
    )
}
"""Of the packaged recipes."""

FITS = (
    ("internvl", "h100x4", 96),
    ("internvl2-76b-awq", "awq-1gpu", 24),
    ("internvl3_5-38b", "h100x2", 64),
    ("internvl2-8b", "l4x1", 12),
    ("internvl2-8b", "a10g-1gpu", 12),
    ("internvl2-8b", "rtx4090-1gpu", 12),
    ("internvl2-2b", "l4x1", 48),
    ("internvl2_5-8b", "l4x1", 12),
    ("internvl2_5-8b", "rtx4090-1gpu", 12),
    ("internvl3-8b", "l4x1", 24),
    ("internvl3-8b", "a10g-1gpu", 24),
    ("internvl3-8b", "rtx4090-1gpu", 32),
    ("internvl3_5-8b", "l4x1", 8),
    ("internvl3_5-8b", "a10g-1gpu", 8),
    ("internvl3_5-8b", "rtx4090-1gpu", 12),
)
"""Recipe, pod profile and CAPTIONS_WINDOW that go together."""


def kv_tokens(recipe: str, profile: str) -> float:
    """Tokens that the KV cache has room for."""
    pod = load_profile(profile)
    gpu = find_gpu(pod.node_selector["nvidia.com/gpu.product"])
    return room(ARCHITECTURES[recipe], gpu.memory_gb, pod.gpus, Numbers())


def page() -> str:
    """The page, its numbers computed from the constants above."""
    rows = []
    for recipe, profile, window in FITS:
        model = ARCHITECTURES[recipe]
        tokens = kv_tokens(recipe, profile)
        rows.append(
            f"| `{recipe}` | `{profile}` | {load_profile(profile).gpus} | {window} | "
            f"{model.language_gb:.1f} + {model.vision_gb:.1f} GB | {model.kv_bytes:,} | "
            f"{tokens:,.0f} | {tokens / TOKENS_PER_IMAGE:.0f} |"
        )
    models = []
    for recipe in ARCHITECTURES:
        named = load_recipe(recipe).model
        models.append(
            f"| `{recipe}` | `{named.id}` | `{named.template}` | {named.context_tokens:,} |"
        )
    return TEXT.format(
        rows="\n".join(rows),
        models="\n".join(models),
        share=Numbers()["kv_share"],
        overhead=Numbers()["overhead_gb"],
        image=TOKENS_PER_IMAGE,
    )


TEXT = """# Models

Set `CAPTIONS_RECIPE` to one of these names, and `CAPTIONS_CAMPAIGN` to a name of its own.

| recipe | model | template | context, tokens |
|---|---|---|---|
{models}

Each but `internvl` is a short file in `include/sa1b_captions/recipe/packaged` that says what
differs from it: the model, the template and system prompt that its family was trained with, and
names of the released files. Only `internvl` may carry the published names. Targets are left out:
they are what those names promise. A file of your own does the same, with `base = "internvl3_5-8b"`
at its top, and takes keys of its base away with `without = ["tracks.single_en.samples_per_shard"]`.
`revision` is a branch in the packaged files, which were written without a look at the hub's
commits; a run with a branch warns. Pin the commit of the snapshot that you have, or lock the model.

The `lmdeploy` engine runs InternVL models whose language model is a Llama, InternLM2, Qwen2 or
Qwen3, and refuses others, such as InternVL2-4B's Phi-3, at its start. The template `internvl2` ends
a turn with `<|im_end|>`, `internvl2_5` (2.5, 3 and 3.5) with a line break after it.

## Locking a model

A branch moves, a download may be damaged, a folder may hold another model under the right name. A
lock names every file of the model by size and SHA-256; the `lmdeploy` engine then refuses any
other before it loads one, and says what differs.

    sa1b-captions model lock             # by the hub's list: fetches small files only
    sa1b-captions model lock FOLDER      # by the files that you have
    sa1b-captions model fetch            # by the lock beside the recipe, or the hub's list; hashed
    sa1b-captions model verify FOLDER    # hash again

`lock` writes `campaigns/<campaign>/recipe.lock` in the store. With `--out my.lock` it writes a
file; called as the recipe, `my.lock` beside `my.toml`, it is stored when a campaign of that recipe
begins. It is JSON with the files in order. A campaign is never locked to other files than before,
and one without a lock takes any folder of the model's name, as `sa1b-captions status` then says.
Hidden files and bytecode do not count as the model's.

Hashing 152 GB takes minutes: a core does about 0.65 GB/s (measured on a busy one), up to eight
work at once, and the disk may be slower. It is done once. A stamp beside the folder, outside of
it, then says of which lock, and of which size, time and inode every file was; a start compares
those alone, and hashes again where one differs. `model fetch` and `model verify` write the stamp.
Caption pods mount the volume read-only and keep nothing when they end, so they cannot: where it is
missing each says so and hashes. A copy has other inodes and is hashed again, by
`model-node-local.yaml` and the warm fleet when they copy. Servers that others started load what
they like; a lock says nothing of them.

## Which GPU

Set `CAPTIONS_GPU_PROFILE` and `CAPTIONS_WINDOW` so:

| recipe | profile | GPUs | window | language + vision | KV bytes/token | KV tokens | images |
|---|---|---|---|---|---|---|---|
{rows}

Nothing here was measured on a GPU. Weights follow from the published sizes; each GPU holds its
part of the language model, the whole vision model and {overhead:g} GB for the rest; {share:.0%} of
what is then free is KV cache, for so many tokens. An image and its caption take {image:,} tokens on
average, which makes the last column. A window somewhat above it does no harm, for TurboMind lets
requests wait for room.
"""

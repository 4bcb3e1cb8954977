"""What the InternVL2 checkpoints that see say, computed plainly on the CPU.

Vision layers, which all of them switch off, are left out; the language model is transformers' own.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from tests.gpu.bench.awq import dequantised


class Reference:
    """A checkpoint of `seeing_internvl2` or of the benchmark's, in float32."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.safetensors"))
        tensors = dequantised({n: tensor for f in files for n, tensor in load_file(f).items()})
        self._tensors = tensors
        settings = json.loads((folder / "config.json").read_text())["llm_config"]
        for name in ("quantization_config", "torch_dtype"):
            settings.pop(name, None)
        added = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
        ids = {token["content"]: token["id"] for token in added}
        self._image, self.end = ids["<IMG_CONTEXT>"], ids["<|im_end|>"]
        self._llama = LlamaForCausalLM(LlamaConfig(**settings)).float().eval()
        prefix = "language_model."
        self._llama.load_state_dict(
            {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        )

    @torch.inference_mode()
    def see(self, tiles: torch.Tensor) -> torch.Tensor:
        """Tiles (n, 3, 448, 448) as embeddings (n * 256, hidden)."""
        tensors, functions = self._tensors, torch.nn.functional
        embeddings = "vision_model.embeddings.patch_embedding."
        weight, bias = tensors[f"{embeddings}weight"], tensors[f"{embeddings}bias"]
        patches = functions.conv2d(tiles.float(), weight, bias, stride=14)
        # One place for each patch, the first being the class's.
        positions = tensors["vision_model.embeddings.position_embedding"][0, 1:]
        patches = patches + positions.T.unflatten(1, (32, 32))
        # Four neighbours side by side: (n, width, 32, 32) to (n * 256, 4 * width).
        grid = patches.unflatten(3, (16, 2)).unflatten(2, (16, 2)).permute(0, 2, 4, 3, 5, 1)
        joined = grid.reshape(-1, 4 * patches.shape[1])
        normed = functions.layer_norm(
            joined, joined.shape[-1:], tensors["mlp1.0.weight"], tensors["mlp1.0.bias"]
        )
        inner = functions.gelu(normed @ tensors["mlp1.1.weight"].T + tensors["mlp1.1.bias"])
        return inner @ tensors["mlp1.3.weight"].T + tensors["mlp1.3.bias"]

    @torch.inference_mode()
    def answer(self, input_ids: list[int], pixels: list[torch.Tensor], most: int) -> list[int]:
        """Greedy continuation, up to `most` tokens and without the stop token."""
        ids = torch.tensor(input_ids)
        hidden = self._llama.model.embed_tokens(ids)
        if pixels:
            hidden[ids == self._image] = self.see(torch.cat(list(pixels)))
        said: list[int] = []
        output = self._llama(inputs_embeds=hidden[None], use_cache=True, logits_to_keep=1)
        while len(said) < most:
            token = int(output.logits[0, -1].argmax())
            if token == self.end:
                break
            said.append(token)
            output = self._llama(
                torch.tensor([[token]]), past_key_values=output.past_key_values, use_cache=True
            )
        return said

"""What the tiny InternVL2 checkpoints say, computed plainly on the CPU.

Vision layers, which `seeing_internvl2` switches off, are left out; the language model is
transformers' own.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from tests.gpu import tiny_internvl2 as tiny


class Reference:
    """A checkpoint of `seeing_internvl2`, in float32."""

    def __init__(self, folder: Path) -> None:
        tensors = {
            name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()
        }
        self._tensors = tensors
        settings = tiny.configuration()["llm_config"]
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
        # Four neighbours side by side: (n, hidden, 32, 32) to (n * 256, 4 * hidden).
        grid = patches.unflatten(3, (16, 2)).unflatten(2, (16, 2)).permute(0, 2, 4, 3, 5, 1)
        joined = grid.reshape(-1, 4 * tiny.HIDDEN)
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
            hidden[ids == tiny.IMG_CONTEXT] = self.see(torch.cat(list(pixels)))
        said: list[int] = []
        output = self._llama(inputs_embeds=hidden[None], use_cache=True, logits_to_keep=1)
        while len(said) < most:
            token = int(output.logits[0, -1].argmax())
            if token == tiny.IM_END:
                break
            said.append(token)
            output = self._llama(
                torch.tensor([[token]]), past_key_values=output.past_key_values, use_cache=True
            )
        return said

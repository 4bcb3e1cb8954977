"""Tiny checkpoints of InternVL's families: each one's language model configuration and tokenizer.

Built on the tiny InternVL2-Llama3; the weights stay a Llama's, which nothing here reads.
InternLM2's own tokenizer is code around a sentencepiece file; here a fast one has its special
tokens and BOS.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from tests.gpu import tiny_internvl2 as tiny

_IMAGE_TOKENS = ("<img>", "</img>", "<IMG_CONTEXT>")

# Without BOS, as Qwen's; and without InternVL's system prompt.
_TOKENIZER_TEMPLATE = tiny.TOKENIZER_TEMPLATE.replace("{{ bos_token }}", "")

_INTERNLM2_CODE = """

class InternLM2Config(PretrainedConfig):
    model_type = "internlm2"
"""


@dataclass(frozen=True)
class Family:
    """What one family's checkpoint has in place of the Llama one's."""

    recipe: str
    config_class: str
    model_type: str
    architecture: str
    special_tokens: tuple[str, ...]
    bos: str | None
    eos: str

    def token(self, name: str) -> int:
        """Id of a special token: they follow the 256 bytes."""
        return 256 + self.special_tokens.index(name)

    def build(self, folder: Path) -> Path:
        """Write the checkpoint."""
        tiny.build(folder)
        _change(folder / "config.json", self._configure)
        _change(folder / "tokenizer_config.json", self._configure_tokenizer)
        _change(folder / "generation_config.json", self._configure_generation)
        self._tokenizer().save(str(folder / "tokenizer.json"))
        code = tiny.CONFIGURATION_CODE.replace("LlamaForCausalLM", self.architecture)
        if self.config_class == "InternLM2Config":
            code = code.replace("from transformers import LlamaConfig\n", "")
            head, imports, rest = code.partition("import PretrainedConfig\n")
            code = head + imports + _INTERNLM2_CODE + rest
        (folder / "configuration_internvl_chat.py").write_text(
            code.replace("LlamaConfig", self.config_class)
        )
        return folder

    def _configure(self, config: dict) -> None:
        config["llm_config"] |= {
            "architectures": [self.architecture],
            "model_type": self.model_type,
            "bos_token_id": self.token(self.bos) if self.bos else None,
            "eos_token_id": self.token(self.eos),
        }

    def _configure_tokenizer(self, config: dict) -> None:
        config |= {"bos_token": self.bos, "eos_token": self.eos, "pad_token": self.eos}
        if self.bos is None:
            del config["bos_token"]
            config["chat_template"] = _TOKENIZER_TEMPLATE

    def _configure_generation(self, config: dict) -> None:
        config.pop("bos_token_id")
        config["eos_token_id"] = [self.token("<|im_end|>"), self.token(self.eos)]

    def _tokenizer(self) -> Tokenizer:
        vocabulary = {character: n for n, character in enumerate(tiny.ALPHABET)}
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(
            [AddedToken(token, special=True, normalized=False) for token in self.special_tokens]
        )
        if self.bos:
            tokenizer.post_processor = processors.TemplateProcessing(
                single=f"{self.bos} $A", special_tokens=[(self.bos, self.token(self.bos))]
            )
        return tokenizer


def _change(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=1))


INTERNLM2 = Family(
    recipe="internvl2-8b",
    config_class="InternLM2Config",
    model_type="internlm2",
    architecture="InternLM2ForCausalLM",
    special_tokens=("<s>", "</s>", "<|im_start|>", "<|im_end|>", *_IMAGE_TOKENS),
    bos="<s>",
    eos="</s>",
)
INTERNLM2_5 = dataclasses.replace(INTERNLM2, recipe="internvl2_5-8b")
INTERNLM2_SMALL = dataclasses.replace(INTERNLM2, recipe="internvl2-2b")
QWEN3 = Family(
    recipe="internvl3_5-8b",
    config_class="Qwen3Config",
    model_type="qwen3",
    architecture="Qwen3ForCausalLM",
    special_tokens=("<|endoftext|>", "<|im_start|>", "<|im_end|>", *_IMAGE_TOKENS),
    bos=None,
    eos="<|im_end|>",
)
QWEN2 = Family(
    recipe="internvl3-8b",
    config_class="Qwen2Config",
    model_type="qwen2",
    architecture="Qwen2ForCausalLM",
    special_tokens=QWEN3.special_tokens,
    bos=None,
    eos="<|im_end|>",
)
QWEN2_SMALL = dataclasses.replace(QWEN2, recipe="internvl2-8b")
"""InternVL2-1B, which differs from 8B's recipe in its id alone."""

"""The commands of sa1b-captions where there is no GPU: `python -m tests.gpu.faked caption ...`.

lmdeploy is the real one; what TurboMind would compute is computed on the CPU instead.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sa1b_captions.cli import app
from sa1b_captions.settings import load_settings
from tests.gpu import fake_turbomind
from tests.gpu.reference_internvl2 import Reference


@contextlib.contextmanager
def cpu_turbomind(model: Path) -> Iterator[None]:
    """Put the checkpoint's arithmetic on the CPU where lmdeploy starts TurboMind."""
    reference = Reference(model)

    def script(call: fake_turbomind.Call) -> fake_turbomind.Answer:
        most = call.settings.max_new_tokens
        said = reference.answer(call.input_ids, call.pixels, most)
        ends = [reference.end] if len(said) < most else []
        return fake_turbomind.Answer(tokens=(*said, *ends))

    with fake_turbomind.installed(script):
        yield


if __name__ == "__main__":
    path = load_settings().model_path
    assert path is not None, "CAPTIONS_MODEL_PATH is not set"  # smoke sets it
    with cpu_turbomind(Path(path)):
        app()

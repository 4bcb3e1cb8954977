"""Loads TurboMind's library and says how far it got, one JSON object.

`python -m tests.gpu.load --installed` imports it as lmdeploy does, on the GPU machine.
`python -m tests.gpu.load BUNDLE` unpacks the bundle's and loads it without a GPU, between the
bundle's CUDA libraries and a driver whose functions trap: the file is sound, every symbol it needs
from CUDA 12 is there, and its kernels register.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.gpu.libraries import driver_stubs

_PROGRAM = "import ctypes, os, sys; ctypes.CDLL(sys.argv[1], os.RTLD_LAZY).PyInit__turbomind"


def installed() -> dict[str, object]:
    """Import lmdeploy's TurboMind here.

    Raises:
        RuntimeError: with the loader's message; lmdeploy itself would go on with PyTorch.
    """
    import lmdeploy
    from lmdeploy import turbomind

    if not turbomind.is_available():
        raise RuntimeError(f"TurboMind does not load: {turbomind._import_error}")
    return {"lmdeploy": lmdeploy.__version__, "loads": True}


def bundled(bundle: Path) -> dict[str, object]:
    """Load the bundle's library in another process."""
    archive = bundle / json.loads((bundle / "bundle.json").read_text())["archive"]
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(archive) as tar:
        names = [n for n in tar.getnames() if "/_turbomind." in n or n.endswith("_nccl_stub.so")]
        for name in names:
            tar.extract(name, scratch, filter="data")
        library = next(Path(scratch).rglob("_turbomind.*"))
        stubs = Path(scratch) / "stubs"
        driver_stubs(library, stubs)
        search = os.pathsep.join(map(str, (bundle / "cudart", bundle / "cublas", stubs)))
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(library)],
            env=os.environ | {"LD_LIBRARY_PATH": search},
            check=True,
        )
        return {"library": library.name, "mib": library.stat().st_size >> 20, "loads": True}


if __name__ == "__main__":
    argument = sys.argv[1]
    print(json.dumps(installed() if argument == "--installed" else bundled(Path(argument))))

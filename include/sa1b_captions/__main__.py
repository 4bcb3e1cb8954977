"""`python -m sa1b_captions` is the same as the `sa1b-captions` command."""

import sys

from sa1b_captions.imports import leave_out

_SPARING = ("ingest", "curate", "dedup", "drop", "export")
"""Commands without Great Expectations and engines, the only ones that need what is left out."""


def main() -> None:
    """Run the command of sys.argv."""
    if sys.argv[1:2] and sys.argv[1] in _SPARING:
        # pyarrow imports pandas with its first array and numba scipy for BLAS: half of a start.
        leave_out("pandas", "scipy")
    from sa1b_captions.cli import app

    app()


if __name__ == "__main__":
    main()

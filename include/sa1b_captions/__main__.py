"""`python -m sa1b_captions` is the same as the `sa1b-captions` command."""

from sa1b_captions.cli import app

app()

"""Serves the demo's archives over HTTP with Range, as Meta's CDN does; see `run.py`."""

import os

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

# StaticFiles answers Range requests with 206 and sends ETag and Last-Modified.
app = Starlette(
    routes=[Mount("/", StaticFiles(directory=os.environ["DEMO_ARCHIVES"], check_dir=True))]
)

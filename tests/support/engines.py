"""An engine for tests: scripted, thread-safe, and it counts what it was asked."""

import threading
import time
from collections.abc import Callable

from sa1b_captions.caption.engines.base import Reply, Request
from sa1b_captions.records import CaptionStatus


def honest_reply(request: Request) -> Reply:
    """A caption that names its sample and image sizes."""
    sizes = " and ".join(f"{image.width}x{image.height}" for image in request.images)
    caption = f"Sample {request.sample_id} shows {sizes} pixels."
    return Reply(CaptionStatus.OK, caption, "stop", prompt_tokens=10, completion_tokens=5)


class ScriptedEngine:
    """Answers with `script(request)`, which may raise; keeps count of requests in flight."""

    name = "scripted"
    model = "preview"
    model_revision = "1"

    def __init__(
        self,
        script: Callable[[Request], Reply] = honest_reply,
        *,
        window: int = 4,
        needs_pixels: bool = True,
        delay_s: float = 0.0,
    ) -> None:
        self.window = window
        self.needs_pixels = needs_pixels
        self.asked: list[str] = []
        self.peak_in_flight = 0
        self.closed = False
        self._script = script
        self._delay_s = delay_s
        self._in_flight = 0
        self._lock = threading.Lock()

    def caption(self, request: Request) -> Reply:
        with self._lock:
            self.asked.append(request.sample_id)
            self._in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        try:
            time.sleep(self._delay_s)
            return self._script(request)
        finally:
            with self._lock:
                self._in_flight -= 1

    def close(self) -> None:
        self.closed = True

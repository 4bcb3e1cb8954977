"""The server that every tool asks: places for so many captions at once, and odd replies.

It speaks HTTP as tests/support/openai_server.py does and takes its time as
tests/support/simulated_engine.py does, which batches continuously. It remembers when each image was
asked for and when its reply was ready.
"""

import base64
import enum
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import images
from tests.support.openai_server import Answer, Fault, OpenAIServer, content
from tests.support.simulated_engine import SimulatedEngine

MODEL = "simulated"
SPEEDUP = 14.0
"""A caption then takes half a second where all places are taken."""
SLOW_S = 6.0
PROMPT_TOKENS = 1800


class Mood(enum.StrEnum):
    """How the server is odd about one image."""

    EMPTY = "empty"  # no text, and an end as if there were
    CUT = "cut short"  # the token limit ended it
    ERROR = "500"  # each time
    ERROR_TWICE = "500 twice"  # a caption the third time
    SLOW = "slow"
    GARBAGE = "garbage"  # status 200, and half of a JSON object


@dataclass(frozen=True)
class Asked:
    """One request for an image's caption."""

    image: str
    began_s: float
    ended_s: float | None
    """When its reply was ready, by the same clock; None for an error."""


def caption_of(image: str) -> str:
    """The caption of an image, which names it."""
    return f"The photograph {image} shows soft colours that meet without an edge."


class CaptionServer:
    """Listens until it is closed. Attributes may be read while it runs."""

    def __init__(
        self, names: Mapping[str, str], places: int, moods: Mapping[str, Mood] | None = None
    ) -> None:
        """Begin to listen.

        Args:
            names: of the images, by what identifies them (`images.names_by_digest`).
            places: captions that are written at once.
            moods: of the server, by image.
        """
        self._names = dict(names)
        self._moods = dict(moods or {})
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.asked: list[Asked] = []
        self.engine = SimulatedEngine(window=places, speedup=SPEEDUP)
        self._http = OpenAIServer(models=(MODEL,), answer=self._answer, odd=self._odd)
        self.url = self._http.url

    def close(self) -> None:
        """Refuse connections, and drop those that are open."""
        self._http.stop()
        self.engine.close()

    @property
    def replied(self) -> int:
        """Images whose caption was ready at least once."""
        with self._lock:
            return len({each.image for each in self.asked if each.ended_s is not None})

    def _sent(self, body: dict[str, Any]) -> bytes:
        urls = [part["image_url"]["url"] for part in content(body) if part["type"] == "image_url"]
        (url,) = urls
        return base64.b64decode(url.partition("base64,")[2])

    def _odd(self, body: dict[str, Any]) -> Fault | None:
        data = self._sent(body)
        image = images.name_of(data, self._names) or "unknown"
        self._tries[image] += 1
        mood = self._moods.get(image)
        fault = None
        if images.pixel_digest(data) is None:
            fault = Fault(status=400, message="cannot decode the image: it is truncated")
        elif mood is Mood.ERROR or (mood is Mood.ERROR_TWICE and self._tries[image] < 3):
            fault = Fault(status=500)
        elif mood is Mood.GARBAGE:
            fault = Fault(body=b'{"choices": [{"message": {"role": "assist')
        elif mood is Mood.SLOW:
            return Fault(stall_s=SLOW_S)
        if fault is not None:
            self._note(Asked(image, time.monotonic(), None))
        return fault

    def _answer(self, body: dict[str, Any]) -> Answer:
        began = time.monotonic()
        image = images.name_of(self._sent(body), self._names) or "unknown"
        self.engine.generate(image, PROMPT_TOKENS)
        self._note(Asked(image, began, time.monotonic()))
        mood = self._moods.get(image)
        if mood is Mood.EMPTY:
            return Answer("")
        if mood is Mood.CUT:
            return Answer(caption_of(image)[:40], "length")
        return Answer(caption_of(image))

    def _note(self, asked: Asked) -> None:
        with self._lock:
            self.asked.append(asked)

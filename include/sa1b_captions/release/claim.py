"""Claims: a version belongs to one set of inputs before the first of its files is written.

Every run of an export puts a claim of its own under the version and then lists them all. It holds
the version if all claims are to its own inputs; otherwise it takes its claim back. Of two runs with
different inputs at most one sees itself alone: the one that claims later lists both. So a version's
files are written from one set of inputs only, on any store whose listings are up to date; nothing
here depends on conditional requests, which servers get wrong under races.

A claim is taken back when its release is finished or was refused. One whose run was killed stays,
and keeps the version for a run with the same inputs: whoever was killed may only be slow.
"""

import contextlib
import datetime as dt
import json
import logging
import random
import time
import uuid
from collections.abc import Iterator

from sa1b_captions import layout
from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError
from sa1b_captions.software import software
from sa1b_captions.storage import Store

_log = logging.getLogger(__name__)

CONTESTS = 5
"""Times that two runs which claim at the same moment both step back before one gives up."""
STEP_BACK_S = 0.5
"""Longest wait before claiming again; the wait is random, lest the two meet again."""


class TakenError(PermanentError):
    """A version belongs to other inputs, or to a run that has them."""


class Claim:
    """A version that only runs with these inputs write."""

    def __init__(self, store: Store, version: str, digest: str) -> None:
        self.store, self.version = store, version
        self._digest = digest
        self._key = layout.claim_key(version, digest, uuid.uuid4().hex)

    def put(self, campaign: str, run_id: str | None) -> None:
        """Claim the version.

        Raises TakenError: by a run with other inputs; this claim is taken back.
        """
        facts = {
            "campaign": campaign,
            "run_id": run_id,
            "claimed_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "software": software(),
        }
        text = json.dumps(facts, ensure_ascii=False, indent=1)
        for _ in range(CONTESTS):
            self.store.write(self._key, text.encode())
            if not self._others():
                return
            self.store.delete(self._key)
            time.sleep(random.uniform(0, STEP_BACK_S))
            if others := self._others():
                raise TakenError(self._refusal(others[0]))
        raise RetryableError(f"another export claims release {self.version}, too; run it again")

    def _others(self) -> list[str]:
        """Claims to the version by runs with other inputs."""
        prefix = layout.claims_prefix(self.version)
        mine = layout.claim_key(self.version, self._digest, "").removesuffix(".json")
        return [key for key in self.store.list(prefix) if not key.startswith(mine)]

    def _refusal(self, other: str) -> str:
        try:
            facts = json.loads(self.store.read(other))
            whose = f" by campaign {facts['campaign']} on {facts['claimed_at'][:10]}"
        except (
            CaptioningError,
            ValueError,
            KeyError,
            TypeError,
        ):  # it was taken back, or is damaged
            whose = ""
        return (
            f"release {self.version} was begun{whose} from other captions or by other software, "
            "and is not finished; choose a new version, or, if that export runs no more, take "
            f"the version over: sa1b-captions export --version {self.version} --replace-unfinished"
        )

    def require(self) -> None:
        """Make sure that nobody finished the version meanwhile, or took it over.

        Raises RetryableError: somebody did, and another run says which; or the store failed.
        """
        if not self.store.exists(self._key):
            raise RetryableError(
                f"another export finished release {self.version} meanwhile, or took it over; "
                "run it again"
            )

    def take_back(self) -> None:
        """Give the version free."""
        self.store.delete(self._key)

    def clear(self) -> None:
        """Take back this claim and those of killed runs: the manifest keeps the version."""
        for key in self.store.list(layout.claims_prefix(self.version)):
            self.store.delete(key)


def replace_claims(store: Store, version: str) -> None:
    """Take a version over whose exports run no more. Their runs, if any, end without a release."""
    for key in store.list(layout.claims_prefix(version)):
        _log.warning("taking release %s over: removing %s", version, key)
        store.delete(key)


@contextlib.contextmanager
def claimed(
    store: Store, version: str, digest: str, campaign: str, run_id: str | None
) -> Iterator[Claim]:
    """Hold a version while a release is written.

    Args:
        digest: of all that decides its files' bytes.
        campaign: whose release, for the message to another campaign.

    Raises TakenError: a run with other inputs has claimed it.
    """
    claim = Claim(store, version, digest)
    claim.put(campaign, run_id)
    try:
        yield claim
    except PermanentError:
        # Whatever else ends a run may leave a write on its way: then the claim stays.
        with contextlib.suppress(CaptioningError):
            claim.take_back()
        raise
    claim.clear()

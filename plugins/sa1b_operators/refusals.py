"""Says in a task's log what the account may not do, whoever passes over it.

The provider goes on where it may not delete a pod, mark it, read its log or its events. It then
says nothing, or `Forbidden`: pods stay, a retry meets the pod that failed, and logs are empty.
"""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from sa1b_operators import api_errors


class Refusals:
    """Notes what is refused, each verb and resource once."""

    def __init__(self, log: Any, connection: str | None) -> None:
        """Take the task's log, and the Airflow connection for the sentence."""
        self._log = log
        self._connection = connection
        self._said: set[str] = set()

    def watch(self, client: Any) -> None:
        """Listen to all that an ApiClient of the `kubernetes` package is answered."""
        asked = client.call_api

        @functools.wraps(asked)
        def call_api(*arguments: Any, **options: Any) -> Any:
            try:
                return asked(*arguments, **options)
            except api_errors.ANSWERS as error:
                self._note(error)
                raise

        client.call_api = call_api

    def watch_async(self, client: Any) -> None:
        """The same for one of `kubernetes_asyncio`."""
        asked: Callable[..., Awaitable[Any]] = client.call_api

        @functools.wraps(asked)
        async def call_api(*arguments: Any, **options: Any) -> Any:
            try:
                return await asked(*arguments, **options)
            except api_errors.ANSWERS as error:
                self._note(error)
                raise

        client.call_api = call_api

    def _note(self, error: BaseException) -> None:
        if api_errors.lacks_permission(error):
            sentence = api_errors.explain(error, self._connection)
            if sentence not in self._said:
                self._said.add(sentence)
                self._log.warning("%s", sentence)

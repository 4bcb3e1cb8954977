"""The end of this process where nothing else can end it."""

import logging
import os
from typing import NoReturn

from sa1b_captions.errors import EXIT_RETRYABLE
from sa1b_captions.observing.log_lines import ERROR

_log = logging.getLogger(__name__)


def end_process(reason: str, advice: str = "ending the process, run it again") -> NoReturn:
    """Log both, then leave without any clean-up, with the exit code that means run it again.

    Threads that hang and exit handlers that wait for them cannot hold it up.
    """
    _log.critical("%s%s; %s", ERROR, reason, advice)
    logging.shutdown()
    os._exit(EXIT_RETRYABLE)

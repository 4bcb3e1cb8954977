"""Errors, and the exit code each one becomes.

    CaptioningError
    ├── RetryableError      the same call may succeed later (network, store, preemption)   exit 75
    ├── PermanentError      the same call will fail again (bad input, bad setting)         exit 65
    │   ├── SettingsError   a setting is missing or malformed
    │   ├── MissingKeyError the store has no object under a key
    │   ├── DamagedObjectError   a stored object is not what was written
    │   └── DamagedArchiveError  the bytes of an archive are bad; getting them again may give others
    └── NothingToDo         not an error: all that was asked for is done                   exit 99

75 and 65 are `EX_TEMPFAIL` and `EX_DATAERR` of sysexits.h. Airflow retries on the first, fails at
once on the second and marks the task skipped on 99; see `plugins/sa1b_operators/base.py`. Any
other exception is a fault of this package: exit 1. A message says what failed, where, and what to
do. Whatever takes a store or a campaign raises RetryableError when the store fails; docstrings do
not say so again.
"""

EXIT_FAULT = 1
EXIT_USAGE = 2
EXIT_RETRYABLE = 75
EXIT_PERMANENT = 65
EXIT_NOTHING_TO_DO = 99


class CaptioningError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = EXIT_PERMANENT


class RetryableError(CaptioningError):
    """The same call may succeed later."""

    exit_code = EXIT_RETRYABLE


class PermanentError(CaptioningError):
    """The same call will fail again until a person changes something."""


class SettingsError(PermanentError):
    """A setting is missing or malformed."""


class MissingKeyError(PermanentError):
    """The store has no object under this key."""

    def __init__(self, key: str, store_url: str) -> None:
        super().__init__(f"{store_url} has no object {key}")
        self.key = key
        self._store_url = store_url

    def __reduce__(self) -> tuple[type["MissingKeyError"], tuple[str, str]]:
        """It may be raised in another process than the one that tells of it."""
        return MissingKeyError, (self.key, self._store_url)


class DamagedObjectError(PermanentError):
    """A stored object is not what was written."""


class DamagedArchiveError(PermanentError):
    """The bytes of an archive are bad."""


class NothingToDo(CaptioningError):
    """All that was asked for is done."""

    exit_code = EXIT_NOTHING_TO_DO

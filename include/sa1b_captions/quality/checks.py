"""Checks: running an expectation suite.

Importing Great Expectations costs 4 to 14 CPU-seconds and checking a shard 0.2, so one `Checker`
serves many shards.
"""

import contextlib
import logging
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sa1b_captions.errors import RetryableError
from sa1b_captions.plurals import counted
from sa1b_captions.receipts.findings import Check

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.core import ExpectationValidationResult


_PLAIN = (str, int, float, bool, type(None))
"""Types that JSON has itself."""


class Checker:
    """Runs suites in one ephemeral Great Expectations context, which keeps and sends nothing."""

    def __init__(self) -> None:
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        # This one logger of theirs sets itself to INFO, and tells of a folder nobody asked for.
        logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
        self._whole_frame = asset.add_batch_definition_whole_dataframe("whole")

    def check(self, frame: pa.Table, suite: "ExpectationSuite") -> list[Check]:
        """Check a table against a suite; the checks come in the suite's order.

        A check that crashes is a Check that says so, not an exception.
        """
        with _sparing():
            batch = self._whole_frame.get_batch({"dataframe": frame.to_pandas()})
            found = batch.validate(
                suite,
                # Values never leave this call, whatever a suite may look at one day.
                result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
            )
        checks = {check.name: check for check in map(_as_check, found.results)}
        return [checks[(expectation.meta or {})["name"]] for expectation in suite.expectations]


@contextlib.contextmanager
def _sparing() -> Iterator[None]:
    """Let Great Expectations leave out, while a suite runs, what it does again and again.

    It asks each expectation for its configuration seventy times and makes it anew each time, though
    nothing changes it; copies arguments to make them fit for JSON that are texts and numbers; and
    hashes every value of the frame twice, for a fingerprint that nobody reads. Together this is
    half of all its time.
    """
    from great_expectations.core import id_dict
    from great_expectations.execution_engine import pandas_execution_engine
    from great_expectations.expectations.expectation import Expectation

    original, to_json = Expectation.configuration, id_dict.convert_to_json_serializable
    made: dict[int, tuple[Expectation, Any]] = {}  # with the expectation, lest its id be another's

    def configuration(expectation: Expectation) -> Any:
        if id(expectation) not in made:
            made[id(expectation)] = (expectation, original.__get__(expectation))
        return made[id(expectation)][1]

    def fit_for_json(data: dict[str, Any]) -> Any:
        return data if all(type(one) in _PLAIN for one in data.values()) else to_json(data)

    with (
        _replaced(Expectation, "configuration", property(configuration)),
        _replaced(id_dict, "convert_to_json_serializable", fit_for_json),
        _replaced(pandas_execution_engine, "HASH_THRESHOLD", 0),
    ):
        yield


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)


class CrashedCheckError(RetryableError):
    """A check ended with an exception, which says nothing about the data."""


_open_checker = cache(Checker)
"""One per process; opened when there is something to check."""


def run_suite(frame: pa.Table, suite: "ExpectationSuite", where: str) -> list[Check]:
    """Check a table that `where` names against a suite; the checks come in the suite's order.

    Raises CrashedCheckError naming the first check that crashed.
    """
    checks = _open_checker().check(frame, suite)
    crashed = [check for check in checks if check.crashed]
    if crashed:
        raise CrashedCheckError(
            f"{where}: {counted(len(crashed), 'check')} crashed, the first is {crashed[0].name}: "
            f"{crashed[0].observed}; nothing is recorded, validate again"
        )
    return checks


def _as_check(result: "ExpectationValidationResult") -> Check:
    config = result.expectation_config
    if config is None or config.meta is None or config.severity is None:
        raise TypeError(f"Great Expectations returned a result without its expectation: {result}")
    error = _crash(result.exception_info)
    return Check(
        name=config.meta["name"],
        description=config.description or "",
        severity=str(getattr(config.severity, "value", config.severity)),
        success=bool(result.success),
        crashed=error is not None,
        observed=error or _observed(result.result, config.meta["unit"]),
    )


def _crash(exception_info: Any) -> str | None:
    """Message of the exception a check ended with, if it did.

    The information is flat when nothing crashed and nested by metric when something did.
    """
    for entry in (exception_info, *exception_info.values()):
        if isinstance(entry, dict) and entry.get("raised_exception"):
            return str(entry.get("exception_message") or "unknown exception")
    return None


def _observed(result: dict[str, Any], unit: str) -> str:
    if "unexpected_count" in result:
        differing, rows = result["unexpected_count"], result["element_count"]
        if unit == "given":  # of the rows that have a value
            rows -= result["missing_count"]
        if differing:
            return f"not so in {differing:,} of {rows:,}"
        return f"all {rows:,}" if rows > 1 else "the only one" if rows else "no such row"
    value = result.get("observed_value")
    if value is None:
        return "no rows"
    if unit == "flag":
        return "yes" if not value else "no"
    if unit == "number":
        return f"{float(value):.3f}"
    return f"{float(value):.1%}" if unit == "share" else f"{int(value):,}"

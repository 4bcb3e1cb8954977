"""Fixtures of the package's tests; pytest finds them here by their names."""

from tests.support.fixtures import (
    _no_waiting_for_the_disk,
    _one_certificate_authority,
    local,
    pytest_collection_finish,
    pytest_xdist_make_scheduler,
)

__all__ = [
    "_no_waiting_for_the_disk",
    "_one_certificate_authority",
    "local",
    "pytest_collection_finish",
    "pytest_xdist_make_scheduler",
]

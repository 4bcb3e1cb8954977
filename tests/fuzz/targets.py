"""All targets by name, but `route`, which starts an Airflow and wants schemathesis."""

from collections.abc import Callable

from tests.fuzz import archives, replies, stored, typed

TARGETS: dict[str, Callable[[], None]] = {
    target.__name__: target
    for target in (
        archives.archive,
        archives.jpeg,
        archives.annotation,
        typed.links,
        typed.recipe,
        typed.selection,
        typed.change,
        typed.address,
        replies.completion,
        replies.models,
        replies.refusal,
        stored.receipt,
        stored.stored_recipe,
        stored.manifest,
        stored.marks,
        stored.table,
    )
}

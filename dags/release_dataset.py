"""# release_dataset

Turns all captioned shards into a release: four JSONL files, Parquet, card, checksums, manifest.

**By itself** it starts when `caption_shards` has published every shard of the recipe; Airflow
shows how many are in under *Assets → captioned_shards*.

**By hand** trigger it, for example after shards were captioned again. A release is never
overwritten: without a name in `version` it takes the next number. Where some shards will not be done
for long, or failed, `allow_partial` makes a release without them, named so, with the missing ones on
its card; `tracks` makes one of some tracks only.

| task | does | when it fails |
|---|---|---|
| `check` | reads receipts: is every shard done? (not asked for a partial release) | it names the shards that `caption_shards` still has to do |
| `dedup` | finds captions that repeat another shard's, per track | clear it |
| `validate` | expectations over all shards, the release report | clear it |
| `route` | passes to `export`, warns to `gate`, stops on a failed check | open *Quality report* |
| `gate` | asks a person whether to release in spite of warnings; Hold after a week | answer under *Required Actions* |
| `export` | writes the release, manifest last | clear it: a release without manifest is written anew |
| `hold` | records that a person held the release back | |
"""

import datetime as dt
from typing import Any

from airflow.providers.standard.operators.hitl import HITLBranchOperator
from airflow.sdk import (
    DAG,
    Asset,
    FixedKeyMapper,
    Param,
    PartitionedAssetTimetable,
    RollupMapper,
    SegmentWindow,
    TriggerRule,
    task,
)
from airflow.sdk.exceptions import AirflowFailException

from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.settings import load_settings
from sa1b_operators.stage import STAGE_DEFAULTS, stage

recipe = load_recipe(load_settings().recipe)
# Same object in caption_shards: an asset is its name and uri.
captioned_shards = Asset(name="captioned_shards", uri="sa1b-captions://captioned_shards")

RUN_ID = ["--run-id", "{{ run_id }}"]
VERSION = "{{ params.version or '' }}"
RELEASED = "{{ params.tracks | join(',') }}"
PARTIAL = "{{ '--allow-partial' if params.allow_partial else '--no-allow-partial' }}"
# Of a release of some tracks, too, `dedup` says which shards lack them.
REQUIRE_DONE = (
    "{{ '--no-require-done' if params.allow_partial or params.tracks | length < "
    f"{len(TRACKS)} "
    "else '--require-done' }}"
)

with DAG(
    dag_id="release_dataset",
    description="Deduplicate, validate and export all captioned shards",
    doc_md=__doc__,
    # The window is the recipe's constant list: editing it would drop the progress of the rollup.
    schedule=PartitionedAssetTimetable(
        assets=captioned_shards,
        default_partition_mapper=RollupMapper(
            upstream_mapper=FixedKeyMapper("all-shards"), window=SegmentWindow(list(recipe.shards))
        ),
    ),
    catchup=False,
    # A paused DAG loses the partition keys that are emitted meanwhile.
    is_paused_upon_creation=False,
    max_active_runs=1,
    tags=["sa1b", "release"],
    default_args=STAGE_DEFAULTS,
    params={
        "version": Param(
            None,
            type=["null", "string"],
            pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
            title="Version",
            description="Name of the release. Empty takes the next number: v1, v2 and so on.",
        ),
        "allow_partial": Param(
            False,
            type="boolean",
            title="Allow a partial release",
            description="Leave out shards that are not done or failed. The card names them.",
        ),
        "tracks": Param(
            list(TRACKS),
            type="array",
            items={"type": "string", "enum": list(TRACKS)},
            minItems=1,
            uniqueItems=True,
            title="Tracks",
            description="Tracks of the release.",
        ),
    },
):
    check = stage(task_id="check", arguments=["status", REQUIRE_DONE])
    dedup = stage(
        task_id="dedup",
        each_arguments=[
            ["dedup", "--tracks", track, "--release-tracks", RELEASED, PARTIAL, *RUN_ID]
            for track in TRACKS
        ],
    )
    validate = stage(
        task_id="validate",
        arguments=["validate", "--release", "--tracks", RELEASED, PARTIAL, *RUN_ID],
        report="release",
    )

    @task.branch(retries=0)
    def route(*, ti: Any = None) -> str:
        """Choose the next task by the verdict."""
        verdict = ti.xcom_pull(task_ids="validate")["verdict"]
        if verdict == "fail":
            raise AirflowFailException("the release failed its checks; open the quality report")
        return "export" if verdict == "pass" else "gate"

    gate = HITLBranchOperator(
        task_id="gate",
        subject="Some checks warned: release anyway?",
        body="{% for check in ti.xcom_pull(task_ids='validate')['warnings'] %}- {{ check }}\n"
        "{% endfor %}\nThe numbers are in this run's tab *Quality report*.",
        options=["Release", "Hold"],
        options_mapping={"Release": "export", "Hold": "hold"},
        defaults="Hold",
        response_timeout=dt.timedelta(days=7),
        execution_timeout=None,
    )
    # Reached only when the checks passed or a person accepted the warnings.
    export = stage(
        task_id="export",
        arguments=[
            *["export", "--version", VERSION, "--tracks", RELEASED, PARTIAL],
            *["--allow-warnings", *RUN_ID],
        ],
        report="release",
        trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
    )

    @task
    def hold() -> None:
        """Leave the release unwritten; trigger this DAG again to reconsider."""

    routed = route()
    held = hold()
    check >> dedup >> validate >> routed >> [export, gate]
    gate >> [export, held]

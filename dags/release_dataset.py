"""# release_dataset

Turns all captioned shards into a release: four JSONL files, Parquet, card, checksums, manifest.

**By itself** it starts when `caption_shards` has published every shard of the recipe.
How many are in stands on this DAG's own page, beside *Schedule*: `captioned_shards 998 / 1000`; a
click on it lists the keys. The asset's page lists the events and counts nothing. A shard that is
done again after a release begins a new count, which does not fill by itself: trigger by hand.

**By hand** trigger it, for example after shards were captioned again. A release is never
overwritten: without a name in `version` it takes the next number. Where some shards will not be done
for long, or failed, `allow_partial` makes a release without them, named so, with the missing ones on
its card; `tracks` makes one of some tracks only. While another run is unfinished, one that waits at
the gate included, a second one is refused by `alone` within seconds.

**Other DAGs** start from the asset `sa1b_release`. Its events carry the version as their partition
key, and version, rows by file, verdict, folder and manifest as their extra:

    with DAG("train", schedule=PartitionedAssetTimetable(assets=Asset(
        name="sa1b_release", uri="sa1b-captions://sa1b_release"))):
        ...  # one run a release; `dag_run.partition_key` is the version

| task | does | when it fails |
|---|---|---|
| `alone` | lets one release be made at a time | answer the other run's `gate`, or wait for it |
| `start` | skips the tasks behind it, in the words of `alone`, where that refused | |
| `check` | reads receipts: is every shard done? (not asked for a partial release) | it names the shards that `caption_shards` still has to do |
| `dedup` | finds captions that repeat another shard's, per track | clear it |
| `validate` | expectations over all shards, the release report | clear it |
| `route` | passes to `export`, warns to `gate`, stops on a failed check | open *Quality report* |
| `gate` | asks a person whether to release in spite of warnings; Hold after a week | answer under *Required Actions* |
| `export` | writes the release, manifest last | clear it: a release without manifest is written anew |
| `publish` | tells other DAGs that a release is out | clear it |
| `plan_upload` | with `CAPTIONS_PUBLISH_TO` set: verifies the release, and says in its log what would go there | clear it |
| `upload_gate` | asks a person whether to publish there; Keep after a week | answer under *Required Actions* |
| `upload` | verifies the release again and publishes it | clear it: it goes on where it was |
| `keep` | records that a person kept the release here | |
| `hold` | records that a person held the release back | |
| `done` | nothing; it keeps a run that `alone` refused from passing for a success | see the red task |
"""

import datetime as dt
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
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

from sa1b_captions.plurals import counted
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.settings import load_settings
from sa1b_operators.alerts import alerts
from sa1b_operators.events import release_event
from sa1b_operators.planning import note, refuse, skip_behind
from sa1b_operators.stage import STAGE_DEFAULTS, stage

settings = load_settings()
recipe = load_recipe(settings.recipe)
# Same object in caption_shards: an asset is its name and uri.
captioned_shards = Asset(name="captioned_shards", uri="sa1b-captions://captioned_shards")

sa1b_release = Asset(name="sa1b_release", uri="sa1b-captions://sa1b_release")

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
    # A second run must come to `alone`, which refuses it in words; one at a time would queue it
    # without a word for as long as the first waits for a person.
    max_active_runs=16,
    tags=["sa1b", "release"],
    default_args=STAGE_DEFAULTS,
    **alerts(settings),
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

    @task(retries=2)
    def alone(*, ti: Any = None) -> bool:
        """Refuse to release while another run does, or waits for a person's answer."""
        if ti.get_dr_count("release_dataset", states=["running"]) > 1:
            refuse(
                ti,
                "another run of release_dataset is unfinished: answer its gate under Required "
                "Actions (Hold ends it), or wait for its end; then trigger this DAG again",
            )
        return True

    @task(
        retries=0,
        execution_timeout=dt.timedelta(minutes=5),
        trigger_rule=TriggerRule.ALL_DONE,
    )
    def start(may: bool | None, *, ti: Any = None) -> None:
        """Let the release begin if this run is alone."""
        if not may:
            skip_behind(ti, "alone")

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
        body="{% for warning in ti.xcom_pull(task_ids='validate')['warnings'] %}- {{ warning }}\n"
        "{% endfor %}\n[Quality report of this run]({{ ti.xcom_pull(task_ids='validate', "
        "key='_link_QualityReportLink') }})\n\nRelease writes the release, and its card names the "
        "warnings. Hold leaves it unwritten; without an answer it is held after a week.",
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
        trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
    )

    @task(outlets=[sa1b_release])
    def publish(*, ti: Any = None, outlet_events: Any = None) -> None:
        """Tell other DAGs that a release is out, with its version as the partition key."""
        exported = ti.xcom_pull(task_ids="export")
        verdict = ti.xcom_pull(task_ids="validate")["verdict"]
        event = outlet_events[sa1b_release]
        event.add_partitions(exported["version"])
        event.extra = release_event(exported, verdict, ti.run_id)
        note(
            ti,
            f"{exported['version']}: {counted(sum(exported['rows'].values()), 'row')}, {verdict}",
        )

    @task
    def hold(*, ti: Any = None) -> None:
        """Leave the release unwritten; trigger this DAG again to reconsider."""
        note(ti, "held back at the gate; trigger this DAG again to reconsider")

    # Behind a refusal all else is skipped: the last task stands for all of them.
    done = EmptyOperator(task_id="done", trigger_rule=TriggerRule.NONE_FAILED)
    ends: list[Any] = []
    if settings.publish_to:
        upload = ["publish", "{{ ti.xcom_pull(task_ids='export')['version'] }}"]
        upload += ["--to", settings.publish_to]
        plan_upload = stage(task_id="plan_upload", arguments=upload)
        upload_gate = HITLBranchOperator(
            task_id="upload_gate",
            subject=f"Publish this release at {settings.publish_to}?",
            body="{% set plan = ti.xcom_pull(task_ids='plan_upload') %}"
            "{{ plan['version'] }}: {{ plan['send_files'] }} files of {{ plan['send_bytes'] }} "
            "bytes go to {{ plan['url'] }}, which holds {{ plan['holds'] or 'no release' }}; "
            "{{ plan['remove'] | length }} files there are removed.",
            options=["Publish", "Keep"],
            options_mapping={"Publish": "upload", "Keep": "keep"},
            defaults="Keep",
            response_timeout=dt.timedelta(days=7),
            execution_timeout=None,
        )

        @task
        def keep(*, ti: Any = None) -> None:
            """Leave the release where it is; trigger this DAG again, or publish it by hand."""
            note(ti, "kept here at the gate; sa1b-captions publish publishes it by hand")

        export >> plan_upload >> upload_gate
        ends = [
            stage(
                task_id="upload",
                arguments=[*upload, "--yes"],
                execution_timeout=dt.timedelta(days=1),  # some 20 GB, whatever the line is like
            ),
            keep(),
        ]
        upload_gate >> ends

    routed = route()
    held = hold()
    guard = alone()
    started = start(guard)  # type: ignore[arg-type]  # a truth value when it runs
    started >> check >> dedup >> validate >> routed >> [export, gate]
    gate >> [export, held]
    published = publish()
    export >> published
    [guard, published, held, *ends] >> done

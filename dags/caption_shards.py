"""# caption_shards

Downloads SA-1B shards, captions them, judges every caption and validates the result.

**By schedule** one run a day takes the next shards: day *n* after `CAPTIONS_START_DATE` takes
`CAPTIONS_SHARDS_PER_RUN` shards from number *n* × that many. Past the last shard a run skips.

**By hand** trigger it with `shards` set, for example `0-9,17`.

**In bulk** backfill any range of days:

    airflow backfill create --dag-id caption_shards --from-date 2026-11-01 --to-date 2026-11-10

| task | does | when it fails |
|---|---|---|
| `plan` | chooses the run's shards, and goes back to their earlier captions where *Go back* asks for it; its sentence is also the run's note | its log and the run's note say what it refuses: shards that are none or foreign, an engine that cannot start here, captions that cannot be gone back to. Nothing is touched then, and the other tasks are skipped |
| `pack` | puts `shards_per_pod` shards together; skipped when `plan` chose none | |
| `shard.ingest` | archive → plain tar and index; skips a shard that is done | see its last log line; an expired links file needs a new one |
| `shard.caption` | all tracks through one engine, in resumable blocks | clear it: it resumes at the last block |
| `shard.curate` | rules mark captions; accepted and rejected are stored apart | accepted + rejected ≠ planned: trigger the shard again with *Do it again* |
| `shard.audit` | with `[audit]` in the recipe only: a judge says of single sentences whether the images show them | see its last log line; clear it: tracks that are audited stay so |
| `validate` | expectations over the run's shards, one report per shard | open *Quality report* |
| `drop` | with `CAPTIONS_DROP_RAW=true` only: deletes the archives of shards that are done | clear it |
| `results` | lists what `validate` decided of each shard | clear it |
| `publish` | tells `release_dataset` that a shard is in, with its rows and verdict | the shard failed its checks: open *Quality report*. Skipped where a stage of the shard failed: that one has the reason |
| `done` | nothing; it keeps the run from passing for a success when a task in it failed | see the red task |

With `shards_per_pod` above 1 the tasks of `shard` take that many shards each, so a pod loads the
model once for all of them. A shard that cannot be captioned lets its neighbours finish and then
fails the task; an archive that cannot be had holds all of them up. Clear the task, or trigger the
others without the bad one: what is done is not done again.

Everything is keyed and resumable: clearing or triggering again repeats only what is missing.

*Do it again* makes new captions beside the old, and *Go back* lets the old count once more, one step
a run; a run that is cleared does not go back further. What was curated and validated of them counts
again as well, if nothing took its place.
"""

import datetime as dt
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, Param, TriggerRule, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.settings import ENGINE_NAMES, MAX_SHARDS_PER_POD, load_settings
from sa1b_captions.shards import pack
from sa1b_operators.alerts import alerts
from sa1b_operators.events import shard_event
from sa1b_operators.planning import choose_shards, skip_behind
from sa1b_operators.restoring import restore_captions
from sa1b_operators.stage import STAGE_DEFAULTS, stage

settings = load_settings()
recipe = load_recipe(settings.recipe)
# Same object in release_dataset: an asset is its name and uri.
captioned_shards = Asset(name="captioned_shards", uri="sa1b-captions://captioned_shards")

RUN_ID = ["--run-id", "{{ run_id }}"]
FORCE = "{{ '--force' if params.force else '--no-force' }}"
PLANNED = "{{ (ti.xcom_pull(task_ids='plan') or []) | join(',') }}"
TRACK_LIST = "{{ params.tracks | join(',') }}"

with DAG(
    dag_id="caption_shards",
    description="Download, caption, curate and validate SA-1B shards",
    doc_md=__doc__,
    schedule="0 0 * * *",
    start_date=dt.datetime.combine(settings.start_date, dt.time(), dt.UTC),
    catchup=False,
    max_active_runs=4,
    tags=["sa1b", "captions"],
    default_args=STAGE_DEFAULTS,
    **alerts(settings, deadline_h=settings.deadline_h),
    params={
        "shards": Param(
            None,
            type=["null", "string"],
            maxLength=2000,
            title="Shards",
            description="Numbers, ranges or names, as in 0-9,17 or sa_000020. "
            "Empty takes the shards of the run's date. The task plan says what it understood, or "
            "refuses.",
        ),
        "tracks": Param(
            list(TRACKS),
            type="array",
            items={"type": "string", "enum": list(TRACKS)},
            minItems=1,
            examples=list(TRACKS),
            title="Tracks",
            description="A shard counts as done when it has all four.",
        ),
        "engine": Param(
            settings.engine,
            type="string",
            enum=list(ENGINE_NAMES),
            title="Engine",
            description="lmdeploy loads the model where the stage runs; openai asks the servers in "
            "CAPTIONS_OPENAI_URLS; preview only describes pixels, and its captions never carry the "
            "dataset's name.",
            section="How to caption them",
        ),
        "shards_per_pod": Param(
            settings.shards_per_pod,
            type="integer",
            minimum=1,
            maximum=MAX_SHARDS_PER_POD,
            title="Shards per pod",
            description="Shards that share one load of the model, one after the other.",
            section="How to caption them",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Do it again",
            description="Download, caption and judge these shards anew. What they have counts "
            "until the new captions are whole. Costs the GPU time again.",
            section="How to caption them",
        ),
        "restore": Param(
            False,
            type="boolean",
            title="Go back",
            description="Caption nothing: the captions that counted before these shards were done "
            "again count once more, in the tracks above. The task plan does it, or says why it "
            "cannot. What is stale then is curated and validated again.",
            section="How to caption them",
        ),
    },
):

    @task(retries=2, execution_timeout=dt.timedelta(minutes=30), multiple_outputs=False)
    def plan(
        *,
        ti: Any = None,
        logical_date: dt.datetime | None = None,
        params: dict[str, Any] | None = None,
        run_id: str | None = None,
    ) -> list[str]:
        """Choose the run's shards, and refuse what cannot be done before anything is touched."""
        shards = choose_shards(ti, logical_date, params or {}, recipe, settings)
        if (params or {}).get("restore"):
            restore_captions(ti, shards, params or {}, run_id)
        return shards

    @task(
        task_id="pack",
        retries=0,
        execution_timeout=dt.timedelta(minutes=5),
        trigger_rule=TriggerRule.ALL_DONE,
    )
    def pack_shards(
        shards: list[str] | None, *, ti: Any = None, params: dict[str, Any] | None = None
    ) -> list[str]:
        """Put the shards together that go through one pod."""
        if not shards:
            skip_behind(ti, "plan")
        return pack(shards, (params or {}).get("shards_per_pod", 1))

    @task_group(group_id="shard")
    def each_shard(shard: str) -> None:
        """One shard, or the shards of one pod, from archive to judged captions."""
        ingest = stage(
            task_id="ingest",
            shard=shard,
            arguments=["ingest", "--shards", shard, "--skip-done", FORCE, *RUN_ID],
            pool="download",
            execution_timeout=dt.timedelta(hours=12),
        )
        caption = stage(
            task_id="caption",
            shard=shard,
            arguments=[
                *("caption", "--shards", shard, "--tracks", TRACK_LIST),
                *("--engine", "{{ params.engine }}", FORCE, *RUN_ID),
            ],
            runtime=settings.runtime,
            pool="gpu",
            # The longest deadline of a profile, for as many shards as a pod may take.
            execution_timeout=dt.timedelta(hours=12 * MAX_SHARDS_PER_POD),
        )
        curate = stage(
            task_id="curate",
            shard=shard,
            arguments=["curate", "--shards", shard, "--tracks", TRACK_LIST, FORCE, *RUN_ID],
        )
        ingest >> caption >> curate
        if recipe.audit is not None:
            # Servers are asked from here; the model of this deployment judges where it captions.
            judge = settings.judge_engine or "{{ params.engine }}"
            audit = stage(
                task_id="audit",
                shard=shard,
                arguments=[
                    *("audit", "--shards", shard, "--tracks", TRACK_LIST),
                    *("--engine", judge, FORCE, *RUN_ID),
                ],
                runtime="local" if judge == "openai" else settings.runtime,
                pool="gpu",
                execution_timeout=dt.timedelta(hours=12),
            )
            curate >> audit

    # One process for all shards: importing Great Expectations costs more than running it.
    # ALL_DONE: a shard that failed must not keep its neighbours from being validated.
    validate = stage(
        task_id="validate",
        arguments=["validate", "--shards", PLANNED, "--tracks", TRACK_LIST, FORCE, *RUN_ID],
        trigger_rule=TriggerRule.ALL_DONE,
    )

    @task(retries=2)
    def results(found: dict[str, Any], *, run_id: str | None = None) -> list[dict[str, Any]]:
        """List what `validate` decided of each shard, for `publish` to take one by one."""
        return [
            {"shard": shard, "action": action, "reason": reason}
            | {"extra": shard_event(shard, found["shards"].get(shard), run_id)}
            for shard, (action, reason) in found["publish"].items()
        ]

    @task(outlets=[captioned_shards], map_index_template="{{ shard }}")
    def publish(result: dict[str, Any], *, outlet_events: Any = None) -> None:
        """Emit the shard's partition key if this run completed it: `validate` has decided."""
        get_current_context()["shard"] = result["shard"]  # type: ignore[typeddict-unknown-key]
        if result["action"] == "fail":
            raise AirflowFailException(result["reason"])
        if result["action"] == "skip":
            raise AirflowSkipException(result["reason"])
        event = outlet_events[captioned_shards]
        event.add_partitions(result["shard"])
        event.extra = result["extra"]

    # Red tasks fail a run only if what follows them does: the last task stands for all of them.
    done = EmptyOperator(task_id="done", trigger_rule=TriggerRule.NONE_FAILED)
    planned = plan()
    group = each_shard.expand(shard=pack_shards(planned))  # type: ignore[arg-type]  # a list when it runs
    group >> validate
    published = publish.expand(result=results(validate.output))
    [planned, group, validate, published] >> done

    if settings.drop_raw:
        # After validate, whose reports show the images.
        validate >> stage(task_id="drop", arguments=["drop", "--shards", PLANNED]) >> done

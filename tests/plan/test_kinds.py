"""Fields inside a training config have kinds of their own: what they decide, and what a change of them means."""

from __future__ import annotations

from dataclasses import replace

from expiac.declare.fields import Kind
from expiac.plan.diff import diff
from expiac.plan.identity import fingerprint, identity_digest, instance_name
from expiac.plan.kinds import combine, identity_part, kind_of
from expiac.plan.model import Action, Desired, Plan
from expiac.plan.planner import PlanOptions, plan
from expiac.state.events import Run
from expiac.state.model import Record, State
from expiac.state.status import Status

LINEAGE = "0" * 32
OLD = {"config": Kind.IDENTITY, "gpus": Kind.PLACEMENT}
KINDS = {**OLD, "config.wandb": Kind.ANNOTATION, "config.wandb.entity": Kind.IDENTITY, "config.workers": Kind.PLACEMENT}
CONFIG = {"lr": 0.1, "workers": 4, "wandb": {"group": "a", "entity": "lab"}}


def want(*, kinds: dict[str, Kind] = KINDS, **config: object) -> Desired:
    inputs = {"config": {**CONFIG, **config}, "gpus": 1}
    return Desired("a", "run", "memory", inputs, kinds, identity_digest("run", inputs, kinds), completes=True)


def record(of: Desired, status: Status) -> Record:
    mark = fingerprint(of.digest, ())
    run = Run(instance_name("s", "a", LINEAGE, mark, 0), mark, 0, 1)
    return Record("a", "run", "memory", run, of.inputs, status=status)


def planned(desired: Desired, *, known: Record | None = None, history: tuple[Record, ...] = ()) -> Plan:
    return plan([desired], State("s", LINEAGE, 7, {"a": known} if known else {}, history), PlanOptions())


def test_the_longest_path_says_the_kind() -> None:
    assert [kind_of(KINDS, "config", path) for path in ("lr", "wandb", "wandb.group", "wandb.entity", "wandb.entity.x")
            ] == [Kind.IDENTITY, Kind.ANNOTATION, Kind.ANNOTATION, Kind.IDENTITY, Kind.IDENTITY]
    assert kind_of(KINDS, "gpus", "gpus") is Kind.PLACEMENT


def test_only_identity_decides() -> None:
    inputs = want().inputs
    assert identity_part(inputs, KINDS) == {"config": {"lr": 0.1, "wandb": {"entity": "lab"}}}
    assert inputs == {"config": CONFIG, "gpus": 1}, "the inputs themselves stay as they are"


def test_without_kinds_in_the_config_digests_are_what_they_were() -> None:
    """A release that reads kinds launches nothing again."""
    inputs = want().inputs
    assert identity_part(inputs, OLD) == {"config": CONFIG}


def test_inputs_are_combined_by_kind() -> None:
    """Also where a field is new, or gone."""
    after = {"config": {"lr": 0.2, "wandb": {"group": "b", "entity": "lab", "mode": "off"}}, "gpus": 8}
    combined = combine(want().inputs, after, KINDS, taken={Kind.ANNOTATION})
    assert combined == {"config": {**CONFIG, "wandb": {"group": "b", "entity": "lab", "mode": "off"}}, "gpus": 1}
    assert combine(want().inputs, after, KINDS, taken={Kind.PLACEMENT}) == {
        "config": {"lr": 0.1, "wandb": CONFIG["wandb"]}, "gpus": 8}


def test_a_change_is_of_the_kind_of_its_field() -> None:
    after = want(lr=0.2, workers=8, wandb={"group": "b", "entity": "lab"}).inputs
    assert [(change.path, change.kind) for change in diff(want().inputs, after, KINDS)] == [
        ("lr", Kind.IDENTITY), ("wandb.group", Kind.ANNOTATION), ("workers", Kind.PLACEMENT)]


def test_what_describes_a_result_makes_no_new_one() -> None:
    known = record(want(), Status.SUCCEEDED)
    step = planned(want(wandb={"group": "b", "entity": "lab"}), known=known).steps[0]
    assert (step.action, [change.path for change in step.changes]) == (Action.UPDATE, ["wandb.group"])


def test_what_places_a_run_moves_it_while_it_lives() -> None:
    assert planned(want(workers=8), known=record(want(), Status.SUCCEEDED)).steps[0].action is Action.KEEP
    step = planned(want(workers=8), known=record(want(), Status.RUNNING)).steps[0]
    assert (step.action, step.run.instance) == (Action.RELAUNCH, record(want(), Status.RUNNING).run.instance)


def test_a_field_that_gets_a_kind_makes_no_new_run() -> None:
    """The run's fingerprint is from before: its settings are compared under the present kinds."""
    known = record(want(kinds=OLD), Status.SUCCEEDED)
    assert planned(want(), known=known).steps[0].action is Action.KEEP
    assert planned(want(workers=8), known=known).steps[0].action is Action.KEEP
    assert planned(want(lr=0.2), known=known).steps[0].action is Action.REPLACE


def test_a_result_of_the_past_is_found_by_what_decided_it() -> None:
    """Its other fields are shown where they differ."""
    first = record(want(), Status.SUCCEEDED)
    step = planned(want(workers=8, wandb={"group": "b", "entity": "lab"}), history=(replace(first, ended_at="x"),)
                   ).steps[0]
    assert (step.action, [change.path for change in step.changes]) == (Action.RESTORE, ["wandb.group"])

"""The table of docs/lifecycle.md, row by row: what the record says, what refresh sees, what the plan does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expiac.declare.fields import Kind
from expiac.plan.identity import fingerprint, identity_digest, instance_name
from expiac.plan.model import Action, Desired, Plan
from expiac.plan.planner import PlanOptions, plan
from expiac.providers.base import Found
from expiac.state.events import After, Effect, Run
from expiac.state.model import Pending, Record, State
from expiac.state.status import Status
from expiac.testing import World, ppo

LINEAGE = "0" * 32
KINDS = {"lr": Kind.IDENTITY, "gpus": Kind.PLACEMENT, "tags": Kind.ANNOTATION}
LIVE = [Status.PENDING, Status.STARTING, Status.RUNNING, Status.RECOVERING]
ENDED_BADLY = [Status.FAILED, Status.CANCELLED]


def want(address: str = "a", *, lr: float = 0.1, gpus: int = 1, tags: str = "x",
         needs: tuple[str, ...] = ()) -> Desired:
    inputs = {"lr": lr, "gpus": gpus, "tags": tags}
    return Desired(address, "run", "memory", inputs, KINDS, identity_digest("run", inputs, KINDS),
                   depends_on=needs, completes=True)


def record(status: Status, of: Desired | None = None, **more: object) -> Record:
    of = of or want()
    print_ = fingerprint(of.digest, {})
    run = Run(instance_name("s", of.address, LINEAGE, print_, 0), print_, 0, 1)
    return replace(Record(of.address, of.type, of.provider, run, of.inputs, of.depends_on, status=status), **more)


def planned(*desired: Desired, known: list[Record], history: tuple[Record, ...] = (), **options: object) -> Plan:
    state = State("s", LINEAGE, 7, {one.address: one for one in known}, history)
    return plan(desired, state, PlanOptions(**options))


def action(*desired: Desired, known: list[Record], **options: object) -> Action:
    made = planned(*desired, known=known, **options)
    assert len(made.steps) == 1
    return made.steps[0].action


@pytest.mark.parametrize("status", [*LIVE, Status.READY, Status.SUCCEEDED, *ENDED_BADLY])
def test_what_is_as_declared_is_kept(status):
    """No change, no step; a bad end is warned of."""
    step = planned(want(), known=[record(status)]).steps[0]
    assert step.action is Action.KEEP
    assert bool(step.warning) is (status in ENDED_BADLY)


def test_a_job_of_others_is_adopted():
    """It becomes the first launch of the run that is declared."""
    found = Found({"imported": 7}, "managed job 7, running")
    step = planned(want(), known=[], adopt={"a": found}).steps[0]
    assert (step.action, step.adopts, step.run.launch) == (Action.CREATE, {"imported": 7}, 1)
    assert "managed job 7, running" in step.reason


@pytest.mark.parametrize("status", [*LIVE, Status.READY, Status.SUCCEEDED, *ENDED_BADLY, Status.LOST, Status.STOPPED])
def test_a_change_of_identity_is_a_new_run(status):
    """Whatever became of the old one: another config is another result."""
    step = planned(want(lr=0.2), known=[record(status)]).steps[0]
    assert step.action is Action.REPLACE
    assert [(change.path, change.before, change.after) for change in step.changes] == [("lr", 0.1, 0.2)]
    assert step.run.instance != record(status).run.instance


@pytest.mark.parametrize("status", [*LIVE, Status.READY])
def test_a_change_of_placement_moves_a_live_run(status):
    """Same run, next launch: it resumes from its checkpoint."""
    step = planned(want(gpus=8), known=[record(status)]).steps[0]
    assert step.action is Action.RELAUNCH
    assert step.run == replace(record(status).run, launch=2)


def test_a_change_of_placement_leaves_a_succeeded_run_alone():
    """A result does not depend on where it ran."""
    assert action(want(gpus=8), known=[record(Status.SUCCEEDED)]) is Action.KEEP


@pytest.mark.parametrize("status", ENDED_BADLY)
def test_a_change_of_placement_relaunches_what_ended_badly(status):
    """More room may be what it needed; the reason says both."""
    step = planned(want(gpus=8), known=[record(status, detail="out of memory")]).steps[0]
    assert step.action is Action.RELAUNCH
    assert step.reason == f"{status.value}: out of memory"
    assert [change.path for change in step.changes] == ["gpus"]


def test_a_new_run_shows_its_tags_too():
    """A change of an annotation beside one of identity is a part of what is approved."""
    step = planned(want(lr=0.2, tags="y"), known=[record(Status.SUCCEEDED)]).steps[0]
    assert (step.action, [change.path for change in step.changes]) == (Action.REPLACE, ["lr", "tags"])


@pytest.mark.parametrize("status", [*LIVE, Status.READY, Status.SUCCEEDED, *ENDED_BADLY])
def test_a_change_of_annotation_restarts_nothing(status):
    """A tag is a note about the run, not the run."""
    assert action(want(tags="y"), known=[record(status)]) is Action.UPDATE


def test_a_moved_and_tagged_success_takes_the_tag_only():
    """Of a finished run only the notes can change."""
    step = planned(want(tags="y", gpus=8), known=[record(Status.SUCCEEDED)]).steps[0]
    assert [change.path for change in step.changes] == ["tags"]


def test_a_lost_run_is_launched_again():
    """Its backend does not know it any more: the same run, the next launch."""
    step = planned(want(), known=[record(Status.LOST)]).steps[0]
    assert (step.action, step.run.launch) == (Action.RELAUNCH, 2)
    assert "lost" in step.reason


@pytest.mark.parametrize("status", [*LIVE, Status.LOST])
@pytest.mark.parametrize("desired", [[], [want()], [want(lr=0.2)], [want(gpus=8)]],
                         ids=["gone", "same", "new", "moved"])
def test_what_cannot_be_seen_is_left_alone(status, desired):
    """It may be running under another user or endpoint: nothing is stopped, nothing is launched."""
    step = planned(*desired, known=[record(status, unseen="the server does not answer")]).steps[0]
    assert step.action is Action.KEEP
    assert "the server does not answer" in step.warning


@pytest.mark.parametrize("status", ENDED_BADLY)
def test_retry_relaunches_what_ended_badly(status):
    """The same run resumes, as the next launch."""
    step = planned(want(), known=[record(status)], retry=True).steps[0]
    assert (step.action, step.run.launch) == (Action.RELAUNCH, 2)


@pytest.mark.parametrize("status", [*LIVE, Status.SUCCEEDED])
def test_retry_leaves_the_rest_alone(status):
    """It is for what failed."""
    assert action(want(), known=[record(status)], retry=True) is Action.KEEP


@pytest.mark.parametrize("status", [*LIVE, Status.READY])
def test_what_is_not_declared_any_more_is_stopped(status):
    """Nothing runs that no program asks for."""
    assert action(known=[record(status)]) is Action.STOP


@pytest.mark.parametrize("status", [Status.SUCCEEDED, *ENDED_BADLY, Status.LOST, Status.STOPPED])
def test_what_ended_and_is_not_declared_any_more_is_forgotten(status):
    """The record goes to history with its outputs."""
    assert action(known=[record(status)]) is Action.FORGET


def test_what_was_stopped_to_move_is_launched():
    """The old launch is gone and the new one was never launched: go on."""
    step = planned(want(gpus=8), known=[record(Status.STOPPED)]).steps[0]
    assert (step.action, step.run.launch) == (Action.RELAUNCH, 2)


@pytest.mark.parametrize("effect", list(Effect))
def test_an_open_effect_is_left_alone_until_it_is_resolved(effect):
    """Without a look at the world, what an interrupted effect came to is not known."""
    made = planned(want(lr=0.2), known=[record(Status.RUNNING, pending=Pending(effect, After.NOTHING))])
    assert made.steps[0].action is Action.KEEP
    assert "not resolved" in made.steps[0].warning


def test_replace_runs_the_same_settings_anew():
    """Another attempt: another name, another folder, another W&B run."""
    step = planned(want(), known=[record(Status.SUCCEEDED)], replace=("a",)).steps[0]
    assert (step.action, step.run.attempt, step.run.launch) == (Action.REPLACE, 1, 1)
    assert step.run.instance != record(Status.SUCCEEDED).run.instance


def test_going_back_to_old_settings_restores_the_old_result():
    """A → B → A: the first A is in history."""
    first = record(Status.SUCCEEDED)
    step = planned(want(), known=[record(Status.SUCCEEDED, want(lr=0.2))], history=(first,)).steps[0]
    assert (step.action, step.run, step.restores) == (Action.RESTORE, first.run, first)
    assert first.run.instance in step.reason


def test_going_back_to_old_settings_is_a_new_run_where_a_fresh_one_is_asked_for():
    """The reason names the old one."""
    first = record(Status.SUCCEEDED)
    step = planned(want(), known=[record(Status.SUCCEEDED, want(lr=0.2))], history=(first,), fresh=True).steps[0]
    assert (step.action, step.run.attempt) == (Action.REPLACE, 1)
    assert first.run.instance in step.reason


def test_a_new_resource_is_created():
    """The plainest row of all."""
    step = planned(want(), known=[]).steps[0]
    assert (step.action, step.reason, step.run.launch, step.deferred) == (Action.CREATE, "new", 1, False)


@pytest.mark.parametrize(("status", "deferred"), [
    (Status.RUNNING, True), (Status.SUCCEEDED, False), (Status.FAILED, True)])
def test_a_run_waits_for_the_success_of_what_it_needs(status, deferred):
    """Running is not enough, and a failure keeps it waiting."""
    made = planned(want(), want("b", needs=("a",)), known=[record(status)])
    assert made["b"].deferred is deferred


def test_a_failed_dependency_is_named():
    """The reason says why nothing will come of it."""
    made = planned(want(), want("b", needs=("a",)), known=[record(Status.FAILED)])
    assert made["b"].reason == "new; waits for a, which failed"


def test_dependents_are_stopped_first():
    """Destroy goes in reverse: what needs another goes before it."""
    base, tuned = record(Status.RUNNING), record(Status.RUNNING, want("b", needs=("a",)))
    made = planned(known=[base, tuned])
    assert [step.address for step in made.steps] == ["b", "a"]
    assert made["a"].after == ("b",)


def test_a_plan_stands_on_the_state_it_was_made_from():
    """Lineage and serial come along, so that a stale plan can be refused."""
    made = planned(want(), known=[])
    assert (made.stack, made.lineage, made.serial) == ("s", LINEAGE, 7)


def test_a_launch_that_never_was_leaves_the_run_to_the_approval_of_its_last_launch(tmp_path):
    """So it has the code that it ran with, and not that of the apply that was killed before it launched it again."""
    world = World(tmp_path)
    world.apply(ppo())
    world.memory.finish("ppo", Status.FAILED)
    approval = world.state.records["ppo"].approval
    world.dies_after(0, unanswered=False)
    with world.survives():
        world.apply(ppo(), retry=True)
    assert world.state.records["ppo"].approval > approval
    world.observe()
    record = world.state.records["ppo"]
    assert (record.run.launch, record.approval) == (1, approval)

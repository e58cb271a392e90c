"""Applying a plan: in order, in parallel, once; what fails takes its dependents along and nothing else."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import replace
from typing import Any

import pytest

from expiac.apply.events import StepBegan, StepDeferred, StepEnded, StepFailed, StepSkipped
from expiac.declare.fields import Annotation
from expiac.declare.stack import Stack
from expiac.plan.model import Action, Desired
from expiac.plan.planner import plan
from expiac.providers.base import Observation, Presence
from expiac.state.model import Record, State
from expiac.state.status import Status
from expiac.testing import Run, World, ppo
from expiac.util.errors import ExpiacError, Uncertain


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def chain() -> Stack:
    """b takes a's checkpoint; c stands alone."""
    a = Run("a")
    return Stack("ppo", [a, Run("b", config={"uri": a.output("checkpoint")}), Run("c")])


def told(world: World, kind: type) -> list[str]:
    return [moment.step.address for moment in world.events if isinstance(moment, kind)]


def test_a_new_learning_rate_means_a_new_run(world):
    """A finished run is never edited; changed inputs replace it."""
    world.apply(ppo(lr=3e-4))
    assert world.plan(ppo(lr=1e-3)).text == "± ppo   optimizer.learning_rate: 0.0003 → 0.001"


def test_a_second_apply_does_nothing(world):
    """What was asked for is there."""
    world.apply(ppo())
    assert world.apply(ppo()).done == ()
    assert len(world.starts) == 1


def test_a_moved_run_keeps_its_name_and_counts_its_launches(world):
    """Same instance, so same folder and same W&B run: it resumes."""
    world.apply(ppo())
    world.apply(ppo(gpus=8))
    (first, one), (second, two) = world.starts
    assert first == second
    assert (one, two) == (1, 2)


def test_a_run_that_finished_before_its_stop_reached_it_is_not_launched_again(world):
    """Its result stands."""
    world.apply(ppo())
    plan = world.plan(ppo(gpus=8))
    assert plan["ppo"].action is Action.RELAUNCH
    world.memory.finish("ppo")
    world.carry_out(plan)
    assert world.state.records["ppo"].status is Status.SUCCEEDED
    assert len(world.starts) == 1


def test_what_waits_for_a_run_is_deferred(world):
    """Apply without waiting begins what is ready and names the rest."""
    result = world.apply(chain())
    assert told(world, StepDeferred) == ["b"]
    assert result.is_well
    world.memory.finish("a")
    world.apply(chain())
    assert [name for name, _ in world.starts] == [world.state.records[address].run.instance for address in "acb"]


def test_a_dependent_is_given_what_its_upstream_left(world):
    """The Ref's value comes by the environment and in the inputs."""
    world.apply(chain())
    world.memory.finish("a")
    world.apply(chain())
    given = next(inputs for id, inputs in world.memory.inputs.items() if ".b." in id.instance)
    a = world.state.records["a"].run.instance
    assert given.values["config"] == {"uri": f"memory://{a}/latest.pt"}
    assert given.env["EXPIAC_REF_a_checkpoint"] == f"memory://{a}/latest.pt"


def test_a_new_upstream_run_means_a_new_dependent(world):
    """Its result stands on the other's."""
    world.converge(chain())
    again = world.plan(chain(), replace=("a",))
    assert (again["a"].action, again["b"].action, again["c"].action) == (Action.REPLACE, Action.REPLACE, Action.KEEP)
    assert "a is a new run" in again["b"].reason


def test_a_failure_is_reported_and_the_rest_goes_on(world):
    """Nothing was launched, so nothing is recorded, and the next apply tries again."""
    world.memory.fail("a", ExpiacError("Quota exceeded", "no H100 left"))
    result = world.apply(chain())
    assert [(step.address, error.summary) for step, error in result.failed] == [("a", "Quota exceeded")]
    assert set(world.state.records) == {"c"}
    world.memory.heal("a")
    world.apply(chain())
    assert set(world.state.records) == {"a", "c"}


def test_what_stands_on_a_failed_step_is_left_out(world):
    """A stop that failed keeps what it was built on."""
    world.converge(chain())
    world.memory.finish("a", Status.RUNNING)
    world.memory.finish("b", Status.RUNNING)
    world.memory.autofinish = False
    world.observe()
    world.memory.fail("b")
    world.destroy()
    assert told(world, StepFailed) == ["b"]
    assert told(world, StepSkipped) == ["a"]
    assert world.memory.running() != []


def test_an_uncertain_effect_stays_open_until_a_look_resolves_it(world):
    """It may have happened: the next run finds out, and does not do it twice."""
    world.memory.fail("ppo", Uncertain("No answer", "the request was sent"))
    world.apply(ppo())
    assert world.state.records["ppo"].pending is not None
    world.memory.heal("ppo")
    world.apply(ppo())
    assert world.state.records["ppo"].pending is None
    assert len(world.starts) == 1


def test_an_unknown_answer_stops_nothing(world):
    """A backend that does not answer has lost nothing."""
    world.apply(ppo())
    world.memory.answer_unknown("the server is away")
    assert world.plan(ppo(lr=1.0)).glyphs == "="
    assert world.plan(None).glyphs == "="


def test_what_vanished_is_launched_again(world):
    """Its backend answered, and does not know it."""
    world.apply(ppo())
    world.memory.vanish("ppo")
    assert world.plan(ppo()).glyphs == "↻"
    world.apply(ppo())
    assert [launch for _, launch in world.starts] == [1, 2]


def test_after_a_destroy_a_result_is_made_anew(world):
    """The old run is history, and is named; it stands again where that is asked for."""
    world.converge(ppo())
    first = world.state.records["ppo"].run.instance
    world.destroy()
    assert f"{first} had these settings, and was destroyed (--reuse takes it)" in world.plan(ppo()).text
    assert world.plan(ppo(), reuse=True).glyphs == "="
    world.apply(ppo())
    assert world.state.records["ppo"].run.instance != first


def test_after_a_destroy_a_run_that_had_not_ended_goes_on(world):
    """Under its name, from its last checkpoint."""
    world.apply(ppo())
    first = world.state.records["ppo"].run
    world.destroy()
    world.apply(ppo())
    assert world.state.records["ppo"].run == replace(first, launch=2)


def test_there_and_back_is_the_first_run_again(world):
    """A → B → A: its result stands again, and the plan says whose it is."""
    world.converge(ppo(lr=1.0))
    first = world.state.records["ppo"].run.instance
    world.converge(ppo(lr=2.0))
    assert f"{first} had these settings, and succeeded" in world.plan(ppo(lr=1.0)).plan.steps[0].reason
    world.converge(ppo(lr=1.0))
    assert len({name for name, _ in world.starts}) == 2


def test_an_interrupted_apply_begins_nothing_new(world):
    """The first ^C: what runs is let finish, the rest is left."""
    class StopsAtOnce(World):
        def on_event(self, moment):
            super().on_event(moment)
            if isinstance(moment, StepBegan):
                self.engine.stop()

    stopping = StopsAtOnce(world.file.parent)
    result = stopping.apply(Stack("ppo", [Run("a"), Run("b"), Run("c")]))
    assert result.interrupted
    assert told(stopping, StepEnded) == ["a"]
    assert told(stopping, StepSkipped) == ["b", "c"]


def test_independent_steps_run_at_once(world):
    """Ten calls that wait for each other would hang one after the other."""
    met = threading.Barrier(10, timeout=20)
    create = world.memory.create
    world.memory.create = lambda *call: (met.wait(), create(*call))[1]  # type: ignore[method-assign]
    world.apply(Stack("ppo", [Run(f"r{number}") for number in range(10)]), parallelism=10)
    assert len(world.starts) == 10


def test_a_tag_restarts_nothing(world):
    """It is told to the backend, and recorded."""
    world.apply(ppo())
    assert world.plan(ppo(tags=("best",))).glyphs == "~"
    world.apply(ppo(tags=("best",)))
    assert world.plan(ppo(tags=("best",))).glyphs == "="
    assert len(world.starts) == 1
    assert len(world.memory.updates) == 1


def test_runs_that_came_to_need_each_other_are_destroyed_all_the_same(world):
    """Two programs, each without a cycle, may leave records that have one."""
    world.apply(Stack("ppo", [Run("a"), Run("b")]))
    world.memory.finish("b")
    world.apply(Stack("ppo", [Run("a", config={"lr": 1}, depends_on=("b",)), Run("b")]))
    world.memory.finish("a")
    world.apply(Stack("ppo", [Run("a", config={"lr": 1}), Run("b", config={"lr": 1}, depends_on=("a",))]))
    result = world.destroy()
    assert {step.address for step in result.done} == {"a", "b"}
    assert world.memory.running() == []


def test_a_tag_does_not_wait_for_a_run(world):
    """What is deferred holds up launches, not notes."""
    def stack(lr: float, tags: tuple[str, ...] = ()) -> Stack:
        return Stack("ppo", [Run("a", config={"lr": lr}), Run("b", config={"uri": Run("a").output("checkpoint")}),
                             Run("c", depends_on=("b",), tags=tags)])

    world.converge(stack(1))
    result = world.apply(stack(2, ("best",)))
    assert result.is_well
    assert [step.address for step in result.done] == ["a", "c"]


def test_an_annotation_of_any_name_is_recorded(world):
    """A plan shows what is in `config` without that prefix; the record is told by kind."""
    class Noted(Run):
        config: Annotation[dict[str, Any]] = dataclasses.field(default_factory=dict)

    world.apply(Stack("ppo", [Noted("a", config={"why": "curious"})]))
    world.apply(Stack("ppo", [Noted("a", config={"why": "sure"})]))
    assert world.plan(Stack("ppo", [Noted("a", config={"why": "sure"})])).glyphs == "="


def test_an_effect_whose_end_its_provider_cannot_see_stays_open(world):
    """Neither stopped nor lost: the next look finds out."""
    world.apply(ppo())
    delete = world.memory.delete
    world.memory.delete = lambda id: Observation(Presence.UNKNOWN, detail="it is on another host")  # type: ignore[method-assign]
    result = world.destroy()
    assert [error.detail for _, error in result.failed] == ["ppo: it is on another host"]
    assert world.state.records["ppo"].pending is not None
    world.memory.delete = delete  # type: ignore[method-assign]
    world.destroy()
    assert world.memory.running() == []


def test_a_chain_of_any_length_is_destroyed(world):
    """Its last one first."""
    runs = [Run("r0")]
    for number in range(1, 1500):
        runs.append(Run(f"r{number}", depends_on=(f"r{number - 1}",)))
    desired_ = [Desired(run.name, "run", "memory", {}, {}, "0" * 64, depends_on=run.depends_on) for run in runs]
    records = {step.address: Record(step.address, "run", "memory", step.run, {}, step.depends_on, status=Status.RUNNING)
               for step in reversed(plan(desired_, State("ppo", "0" * 32)).steps)}
    assert [step.address for step in plan((), State("ppo", "0" * 32, records=records)).steps] == [
        run.name for run in reversed(runs)]


def test_a_replacement_that_is_never_born_leaves_the_finished_run_in_its_place(world):
    """Undo the edit, and there is nothing to do: its result is still the result."""
    world.converge(ppo(lr=1.0))
    world.observe()
    before = world.state.records["ppo"]
    world.memory.fail("ppo", ExpiacError("Quota exceeded", "no H100 left"))
    world.apply(ppo(lr=2.0))
    assert world.state.records["ppo"] == before
    assert world.state.history == ()
    assert world.plan(ppo(lr=1.0)).glyphs == "="
    assert world.plan(ppo(lr=2.0)).glyphs == "±"

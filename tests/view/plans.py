"""Plans made by hand: one of each kind of step, and what surrounds them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from expiac.declare.fields import Kind
from expiac.plan.model import MISSING, Action, Change, Desired, Plan, Step
from expiac.state.events import Run


def step(address: str, action: Action, reason: str = "", *changes: Change, **more: Any) -> Step:
    run = Run(f"lab.{address}.0a1b2c3d", "f" * 32, 0, more.pop("launch", 1))
    return Step(address, "training-job", action, reason, run, changes, **more)


def change(path: str, before: Any, after: Any, kind: Kind = Kind.IDENTITY) -> Change:
    return Change(path, before, after, kind)


def plan(*steps: Step, **more: Any) -> Plan:
    return Plan("lab", "0" * 32, 7, steps, **more)


def new(address: str, settings: dict[str, Any], inputs: dict[str, Any] | None = None, **more: Any) -> Step:
    """A step that creates a job which sets these inputs, and has all of the others."""
    want = Desired(address, "training-job", "local", inputs or settings, {}, "d", settings=settings)
    return step(address, Action.CREATE, more.pop("reason", "new"), desired=want, **more)


def trial(address: str, values: dict[str, Any], action: Action = Action.CREATE, **more: Any) -> Step:
    """A step of a trial of a sweep, whose jobs share their number of gpus."""
    one = new(address, {"config": dict(values), "gpus": 4}, **more)
    return replace(one, action=action, desired=replace(one.desired, trial=values))


def everything() -> Plan:
    """A plan in which each action, and each thing that can be said of a step, occurs."""
    command = "python -m trainer +experiments=@instance@ run_name=@instance@ --with several --more options={}"
    cpu = "no GPU on this machine: runs on the CPU"
    return plan(
        step("base", Action.KEEP, "succeeded"),
        step("tuned", Action.CREATE, "new; waits for base", deferred=True, note=cpu, cost_per_hour=12.5),
        *(new(f"seed_{seed}", {"config": {"seed": seed, "trainer": {"optimizer": {"learning_rate": 0.0003}}},
                               "run": command.format(3), "gpus": 4}, cost_per_hour=2.0) for seed in range(2)),
        step("job_0", Action.REPLACE, "", change("trainer.optimizer.learning_rate", 0.0003, 0.001), note=cpu),
        step("job_1", Action.REPLACE, "a new run; lab.job_1.99ffee00 had these settings",
             change("run", command.format(1), command.format(2)),
             change("trainer.simulation.replay_dir", MISSING, "${run_dir}/replays"),
             change("seed", "1", 1),
             change("trainer.initial_policy.uri", None, "${ref:base.output_with_a_rather_long_name_of_its_own}")),
        step("moved", Action.RELAUNCH, "running, and moves", change("gpus", 1, 8, Kind.PLACEMENT), launch=2,
             cost_per_hour=3.0),
        step("tagged", Action.UPDATE, "running", change("tags", ["a"], ["a", "b"], Kind.ANNOTATION)),
        step("ended", Action.KEEP, "failed",
             warning="failed: exit code 3; expiac apply --retry launches it again"),
        step("unseen", Action.KEEP, "running",
             warning="left alone: the backend at https://sky.example:46580 gave no complete answer within 10 seconds"),
        step("a_name_that_is_longer_than_anybody_would_want_to_read", Action.STOP, "running, and no longer declared"),
        step("gone", Action.FORGET, "succeeded, and no longer declared"),
        overrides={"gpus": "4", "name": "lab"},
        previous_overrides={"lr": "1e-3", "name": "my lab"},
    )

"""How long it should take: what earlier runs of the same job took."""

from __future__ import annotations

from typing import Any

import pytest

from expiac.apply.metrics.places import Look
from expiac.apply.progress import statuses_of
from expiac.declare.stack import Stack
from expiac.state.status import Status
from expiac.testing import Run, World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def base(lr: int, *, gpus: int = 1) -> Run:
    return Run("base", config={"lr": lr}, gpus=gpus)


def one(lr: int, *, gpus: int = 1) -> Stack:
    return Stack("ppo", [base(lr, gpus=gpus)])


def chain(lr: int) -> Stack:
    first = base(lr)
    return Stack("ppo", [first, Run("tuned", config={"uri": first.output("checkpoint")})])


def ran(world: World, stack: Stack, **seconds: float) -> None:
    """The stack is applied, and each of these runs succeeds after so many seconds."""
    for name, took in seconds.items():
        world.apply(stack)
        world.memory.finish(name, seconds=took)
    world.observe()


def test_a_plan_says_how_long_earlier_runs_took(world):
    """The median of the newest ones."""
    assert world.plan(one(1)).plan["base"].expected_seconds is None
    for lr, took in enumerate((100.0, 700.0, 90.0)):
        ran(world, one(lr), base=took)
    shown = world.plan(one(9))
    assert shown.plan["base"].expected_seconds == 100.0
    assert "earlier runs took about 1m 40s" in shown.text


def test_runs_that_were_placed_alike_come_first(world):
    """Eight GPUs say little of one; where there is nothing better, they say something."""
    ran(world, one(1, gpus=1), base=800.0)
    ran(world, one(2, gpus=8), base=100.0)
    assert world.plan(one(3, gpus=1)).plan["base"].expected_seconds == 800.0
    assert world.plan(one(3, gpus=8)).plan["base"].expected_seconds == 100.0
    assert world.plan(one(3, gpus=4)).plan["base"].expected_seconds == 450.0


def test_more_steps_take_more_time(world):
    """Where the project says at which key a job tells how many steps it takes; else the plan says what it goes by."""
    def trained(steps: Any) -> Stack:
        return Stack("ppo", [Run("base", config={"trainer": {"steps": steps}})])

    ran(world, trained(1000), base=100.0)
    ran(world, trained(2000), base=220.0)
    shown = world.plan(trained(4000), total_steps="trainer.steps")
    assert shown.plan["base"].expected_seconds == pytest.approx(420.0)
    assert shown.text.splitlines()[-1].strip() == "about 7m 00s"
    for unknown in ("", "trainer.epochs", "trainer"):
        shown = world.plan(trained(4000), total_steps=unknown)
        assert shown.plan["base"].expected_seconds == 160.0
        assert "earlier runs took about 2m 40s" in shown.text
    assert world.plan(trained(None), total_steps="trainer.steps").plan["base"].expected_seconds == 160.0


def test_what_waits_for_another_comes_after_it(world):
    """The sum says when all of it should be done, or at least how much is known."""
    ran(world, chain(1), base=100.0, tuned=50.0)
    from expiac.plan.durations import seconds_until_done

    assert seconds_until_done(world.plan(chain(2)).plan) == (150.0, True)
    more = Stack("ppo", [*chain(2).resources, Run("new")])
    assert seconds_until_done(world.plan(more).plan) == (150.0, False)
    assert seconds_until_done(world.plan(chain(1)).plan) is None


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_what_did_not_succeed_says_nothing(world, status):
    """It was over too soon, or too late."""
    world.apply(one(1))
    world.memory.finish("base", status, seconds=3.0)
    world.observe()
    assert world.plan(one(2)).plan["base"].expected_seconds is None


def test_a_run_under_way_has_a_usual_length(world):
    """For those that write no metrics."""
    ran(world, one(1), base=100.0)
    world.apply(one(2))
    (now,) = statuses_of(world.state, (), Look(world.state.lineage))
    assert (now.usual_seconds, now.seconds) == (100.0, None)


def test_what_finds_no_place_comes_after_what_has_one(world):
    """`max_running` bounds how many run at once; runs that have places already end nobody knows when."""
    from expiac.plan.durations import seconds_until_done
    from expiac.plan.running import bound_running

    def sweep(*lrs: int) -> Stack:
        return Stack("ppo", [Run(f"job_{place}", config={"lr": lr}) for place, lr in enumerate(lrs)])

    ran(world, sweep(1, 2, 3, 4), job_0=100.0, job_1=100.0, job_2=100.0, job_3=50.0)
    made = world.plan(sweep(5, 6, 7, 8)).plan

    def total(plan, most: int | None) -> tuple[float, bool] | None:
        return seconds_until_done(bound_running(plan, world.state, most))

    assert [total(made, most) for most in (None, 4, 2, 1)] == [
        (100.0, True), (100.0, True), (200.0, True), (350.0, True)]
    world.apply(sweep(5, 2, 3, 4))
    rest = world.plan(sweep(5, 6, 7, 8)).plan
    assert total(rest, 2) == (250.0, False)

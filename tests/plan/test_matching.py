"""A run of the same settings is not made again: which run a declared resource takes, and which it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from expiac.compile.prepare import desired
from expiac.declare.options import Options
from expiac.declare.project import Project
from expiac.declare.stack import Stack
from expiac.plan.model import Action
from expiac.plan.planner import PlanOptions, plan
from expiac.state.edit import remove
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.model import Record
from expiac.state.status import Status
from expiac.testing import Run, World
from expiac.util.errors import ExpiacError


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def rates(*values: float, **options: object) -> Stack:
    """Jobs named by their position, as those of an `Experiment`."""
    return Stack("ppo", [Run(f"job_{place}", config={"lr": value}, options=Options(**options))
                         for place, value in enumerate(values)])


def instances(world: World) -> dict[str, str]:
    return {address: record.run.instance for address, record in world.state.records.items()}


def test_a_setting_added_in_the_middle_launches_only_the_new_one(world):
    """The others follow their settings to another position."""
    world.converge(rates(1, 5))
    before = instances(world)
    shown = world.plan(rates(0.5, 1, 5))
    assert shown.glyphs == "+~~"
    assert shown.plan.moves == {"job_0": "job_1", "job_1": "job_2"}
    world.apply(rates(0.5, 1, 5))
    after = instances(world)
    assert (after["job_1"], after["job_2"]) == (before["job_0"], before["job_1"])
    assert len(world.starts) == 3


def test_what_lives_follows_its_settings_and_is_not_touched(world):
    world.apply(rates(1, 5))
    world.apply(rates(5, 1))
    assert len(world.starts) == len(world.memory.running()) == 2
    assert world.plan(rates(5, 1)).glyphs == "=="


def test_a_setting_taken_away_ends_only_its_run(world):
    """Also where the record of that run has to make room for another."""
    world.apply(rates(1, 2, 3))
    first = world.state.records["job_0"].run.instance
    shown = world.plan(rates(2, 3))
    assert shown.glyphs == "~~-"
    assert "no longer declared (it was job_0)" in shown.text
    world.apply(rates(2, 3))
    assert first not in world.memory.running()
    assert len(world.starts) == 3
    assert len(world.memory.running()) == 2


def test_runs_of_equal_settings_stay_where_they_are(world):
    """Two jobs with the same settings have a run each, and a third one gets its own."""
    world.apply(rates(1, 1))
    assert world.plan(rates(1, 1)).glyphs == "=="
    assert world.plan(rates(1, 1, 1)).glyphs == "==+"


def test_a_run_that_was_ended_for_other_settings_goes_on(world):
    """Under its name, which is that of its checkpoints; the run that stands there now makes room for it."""
    world.apply(rates(1))
    first = world.state.records["job_0"].run
    world.apply(rates(2))
    second = world.state.records["job_0"].run
    shown = world.plan(rates(1))
    assert shown.glyphs == "↻"
    assert f"{first.instance} had these settings, was cancelled, and goes on" in shown.text
    assert f"{second.instance} is stopped for it" in shown.text
    world.apply(rates(1))
    now = world.state.records["job_0"].run
    assert (now.instance, now.launch) == (first.instance, 2)
    assert world.memory.running() == [first.instance]


def test_a_result_of_the_past_stands_again(world):
    """Nothing is launched, and what is displaced is archived."""
    world.converge(rates(1))
    world.converge(rates(2))
    before = world.starts
    shown = world.plan(rates(1))
    assert (shown.glyphs, shown.is_empty) == ("=", False)
    world.apply(rates(1))
    assert world.starts == before
    assert world.plan(rates(1)).is_empty
    assert [record.run.instance for record in world.state.history] == [before[1][0]]


def test_a_restored_result_takes_the_present_tags(world):
    world.converge(Stack("ppo", [Run("a", config={"lr": 1}, tags=("old",))]))
    world.converge(Stack("ppo", [Run("a", config={"lr": 2})]))
    now = Stack("ppo", [Run("a", config={"lr": 1}, tags=("new",))])
    assert 'tags: ["old"] → ["new"]' in world.plan(now).text
    world.apply(now)
    assert world.state.records["a"].inputs["tags"] == ["new"]
    assert world.plan(now).is_empty


def test_a_dependent_of_a_restored_result_is_restored_with_it(world):
    """Under other names too: what counts is the run that it refers to."""
    def chain(base: str, tuned: str, lr: float) -> Stack:
        first = Run(base, config={"lr": lr})
        return Stack("ppo", [first, Run(tuned, config={"from": first.output("checkpoint")})])

    world.converge(chain("base", "tuned", 1))
    world.converge(chain("base", "tuned", 2))
    before = world.starts
    shown = world.plan(chain("first", "second", 1))
    assert shown.glyphs[:2] == "=="
    world.converge(chain("first", "second", 1))
    assert world.starts == before
    assert world.state.records["second"].inputs["config"]["from"] == "${ref:first.checkpoint}"


def test_what_a_new_run_needs_is_new_too(world):
    """A dependent of an upstream that is run anew has no result of the past."""
    first = Run("base", config={"lr": 1})
    stack = Stack("ppo", [first, Run("tuned", config={"from": first.output("checkpoint")})])
    world.converge(stack)
    assert world.plan(stack, replace=["base"]).glyphs == "±±"


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.LOST])
def test_a_run_of_the_past_that_did_not_succeed_goes_on(world, status):
    world.apply(rates(1))
    (first,) = world.memory.running()
    world.memory.vanish(first) if status is Status.LOST else world.memory.finish(first, status)
    world.converge(rates(2))
    assert world.plan(rates(1)).glyphs == "↻"
    world.converge(rates(1))
    assert world.starts[-1] == (first, 2)


@pytest.mark.parametrize(("wish", "glyph"), [({}, "="), ({"fresh": True}, "±"), ({"replace": ["job_0"]}, "±")])
def test_a_new_run_is_made_where_it_is_asked_for(world, wish, glyph):
    world.converge(rates(1))
    world.converge(rates(2))
    assert world.plan(rates(1), **wish).glyphs == glyph


def test_a_job_may_say_that_its_settings_do_not_decide_its_result(world):
    """Then each name has its own run, and each change a new one."""
    world.converge(rates(1, reuse=False))
    world.converge(rates(2, reuse=False))
    assert world.plan(rates(1, reuse=False)).glyphs == "±"
    assert world.plan(rates(3, 2, reuse=False)).glyphs == "±+"
    assert world.plan(rates(2, reuse=False)).glyphs == "="


def test_what_was_removed_from_the_state_is_not_taken(world):
    """It may still run; whoever removed it wanted it gone."""
    world.converge(rates(1))
    with Journal.open(FileLog(world.file), stack="ppo") as journal:
        remove(journal, ["job_0"])
    assert world.plan(rates(1)).glyphs == "+"
    assert "was removed from the state (--reuse takes it)" in world.plan(rates(1)).text
    assert world.plan(rates(1), reuse=True).glyphs == "="


def test_part_of_a_plan_renames_what_its_steps_need_and_no_more(world):
    world.converge(rates(1, 5))
    shown = world.plan(rates(0.5, 1, 5), target=["job_0"])
    assert (shown.glyphs, shown.plan.moves) == ("+", {"job_0": "job_1", "job_1": "job_2"})
    world.carry_out(shown)
    assert world.plan(rates(0.5, 1, 5)).plan.moves == {}
    assert world.plan(rates(0.5, 1, 7), target=["job_2"]).plan.moves == {}


class OtherCode:
    """Every result of the past was made by other code."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def obstacles(self, records: Sequence[Record]) -> Mapping[str, str]:
        self.asked.append([record.run.instance for record in records])
        return {record.run.instance: "and other code" for record in records}


def test_a_result_that_can_not_stand_again_is_named(world):
    """The archive is asked once for all results of a level, and not at all for runs that go on."""
    world.converge(rates(1, 2))
    world.apply(rates(3, 4))
    first = [instance for instance, _ in world.starts]
    archive = OtherCode()
    made = world.plan(rates(1, 2), archive=archive).plan
    assert [step.action for step in made.steps] == [Action.REPLACE, Action.REPLACE]
    assert made.steps[0].reason == f"a new run; {first[0]} had these settings, and other code"
    assert archive.asked == [first[:2]]
    world.plan(rates(3, 5), archive=archive)
    assert len(archive.asked) == 1


# ── what must not be lost on the way ─────────────────────────────────────────────────────────────────────────────────


def test_a_protected_run_that_makes_room_is_protected_still(world):
    """It stands at another address then, whose own declaration protects nothing."""
    def pair(first: float, second: float, *, protect: bool) -> Stack:
        options = Options(protect=protect)
        return Stack("ppo", [Run("job_0", config={"lr": first}, options=options),
                             Run("job_1", config={"lr": second})])

    world.apply(pair(1, 2, protect=True))
    with pytest.raises(ExpiacError, match="Protected"):
        world.plan(pair(2, 3, protect=True))


def test_a_retained_run_that_makes_room_goes_on(world):
    def pair(first: float, second: float) -> Stack:
        return Stack("ppo", [Run("job_0", config={"lr": first}, options=Options(retain=True)),
                             Run("job_1", config={"lr": second})])

    world.apply(pair(1, 2))
    first = world.state.records["job_0"].run.instance
    shown = world.plan(pair(2, 3))
    assert f"in place of {first}, which was job_0" in shown.text
    world.apply(pair(2, 3))
    assert first in world.memory.running()


def test_what_refers_to_a_run_that_can_not_be_seen_is_left_alone(world, tmp_path):
    """The run is left alone, whatever is declared of it now, and so is what it gave to others."""
    def chain(lr: float) -> Stack:
        base = Run("base", config={"lr": lr})
        return Stack("ppo", [base, Run("tuned", config={"from": base.output("checkpoint")})])

    world.apply(chain(1))
    world.memory.finish("base")
    world.observe()
    world.apply(chain(1))
    state = world.state
    unseen = {**state.records, "base": replace(state.records["base"], unseen="down", status=Status.RUNNING)}
    for stack, options in ((chain(2), PlanOptions()), (chain(1), PlanOptions(replace=("base",)))):
        wanted = desired(stack, Project(root=tmp_path), unseen)
        made = plan(wanted, replace(state, records=unseen), options)
        assert [step.action for step in made.steps] == [Action.KEEP, Action.KEEP]

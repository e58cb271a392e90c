"""Records that move to other addresses: which patterns mean them, and what is recorded of what refers to them."""

from __future__ import annotations

import pytest

from expiac.declare.options import Options
from expiac.declare.stack import Stack
from expiac.plan.model import Action
from expiac.state.edit import move
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.testing import Run, World
from expiac.util.errors import UsageError


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def rates(*values: float) -> Stack:
    """Jobs named by their position, as those of an `Experiment`."""
    return Stack("ppo", [Run(f"job_{place}", config={"lr": value}) for place, value in enumerate(values)])


def test_an_excluded_run_is_left_alone_under_the_name_that_it_has_now(world):
    """Its record would make room for another one; neither moves, and what could only be done then waits."""
    world.apply(rates(1, 2))
    first = world.state.records["job_0"].run.instance
    for pattern in ("job_0", "job_1"):
        shown = world.plan(rates(2), exclude=[pattern])
        assert (shown.plan.steps, shown.plan.moves, shown.plan.left_out) == ((), {}, ("job_0", "job_1"))
        world.carry_out(shown)
    assert first in world.memory.running()
    assert len(world.plan(rates(2), exclude=["job_*"]).plan.left_out) == 2


def test_a_rename_beside_an_excluded_run_is_done(world):
    """Only records that have to make room for each other stay together."""
    world.apply(Stack("ppo", [Run("a", config={"lr": 1}), Run("b", config={"lr": 2})]))
    both = Stack("ppo", [Run("a2", config={"lr": 1}), Run("b2", config={"lr": 2})])
    assert world.plan(both, exclude=["b"]).plan.moves == {"a": "a2"}


def test_a_target_means_the_same_before_and_after_a_rename(world):
    """An apply that was killed after it is begun again with the same words: the run has another name by then."""
    world.apply(rates(1, 2))
    shown = world.plan(rates(2, 3), target=["job_1"])
    assert [step.address for step in shown.plan.steps] == ["job_1"]
    with pytest.raises(UsageError):
        world.plan(Stack("ppo", [Run("x", config={"lr": 1}), Run("y", config={"lr": 2})]), target=["job_0"])


def test_a_target_brings_the_rename_of_an_upstream_that_can_not_be_seen(world):
    """Its step does nothing; what refers to it finds it under the new name."""
    def chain(base: str, x: int) -> Stack:
        first = Run(base, config={"lr": 1}, options=Options(aliases=("base",)))
        return Stack("ppo", [first, Run("tuned", config={"from": first.output("checkpoint"), "x": x})])

    world.apply(chain("base", 1), target=["base"])
    world.memory.answer_unknown("down")
    shown = world.plan(chain("first", 1), target=["tuned"])
    assert (shown["first"].action, shown.plan.moves, shown.plan.along) == (Action.KEEP, {"base": "first"}, ("first",))
    world.carry_out(shown)
    assert list(world.state.records) == ["first"]
    assert world.plan(chain("base2", 1), exclude=["first"]).plan.left_out == ("base2", "tuned")


def test_what_refers_to_a_result_that_stands_elsewhere_now_is_recorded_with_its_name(world):
    """Else a later plan would show a change of what is none, and call the result a new run."""
    base, other, first = Run("base", config={"lr": 1}), Run("base", config={"lr": 2}), Run("first", config={"lr": 1})

    def tuned(upstream: Run, x: int) -> Run:
        return Run("tuned", config={"from": upstream.output("checkpoint"), "x": x})

    world.converge(Stack("ppo", [base, tuned(base, 1)]))
    instance = world.state.records["base"].run.instance
    world.apply(Stack("ppo", [other, tuned(other, 1)]), target=["base"])
    world.apply(Stack("ppo", [first, other, tuned(first, 1)]))
    record = world.state.records["tuned"]
    assert (record.upstream, record.inputs["config"]["from"]) == ({"first": instance}, "${ref:first.checkpoint}")
    shown = world.plan(Stack("ppo", [first, other, tuned(first, 2)]))["tuned"]
    assert ([change.path for change in shown.changes], shown.reason) == (["x"], "")
    assert len(world.starts) == 3


def test_a_result_comes_back_where_its_replacement_was_moved_and_never_launched(world):
    """The apply was killed between the record and the launch, and the record was renamed before anybody looked."""
    world.converge(rates(1))
    result = world.state.records["job_0"].run.instance
    world.memory.autofinish = False
    world.dies_after(0, unanswered=False)
    with world.survives():
        world.apply(rates(2))
    with Journal.open(FileLog(world.file), stack="ppo") as journal:
        move(journal, "job_0", "renamed")
    world.observe()
    assert {address: record.run.instance for address, record in world.state.records.items()} == {"renamed": result}
    assert (world.state.records["renamed"].address, world.state.history) == ("renamed", ())


def ignoring(name: str, *, steps: int = 10, gpus: int = 1, lr: float = 1, **options: object) -> Stack:
    how = Options(ignore_changes=("steps", "gpus"), **options)
    return Stack("ppo", [Run(name, config={"lr": lr, "steps": steps}, gpus=gpus, options=how)])


@pytest.mark.parametrize("changed", [{"gpus": 8}, {"steps": 20}, {"gpus": 8, "steps": 20}])
def test_a_renamed_run_keeps_what_it_ignores_changes_of(world, changed):
    """It lives, and is neither moved nor replaced; nothing of it changes with its new name either."""
    world.apply(ignoring("a"))
    shown = world.plan(ignoring("b", **changed))
    assert (shown.glyphs, [change.path for change in shown["b"].changes]) == ("~", ["name"])
    world.apply(ignoring("b", **changed))
    assert (len(world.starts), world.memory.running()) == (1, [world.starts[0][0]])
    assert world.plan(ignoring("b", **changed)).glyphs == "="


def test_what_is_not_ignored_makes_a_new_run_under_a_new_name(world):
    world.apply(ignoring("a"))
    assert world.plan(ignoring("b", steps=20, lr=2)).glyphs == "+-"
    assert world.plan(ignoring("b", steps=20, reuse=False)).glyphs == "+-"


def test_a_run_that_would_be_launched_again_does_not_take_other_settings(world):
    """It is lost: under the new name it would be launched with the declared values, which are not its own."""
    world.apply(ignoring("a"))
    world.memory.vanish("a")
    assert world.plan(ignoring("b", steps=20)).glyphs == "+·"

"""How a resource is to be treated: protected, retained, renamed, limited, with hooks around it."""

from __future__ import annotations

import pytest

from expiac.declare.options import Hooks, Options
from expiac.declare.stack import Stack
from expiac.plan import saved
from expiac.plan.model import Action
from expiac.state.status import Status
from expiac.testing import Run, World
from expiac.util.errors import ExpiacError


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def one(*, lr: int = 1, gpus: int = 1, name: str = "ppo", **options: object) -> Stack:
    return Stack("ppo", [Run(name, config={"optimizer": {"lr": lr}}, gpus=gpus, options=Options(**options))])


def chain(base: str, *aliases: str, lr: int = 1) -> Stack:
    """A run, and one that is tuned from its checkpoint."""
    first = Run(base, config={"lr": lr}, options=Options(aliases=aliases))
    return Stack("ppo", [first, Run("tuned", config={"uri": first.output("checkpoint")})])


# ── protect ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("then", "what"), [
    (one(lr=2, protect=True), "replace"), (one(gpus=8, protect=True), "relaunch"), (None, "stop")])
def test_what_is_protected_is_not_taken_away(world, then, what):
    """A plan that would do it is refused whole; without that resource it may be made."""
    world.apply(one(protect=True))
    with pytest.raises(ExpiacError, match=f"Protected\n  ppo: the plan would {what} it"):
        world.plan(then)
    assert world.plan(then, exclude=["ppo"]).is_empty


def test_what_has_ended_may_be_placed_elsewhere_though_protected(world):
    """A relaunch of what failed takes nothing away; to archive it would."""
    world.apply(one(protect=True))
    world.memory.finish("ppo", Status.FAILED)
    assert world.plan(one(gpus=8, protect=True)).glyphs == "↻"
    with pytest.raises(ExpiacError, match="the plan would forget it"):
        world.plan(None)


def test_the_declaration_has_the_last_word(world):
    """Protection that the program has taken back protects no more."""
    world.apply(one(protect=True))
    assert world.plan(one(lr=2)).glyphs == "±"


def test_an_option_alone_is_recorded_and_nothing_restarts(world):
    """So that it holds when the program is gone."""
    world.apply(one())
    assert world.plan(one(protect=True)).text == "~ ppo   options.protect: false → true"
    world.apply(one(protect=True))
    assert world.plan(one(protect=True)).glyphs == "="
    assert len(world.starts) == 1
    with pytest.raises(ExpiacError, match="Protected"):
        world.destroy()


def test_a_new_dependency_alone_is_recorded(world):
    """A destroy has to know in which order to stop."""
    def two(*needs: str) -> Stack:
        return Stack("ppo", [Run("a"), Run("b", depends_on=needs)])

    world.converge(two())
    assert "depends_on: [] → [\"a\"]" in world.plan(two("a")).text
    world.apply(two("a"))
    assert (world.state.records["b"].depends_on, world.plan(two("a")).glyphs) == (("a",), "==")


# ── retain ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_retained_goes_on_when_it_is_removed(world):
    """It is forgotten instead of stopped, and stands in the history."""
    world.apply(one(retain=True))
    assert world.plan(None).text == "· ppo   pending, and retained: it goes on"
    world.destroy()
    assert (len(world.memory.running()), world.state.records, len(world.state.history)) == (1, {}, 1)


def test_what_is_retained_goes_on_when_it_is_replaced(world):
    """The new run stands beside the old one."""
    world.apply(one(retain=True))
    (old,) = world.memory.running()
    assert f"{old} is retained, and goes on" in world.plan(one(lr=2, retain=True)).text
    world.apply(one(lr=2, retain=True))
    assert (len(world.memory.running()), len(world.starts)) == (2, 2)
    world.apply(one(lr=1, retain=True))
    assert (len(world.memory.running()), len(world.starts)) == (2, 2)  # the first one still runs, and is taken back


# ── changes that are ignored, and changes that count ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["optimizer.lr", "optimizer", "optimizer.*"])
def test_a_change_that_is_ignored_changes_nothing(world, path):
    """The run keeps the value it has, also when another change makes a new one."""
    world.apply(one(lr=1))
    assert world.plan(one(lr=2, ignore_changes=(path,))).glyphs == "="
    world.apply(Stack("ppo", [Run("ppo", config={"optimizer": {"lr": 2}, "seed": 1},
                                  options=Options(ignore_changes=(path,)))]))
    assert world.state.records["ppo"].inputs["config"] == {"optimizer": {"lr": 1}, "seed": 1}


def test_a_new_resource_ignores_nothing(world):
    """There is no value to keep."""
    world.apply(one(lr=2, ignore_changes=("optimizer.lr",)))
    assert world.state.records["ppo"].inputs["config"] == {"optimizer": {"lr": 2}}


def test_an_ignored_placement_moves_nothing(world):
    """Whatever kind of field it is."""
    world.apply(one(gpus=1))
    assert world.plan(one(gpus=8, ignore_changes=("gpus",))).glyphs == "="


def test_a_change_may_be_said_to_make_a_new_run(world):
    """Though the field alone would not, on a run that succeeded; and once done there is nothing left to do."""
    world.converge(one(gpus=1))
    then = one(gpus=8, replace_on_changes=("gpus",))
    assert world.plan(then).glyphs == "±"
    assert "gpus: absent → 8" in world.plan(then).text  # 1 is what it is where nothing is said
    assert "a change of gpus makes it run anew" in world.plan(then).text
    world.converge(then)
    assert (world.plan(then).glyphs, len(set(world.starts))) == ("=", 2)


# ── aliases ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_renamed_resource_keeps_its_run_and_so_do_its_dependents(world):
    """Nothing is launched; the record moves, once."""
    world.converge(chain("base"))
    shown = world.plan(chain("first", "base"))
    assert (shown.glyphs, "name: base → first" in shown.text) == ("~=", True)
    before = world.starts
    world.apply(chain("first", "base"))
    assert (world.starts, set(world.state.records)) == (before, {"first", "tuned"})
    assert world.plan(chain("first", "base")).glyphs == world.plan(chain("first")).glyphs == "=="


def test_two_that_exchange_names_are_renamed_both(world):
    """Nothing is launched, and the next plan does not change them back."""
    def pair(a: int, b: int) -> Stack:
        return Stack("ppo", [Run("a", config={"lr": a}, options=Options(aliases=("b",))),
                             Run("b", config={"lr": b}, options=Options(aliases=("a",)))])

    world.converge(pair(1, 2))
    before, shown = world.starts, world.plan(pair(2, 1))
    assert (shown.glyphs, "name: b → a" in shown.text, "name: a → b" in shown.text) == ("~~", True, True)
    world.carry_out(shown)
    assert (world.starts, world.plan(pair(2, 1)).glyphs) == (before, "==")


def test_a_rename_and_a_change_come_together(world):
    """The old run is the one that is replaced, and its dependent with it."""
    world.converge(chain("base"))
    shown = world.plan(chain("first", "base", lr=2))
    assert shown.glyphs == "±±"
    world.converge(chain("first", "base", lr=2))
    assert len(set(world.starts)) == len(world.starts) == 4
    assert {record.address for record in world.state.history} == {"first", "tuned"}


def test_a_run_follows_its_settings_to_another_name(world):
    """Without an alias too: nothing is launched, and what refers to it follows."""
    world.converge(chain("base"))
    assert world.plan(chain("first")).glyphs == "~="


def test_a_new_resource_of_the_old_name_and_settings_is_a_run_of_its_own(world):
    """Each of them needs one, whatever the name of the run that is there."""
    world.apply(one(name="a"))
    both = Stack("ppo", [*one(name="b", aliases=("a",)).resources, *one(name="a").resources])
    assert world.plan(both).glyphs == "+="  # a is declared, so it is a
    world.apply(one(name="b", aliases=("a",)))
    world.apply(both)
    assert len(set(world.starts)) == len(world.starts) == 2


def test_an_alias_of_a_death_in_between_is_taken_up_again(world):
    """The move is one event: it happened, or it did not."""
    world.converge(chain("base"))
    for effects in (0, 1):
        world.dies_after(effects)
        with world.survives():
            world.apply(chain("first", "base", lr=2))
    world.converge(chain("first", "base", lr=2))
    assert len(set(world.starts)) == len(world.starts) == 4


def test_what_is_left_out_is_not_renamed(world):
    """And what needs it under its new name is left out with it."""
    world.converge(chain("base"))
    shown = world.plan(chain("first", "base"), exclude=["first"])
    assert (shown.plan.left_out, shown.is_empty) == (("first",), True)
    world.carry_out(shown)
    assert set(world.state.records) == {"base", "tuned"}


# ── timeout and hooks ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_birth_that_takes_too_long_is_left_open_and_seen_to_by_the_next_apply(world):
    """Nobody knows whether it happened, so it is neither failed nor forgotten."""
    world.memory.stall("ppo")
    result = world.apply(one(timeout=1))
    assert [error.summary for _, error in result.failed] == ["Took too long"]
    assert world.state.records["ppo"].pending is not None
    world.memory.heal("ppo")
    world.converge(one(timeout=1))
    assert len(world.starts) == len(set(world.starts)) == 1


def told(world: World, name: str) -> list[str]:
    return (world.file.parent / name).read_text().split()


SAYS = 'echo $EXPIAC_JOB.$EXPIAC_LAUNCH {} >> said'


def test_hooks_run_around_a_birth_and_an_end(world):
    """In the project's folder; the end's also when the program is gone."""
    world.apply(one(hooks=Hooks(**{name: SAYS.format(name) for name in (
        "before_create", "after_create", "before_delete", "after_delete")})))
    assert told(world, "said") == ["ppo.1", "before_create", "ppo.1", "after_create"]
    world.destroy()
    assert told(world, "said")[4:] == ["ppo.1", "before_delete", "ppo.1", "after_delete"]


def test_a_hook_finds_the_outputs(world):
    """Of what is launched, and of what is about to end."""
    world.apply(one(hooks=Hooks(after_create="echo $EXPIAC_OUTPUT_checkpoint > uri")))
    assert told(world, "uri") == [world.state.records["ppo"].outputs["checkpoint"]]


def test_a_hook_that_fails_before_prevents(world):
    """Nothing was begun, and the next apply tries again."""
    result = world.apply(one(hooks=Hooks(before_create="echo no disk; exit 3")))
    (_, error), = result.failed
    assert (error.summary, error.detail.splitlines()) == (
        "Hook failed", ["ppo: before_create: exit code 3: echo no disk; exit 3", "no disk"])
    assert (world.starts, world.state.records, world.plan(one()).glyphs) == ([], {}, "+")


def test_a_hook_that_fails_after_is_told_and_undoes_nothing(world):
    """The run is there; what waits for it is left for the next apply."""
    result = world.apply(one(hooks=Hooks(after_create="false")))
    assert (len(result.failed), len(world.starts)) == (1, 1)
    assert world.plan(one(hooks=Hooks(after_create="false"))).glyphs == "="


@pytest.mark.parametrize("options", [{"timeout": "soon"}, {"timeout": 0}, {"protects": True}, {"aliases": "old"},
                                     {"hooks": {"after": "true"}}])
def test_an_option_that_is_none_is_refused(options):
    """When it is declared."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Options(**options)


def test_every_action_keeps_its_word(world):
    """A plan with options in it is the plan that is carried out."""
    world.apply(one())
    result = world.apply(one(protect=True))
    assert [step.action for step in result.done] == [Action.UPDATE]


def test_a_saved_plan_keeps_what_it_was_told(world, tmp_path):
    """Options, renames and times are part of what carrying it out needs."""
    world.converge(chain("base"))
    first = Run("first", config={"lr": 2}, options=Options(
        aliases=("base",), retain=True, timeout="10m", hooks=Hooks(after_create="true")))
    plan = world.plan(Stack("ppo", [first])).plan
    saved.write(plan, tmp_path / "plan")
    assert saved.read(tmp_path / "plan") == plan

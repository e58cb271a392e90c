"""The four laws, over random programs: what holds whatever is declared, edited, and however often the process dies."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.testing import World
from expiac.testing.integrity import flaws
from tests.random_programs import a_world, programs

deaths = st.tuples(st.integers(0, 5), st.booleans())


@settings(max_examples=100, deadline=None)
@given(programs)
def test_planning_after_a_successful_apply_gives_only_keep(edits):
    """What was done is what was asked for."""
    with a_world() as world:
        for stack in edits:
            world.converge(stack)
            assert set(world.plan(stack).glyphs) == {"="}


@settings(max_examples=200, deadline=None)
@given(programs, st.lists(deaths, min_size=1, max_size=4))
def test_wherever_the_process_dies_the_next_apply_converges_and_nothing_is_born_twice(edits, ends):
    """Started is durable before the effect, and whoever comes next finds out what became of it."""
    with a_world() as world, a_world() as untouched:
        for stack in edits:
            for effects, unanswered in ends:
                world.dies_after(effects, unanswered=unanswered)
                with world.survives():
                    world.apply(stack)
                assert flaws(world.state) == []
            world.memory = world.memory.fresh()
            world.converge(stack)
            untouched.converge(stack)
            assert len(world.starts) == len(set(world.starts))
        assert settings_of(world) == settings_of(untouched)


@settings(max_examples=50, deadline=None)
@given(programs)
def test_replaying_a_compacted_journal_gives_the_same_state(edits):
    """A checkpoint says what the events said."""
    with a_world() as world:
        for stack in edits:
            world.converge(stack)
        before = world.state
        with Journal.open(FileLog(world.file), stack="ppo") as journal:
            journal.compact()
        assert world.state == before


@settings(max_examples=100, deadline=None)
@given(programs, deaths)
def test_destroy_leaves_nothing_running(edits, end):
    """Also where the destroy itself was cut short."""
    with a_world() as world:
        for stack in edits:
            world.apply(stack)
        world.dies_after(end[0], unanswered=end[1])
        with world.survives():
            world.destroy()
        world.memory = world.memory.fresh()
        world.destroy()
        assert live(world) == []
        assert world.memory.running() == []
        assert world.plan(None).is_empty


def live(world: World) -> list[str]:
    return [record.address for record in world.state.records.values() if record.status.is_live]


def settings_of(world: World) -> dict[str, Any]:
    """What stands under each name. Of runs with the same settings, it may be either."""
    return {name: record.inputs["config"] for name, record in world.state.records.items()}

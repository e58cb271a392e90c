"""The four laws, over random programs: what holds whatever is declared, edited, and however often the process dies."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from expiac.journal import Journal
from expiac.stack import Stack
from expiac.testing import Run, World

NAMES = "abcd"


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    """One to four runs; each may take the output of earlier ones."""
    chosen = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    runs: list[Run] = []
    for name in chosen:
        upstream = draw(st.lists(st.sampled_from(runs), max_size=2, unique_by=lambda run: run.name)) if runs else []
        config = {"lr": draw(st.sampled_from([1, 2])), "from": [run.output("checkpoint") for run in upstream]}
        gpus, tags = draw(st.sampled_from([1, 8])), draw(st.sampled_from([(), ("t",)]))
        runs.append(Run(name, config=config, gpus=gpus, tags=tags))
    return Stack("ppo", runs)


programs = st.lists(stacks(), min_size=1, max_size=4)
deaths = st.tuples(st.integers(0, 5), st.booleans())


def a_world() -> World:
    return World(Path(tempfile.mkdtemp(prefix="expiac-laws-")))


def live(world: World) -> list[str]:
    return [record.address for record in world.state.records.values() if record.status.is_live]


@settings(max_examples=100, deadline=None)
@given(programs)
def test_planning_after_a_successful_apply_gives_only_keep(edits):
    """What was done is what was asked for."""
    world = a_world()
    for stack in edits:
        world.converge(stack)
        assert set(world.plan(stack).glyphs) == {"="}


@settings(max_examples=200, deadline=None)
@given(programs, st.lists(deaths, min_size=1, max_size=4))
def test_wherever_the_process_dies_the_next_apply_converges_and_nothing_is_born_twice(edits, ends):
    """Started is durable before the effect, and whoever comes next finds out what became of it."""
    world, untouched = a_world(), a_world()
    for stack in edits:
        for effects, unanswered in ends:
            world.dies_after(effects, unanswered=unanswered)
            with world.survives():
                world.apply(stack)
        world.memory = world.memory.fresh()
        world.converge(stack)
        untouched.converge(stack)
        assert len(world.births) == len(set(world.births))
    assert {name: record.run.fingerprint for name, record in world.state.records.items()} == {
        name: record.run.fingerprint for name, record in untouched.state.records.items()}


@settings(max_examples=50, deadline=None)
@given(programs)
def test_replaying_a_compacted_journal_gives_the_same_state(edits):
    """A checkpoint says what the events said."""
    world = a_world()
    for stack in edits:
        world.converge(stack)
    before = world.state
    with Journal.open(world.file, stack="ppo") as journal:
        journal.compact()
    assert world.state == before


@settings(max_examples=100, deadline=None)
@given(programs, deaths)
def test_destroy_leaves_nothing_running(edits, end):
    """Also where the destroy itself was cut short."""
    world = a_world()
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

"""A plan in a file is the plan, or it is refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings

from expiac.declare.stack import Stack
from expiac.plan import saved
from expiac.testing import Run, World
from expiac.util.errors import ExpiacError
from tests.random_programs import a_world, programs


@settings(max_examples=60, deadline=None)
@given(programs)
def test_what_is_read_is_what_was_written(edits):
    """Every field of every step, whatever was declared before."""
    with a_world() as world:
        file = world.file.with_suffix(".plan")
        for stack in [*edits, None]:
            plan = world.plan(stack).plan
            saved.write(plan, file)
            assert (saved.is_plan(file), saved.read(file)) == (True, plan)
            world.apply(stack)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    world = World(tmp_path)
    world.apply(Stack("ppo", [Run("a", config={"lr": 1}), Run("b", config={"lr": 1})]))
    saved.write(world.plan(Stack("ppo", [Run("a", config={"lr": 2})])).plan, tmp_path / "a.plan")
    return tmp_path / "a.plan"


def test_no_changed_byte_is_read(file):
    """Nor a missing or an added one."""
    whole = file.read_bytes()
    rng = random.Random(1)
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ rng.randrange(1, 256)]) + whole[place + 1:])
        with pytest.raises(ExpiacError):
            saved.read(file)
        file.write_bytes(whole[:place])
        with pytest.raises(ExpiacError):
            saved.read(file)
    file.write_bytes(whole + b"x")
    with pytest.raises(ExpiacError, match="altered"):
        saved.read(file)


def with_format(file: Path, number: int) -> None:
    head, body = file.read_bytes().split(b"\n", 1)
    assert head.startswith(b'{"expiac_plan":2,')
    file.write_bytes(head.replace(b'{"expiac_plan":2,', b'{"expiac_plan":%d,' % number) + b"\n" + body)


def test_a_plan_of_the_first_format_is_read_and_one_of_a_newer_is_not(file):
    """A release that knows no moves refuses a plan that has some, since its format is not the first."""
    plan = saved.read(file)
    with_format(file, 1)
    assert saved.read(file) == plan
    saved.write(plan, file)
    with_format(file, 3)
    with pytest.raises(ExpiacError, match="has format 3, and this release reads 2"):
        saved.read(file)

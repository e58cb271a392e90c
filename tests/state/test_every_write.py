"""A disk that fails at the k-th call of a whole apply, for every k: an error, and the earlier state whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from expiac.declare.stack import Stack
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.model import State
from expiac.state.status import Status
from expiac.testing import Run, World
from expiac.testing.instants import Instants, WatchedDisk
from expiac.testing.integrity import flaws
from expiac.util.errors import ExpiacError


class Failing(Instants):
    """Instants of which one is an error of the disk, before the call or after it; the disk may stay ill."""

    def __init__(self, at: int, error: int, *, for_good: bool) -> None:
        super().__init__(at, self.fail)
        self.error, self.for_good = error, for_good

    def fail(self) -> None:
        self.at += self.for_good
        raise OSError(self.error, os.strerror(self.error))


ILLS = (errno.ENOSPC, errno.EROFS, errno.EIO)


def before(folder: Path) -> World:
    """A world in which the next apply has everything to do: create, update, replace, relaunch, stop and forget."""
    world = World(folder, compact_above=1500)
    world.apply(Stack("ppo", [Run(name) for name in ("kept", "noted", "edited", "moved", "stopped", "ended")]))
    world.memory.finish("ended", Status.SUCCEEDED)
    return world


AFTER = Stack("ppo", [Run("kept"), Run("noted", tags=("t",)), Run("edited", config={"lr": 1}), Run("moved", gpus=8),
                      Run("added")])


def whole(folder: Path) -> tuple[World, int]:
    """The world after an apply on a sound disk, and how many instants its disk had."""
    world, instants = before(folder), Instants()
    world.disk = WatchedDisk(instants)
    world.apply(AFTER)
    return world, instants.count


def known(state: State) -> object:
    """What must be the same, however often it was tried."""
    return ({name: (record.run, record.status, record.inputs) for name, record in state.records.items()},
            {record.run.instance for record in state.history})


def said_by(world: World) -> list[ExpiacError]:
    """The errors of an apply; anything else than an `ExpiacError` is a traceback."""
    try:
        return [error for _, error in world.apply(AFTER).failed]
    except ExpiacError as error:
        return [error]


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_every_write_of_an_apply_may_fail(tmp_path, for_good):
    """It says so, nothing acknowledged is lost, and the next apply brings about the same, nothing born twice."""
    aim, instants = whole(tmp_path / "whole")
    assert instants > 60
    for at in range(1, instants + 1):
        world, error = before(tmp_path / str(at)), ILLS[at % len(ILLS)]
        earlier, world.disk = world.state, WatchedDisk(Failing(at, error, for_good=for_good))
        errors = said_by(world)
        state = world.state
        assert errors or known(state) == known(aim.state), "an event was lost in silence"
        assert {one.summary for one in errors} <= {"State not written"}
        assert flaws(state, earlier) == []
        world.disk = None
        assert said_by(world) == []
        assert known(world.state) == known(aim.state)
        assert sorted(world.starts) == sorted(aim.starts)


def test_the_first_write_of_a_stack_may_fail(tmp_path):
    """There is no state then, or a whole one, and never a file that is none."""
    instants = Instants()
    World(tmp_path / "whole", disk=WatchedDisk(instants)).apply(AFTER)
    for at in range(1, instants.count + 1):
        world = World(tmp_path / str(at), disk=WatchedDisk(Failing(at, errno.ENOSPC, for_good=True)))
        assert said_by(world)
        assert Journal.read(FileLog(world.file)).notes == ()
        world.disk = None
        assert said_by(world) == []
        assert len(world.starts) == len(set(world.starts)) == 5

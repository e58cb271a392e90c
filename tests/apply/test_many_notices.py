"""Many notices at once: they are sent a part under each lock, so that other commands can work in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.apply import notifier
from expiac.apply.events import Silent
from expiac.apply.notices import unsent
from expiac.declare.project import find_project
from expiac.plan.planner import PlanOptions
from expiac.session import Session
from expiac.testing.memory import MemoryProvider

SWEEP = """
from expiac import ExperimentConfig, Stack
from expiac.testing import Run

class Sweep(ExperimentConfig):
    name: str = "sweep"

def stack(config: Sweep) -> Stack:
    return Stack(config.name, [Run(f"job_{place}", config={"lr": place}) for place in range(5)])
"""


class Desk:
    """A project of five runs that tell of their ends."""

    def __init__(self, root: Path) -> None:
        self.root, self.memory = root, MemoryProvider()
        (root / "pyproject.toml").write_text("[tool.expiac.notify]\ncommand = 'echo $EXPIAC_JOB >> told'\n")
        (root / "stacks").mkdir()
        (root / "stacks" / "sweep.py").write_text(SWEEP)

    def open(self) -> Session:
        return Session.open("sweep", reporter=Silent(), project=find_project(self.root),
                            providers={"memory": self.memory})

    @property
    def told(self) -> list[str]:
        file = self.root / "told"
        return sorted(file.read_text().split()) if file.exists() else []


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(notifier, "_AT_ONCE", 2)
    desk = Desk(tmp_path)
    with desk.open() as session:
        session.apply(session.plan())
    desk.memory.autofinish = True
    return desk


def test_one_lock_sends_a_part_and_the_rest_stays_due(desk):
    """`status` holds the lock no longer than that."""
    with desk.open() as session:
        session.status()
        assert (len(desk.told), len(unsent(session.state))) == (2, 3)


@pytest.mark.parametrize("store", ["", "file://{root}/store"])
def test_what_a_look_sent_is_not_sent_again(desk, monkeypatch, store):
    """Also where the state is in a store, which gets several events as one piece."""
    if store:
        monkeypatch.setenv("EXPIAC_STATE", store.format(root=desk.root))
        desk.memory.autofinish = False
        with desk.open() as session:
            session.apply(session.plan(options=PlanOptions(fresh=True)))
        desk.memory.autofinish = True
    for _ in range(3):
        with desk.open() as session:
            session.status()
    assert desk.told == [f"job_{place}" for place in range(5)]


def test_a_refresh_sends_all_of_them_once(desk):
    with desk.open() as session:
        session.refresh()
        session.refresh()
        assert unsent(session.state) == []
    assert desk.told == [f"job_{place}" for place in range(5)]


def test_another_command_that_has_the_lock_meanwhile_keeps_them_from_nobody(desk, monkeypatch):
    """They stay due, and the next refresh sends them."""
    monkeypatch.setattr("expiac.state.locking.LOCK_TIMEOUT", 0.01)
    with desk.open() as session, desk.open() as other:
        session.status()
        with other._journal.lock(purpose="apply", wait_seconds=0):
            session._refresher.send_remaining_notices()
        assert len(desk.told) == 2
        session.refresh()
    assert desk.told == [f"job_{place}" for place in range(5)]

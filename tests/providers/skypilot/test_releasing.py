"""A cluster goes with its job: when its end is seen by whoever may write it down."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from expiac.apply.events import Warned
from expiac.declare.project import find_project
from expiac.providers.skypilot import SkypilotProvider
from expiac.session import Session
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import Unavailable

STACK = """
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Small(ExperimentConfig):
    name: str = "small"
    run: str = "succeeds"

def stack(config: Small) -> Stack:
    return Stack(config.name, [Job("job", run=config.run, skypilot=SkypilotJobConfig(managed=False, workdir=None))])
"""


class Away(FakeSky):
    """A SkyPilot that can't take a cluster down."""

    def down(self, cluster: str) -> None:
        raise Unavailable("SkyPilot failed", "the cloud is busy")


class Desk:
    def __init__(self, root: Path) -> None:
        self.root, self.server, self.moments = root, Server(), []
        (root / "pyproject.toml").write_text('[tool.expiac]\nbackend = "slurm/loop"\ngit_check = false\n')
        (root / "stacks").mkdir()
        (root / "stacks" / "small.py").write_text(STACK)
        shutil.copytree(Path(__file__).parents[3] / "templates", root / "templates")

    def on_event(self, moment):
        self.moments.append(moment)

    def open(self, *overrides, sky=FakeSky, declared=True):
        provider = SkypilotProvider(self.root, sky=sky(self.server), timeout=1, pause=0.01)
        return Session.open("small", overrides, reporter=self, project=find_project(self.root), declared=declared,
                            providers={"skypilot": provider})

    def apply(self, *overrides, **how):
        with self.open(*overrides) as session:
            session.apply(session.plan(), **how)
            return session.state


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_an_apply_that_waits_leaves_no_cluster(desk):
    state = desk.apply(wait=True, timeout=20)
    assert state.records["job"].status.value == "succeeded"
    assert (dict(desk.server.clusters), "cluster" in state.records["job"].outputs) == ({}, False)
    with desk.open() as session:
        assert session.plan().is_empty


def test_whoever_comes_later_takes_it_down(desk):
    """A plan leaves it alone; a refresh writes the end down, and lets it go."""
    desk.apply()
    for _ in range(4):
        desk.server.proceed()
    with desk.open() as session:
        assert session.plan().is_empty
        assert desk.server.clusters
        session.refresh()
    assert not desk.server.clusters


def test_what_can_not_be_taken_down_is_said_and_tried_again(desk):
    desk.apply()
    for _ in range(4):
        desk.server.proceed()
    with desk.open(sky=Away) as session:
        session.refresh()
    assert any(isinstance(moment, Warned) and "still stands" in moment.text for moment in desk.moments)
    assert desk.server.clusters
    state = desk.apply()
    assert (dict(desk.server.clusters), state.records["job"].status.value) == ({}, "succeeded")


def test_destroy_takes_the_cluster_of_a_running_job_down(desk):
    desk.apply("run=lasts")
    with desk.open(declared=False) as session:
        session.apply(session.plan_destroy())
    assert not desk.server.clusters


def test_a_retry_has_a_cluster_of_its_own(desk):
    """The failed launch's is gone before."""
    from expiac.plan.planner import PlanOptions

    desk.apply("run=fails", wait=True, timeout=20)
    with desk.open("run=fails") as session:
        session.apply(session.plan(options=PlanOptions(retry=True)))
    assert [name[-2:] for name in desk.server.clusters] == ["-2"]

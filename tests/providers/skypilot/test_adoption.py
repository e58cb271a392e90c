"""Jobs that were launched by other means become runs of a stack, and nothing is launched for them."""

from __future__ import annotations

import dataclasses

import pytest

from expiac.apply.events import Silent
from expiac.declare.project import find_project
from expiac.plan.history import code_of
from expiac.plan.planner import PlanOptions
from expiac.providers.skypilot import SkypilotProvider
from expiac.providers.skypilot.snapshot import SkyJob
from expiac.session import Session
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import ExpiacError, UsageError

STACK = """
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Small(ExperimentConfig):
    name: str = "small"

def stack(config: Small) -> Stack:
    where = SkypilotJobConfig(gpus=0, workdir=None)
    return Stack(config.name, [Job(name, run="lasts", skypilot=where) for name in ("a", "b")],
                 previous_job_ids=config.previous_job_ids or ())
"""
MINE = "name: mine\nresources: {infra: slurm/loop}\nnum_nodes: 2\nrun: lasts\n"


class Desk:
    def __init__(self, root, templates):
        self.root, self.server = root, Server()
        self.server.jobs = {12: SkyJob(12, "mine", "RUNNING", MINE), 13: SkyJob(13, "mine", "RUNNING", MINE)}
        (root / "pyproject.toml").write_text('[tool.expiac]\nbackend = "slurm/loop"\ngit_check = false\n')
        (root / "stacks").mkdir()
        (root / "stacks" / "small.py").write_text(STACK)
        (root / "templates").symlink_to(templates)

    def open(self, *overrides, declared=True, **tells):
        provider = SkypilotProvider(self.root, sky=FakeSky(self.server, **tells), timeout=1, pause=0.01)
        return Session.open("small", overrides, reporter=Silent(), project=find_project(self.root), declared=declared,
                            providers={"skypilot": provider})

    def adopt(self, address, job):
        with self.open() as session:
            return session.apply(session.plan_import(address, job))

    @property
    def launches(self):
        return self.server.asked.count("launch")


@pytest.fixture
def desk(tmp_path, pytestconfig):
    return Desk(tmp_path, pytestconfig.rootpath / "templates")


def test_an_imported_job_is_the_run(desk):
    """Shown with what differs, kept by the next plan, and cancelled by its id."""
    with desk.open() as session:
        (step,) = session.plan_import("a", "12").steps
        assert step.reason == "adopts managed job 12, mine, running; code unknown"
        assert step.warning == "differs in num_nodes"
    assert desk.adopt("a", "12").is_well
    assert desk.launches == 0
    with desk.open() as session:
        assert code_of(session.state, session.state.records["a"]) == ""
        assert [step.action.value for step in session.plan().steps] == ["keep", "create"]
    with desk.open(declared=False) as session:
        session.apply(session.plan_destroy())
    assert [job.status for job in desk.server.jobs.values()] == ["CANCELLED", "RUNNING"]


def test_a_retry_of_it_is_a_launch_of_ours(desk):
    """Under the next number, and not taken for the old job."""
    desk.adopt("a", "12")
    desk.server.jobs[12] = dataclasses.replace(desk.server.jobs[12], status="FAILED")
    with desk.open() as session:
        session.apply(session.plan(options=PlanOptions(retry=True)))
        assert session.state.records["a"].outputs["job_id"] not in (12, 13)
    assert desk.launches == 2, "the retry, and the other job of the stack"


def test_an_import_that_was_interrupted_is_finished(desk):
    """What is adopted stands in the journal before anything is asked for."""
    with desk.open(loses="jobs") as session, pytest.raises(ExpiacError):
        session.plan_import("a", "12")
    with desk.open() as session:
        plan = session.plan_import("a", "12")
    with desk.open(loses="where") as session:
        assert not session.apply(plan).is_well
    desk.adopt("a", "12")
    assert desk.launches == 0


@pytest.mark.parametrize(("address", "job", "summary"), [
    ("a", "99", "No such job"), ("c", "12", "No such resource"),
])
def test_what_can_not_be_adopted_is_refused(desk, address, job, summary):
    with pytest.raises(ExpiacError, match=summary):
        desk.adopt(address, job)


def test_nothing_is_adopted_twice_or_from_another_stack(desk):
    desk.adopt("a", "12")
    for address, job, summary in (("a", "13", "A run is there"), ("b", "12", "Adopted already")):
        with pytest.raises(ExpiacError, match=summary):
            desk.adopt(address, job)
    theirs = MINE + "envs: {EXPIAC_LINEAGE: l, EXPIAC_INSTANCE: s.a.00000000, EXPIAC_LAUNCH: '1'}\n"
    desk.server.jobs[14] = SkyJob(14, "s.a.00000000", "RUNNING", theirs)
    with pytest.raises(ExpiacError, match="Somebody else's job"):
        desk.adopt("b", "14")


def test_previous_jobs_are_adopted_in_order_and_once(desk):
    """The same flag again changes nothing."""
    for _ in range(2):
        with desk.open("previous_job_ids=[12,13]") as session:
            session.apply(session.plan())
    assert desk.launches == 0
    with desk.open("previous_job_ids=[12,13]") as session:
        assert session.plan().is_empty
    with desk.open("previous_job_ids=[12,13,14]") as session, pytest.raises(UsageError, match="Too many"):
        session.plan()

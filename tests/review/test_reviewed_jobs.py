"""Which launches of a plan were reviewed: by the files in the snapshots of their stack, under any overrides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expiac.apply.reviews import mark_reviewed, review_facts
from expiac.declare.project import Project
from expiac.plan.model import Action, Desired, Plan, Step
from expiac.review.digests import job_digest
from expiac.review.snapshots import Snapshots, SnapshotSet
from expiac.state.events import Run
from expiac.util.errors import ExpiacError


def step(address: str, text: str = "run: true\n", action: Action = Action.CREATE) -> Step:
    want = Desired(address, "job", "local", {}, {}, "d", texts={"task.yaml": text})
    return Step(address, "job", action, "new", Run(f"lab.{address}.0a1b2c3d", "f", 0, 1), desired=want)


def plan(*steps: Step) -> Plan:
    return Plan("lab", "0" * 32, 7, steps)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def accept(project):
    return lambda name, text, *words: Snapshots(project).write(SnapshotSet("lab", words), name, text.encode())


def test_a_stack_without_snapshots_says_nothing(project, accept):
    """Also where another stack has some."""
    Snapshots(project).write(SnapshotSet("other"), "a.task.yaml", b"x")
    assert mark_reviewed(plan(step("a")), project) == plan(step("a"))
    rendered, reviewed = review_facts(plan(step("a")), project)
    assert (list(rendered), reviewed) == (["lab.a.0a1b2c3d"], {})


def test_launches_are_known_by_their_files(project, accept):
    """Under any overrides; a file too many or too few, or another byte, is another job."""
    accept("a.task.yaml", "run: true\n", "gpus=4")
    accept("b.task.yaml", "run: true \n")
    accept("c.task.yaml", "run: true\n")
    accept("c.config.yaml", "x: 1\n")
    marked = mark_reviewed(plan(*map(step, "abcd"), step("kept", action=Action.KEEP)), project)
    digest = job_digest("a", {"task.yaml": b"run: true\n"})
    assert marked.reviewed == {"a": digest, "b": "", "c": "", "d": ""}
    assert marked.unreviewed == ("b", "c", "d")
    rendered, reviewed = review_facts(marked, project)
    assert (rendered["lab.a.0a1b2c3d"], reviewed["lab.a.0a1b2c3d"]) == (digest, "lab@gpus=4")
    assert reviewed["lab.d.0a1b2c3d"] == ""


def test_what_adopts_a_job_or_has_no_files_is_not_looked_at(project, accept):
    """Nothing is launched, or nothing rendered is."""
    accept("a.task.yaml", "x")
    adopts = replace(step("b"), adopts={"job": 3})
    bare = replace(step("c"), desired=replace(step("c").desired, texts={}))
    assert mark_reviewed(plan(adopts, bare), project, demanded=True).reviewed == {}


def test_only_what_was_reviewed_is_let_through(project, accept):
    """Where it is asked for, also of a stack that nobody reviews."""
    with pytest.raises(ExpiacError, match="a, b, c, d and 1 more: what would be launched was not accepted") as found:
        mark_reviewed(plan(*map(step, "abcde")), project, demanded=True)
    assert (found.value.summary, found.value.hint) == ("Not reviewed", "expiac review lab")
    for name in "ab":
        accept(f"{name}.task.yaml", "run: true\n")
    assert mark_reviewed(plan(*map(step, "ab")), project, demanded=True).unreviewed == ()
    with pytest.raises(ExpiacError, match=r"^Not reviewed"):
        mark_reviewed(plan(*map(step, "abc")), project, demanded=True)


def test_what_was_left_out_of_a_plan_is_not_counted(project, accept):
    accept("a.task.yaml", "x")
    marked = mark_reviewed(plan(*map(step, "ab")), project)
    assert marked.without([marked["a"]]).unreviewed == ("b",)

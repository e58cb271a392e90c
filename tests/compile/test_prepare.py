"""From a stack to what planning compares: what cannot be meant is refused before anything is launched."""

from __future__ import annotations

import pytest

from expiac.apply.launch import inputs
from expiac.compile.prepare import desired
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.resource import Resource
from expiac.declare.stack import Stack
from expiac.state.events import Run
from expiac.util.errors import ExpiacError

HERE = SkypilotJobConfig(gpus=0, workdir=None)


def prepared(project, *jobs: Resource):
    return {want.address: want for want in desired(Stack("s", jobs), project)}


def test_a_plain_job_has_the_outputs_that_it_names(project):
    """The project's are those of training jobs."""
    assert prepared(project, Job("say", run="echo", skypilot=HERE))["say"].outputs == {}


@pytest.mark.parametrize("place", [
    {"file_mounts": {"/data": "s3://bucket/${ref:base.data}"}},
    {"infra": "aws/${ref:base.data}"},
    {"image": "docker:${ref:base.data}"},
])
def test_a_ref_where_nobody_fills_it_in_is_refused(project, place):
    """Where a job runs and what it mounts is decided before its variables are known."""
    base = Job("base", run="echo", skypilot=HERE, outputs={"data": "data"})
    job = Job("job", run="echo", skypilot=SkypilotJobConfig(gpus=0, workdir=None, **place))
    with pytest.raises(ExpiacError, match=r"Ref out of place\n  job: \$\{ref:base\.data\}"):
        prepared(project, base, job)


def test_two_refs_of_one_variable_are_refused():
    """A job would find the value of one in the place of the other."""
    a, ab = (Job(name, run="echo", outputs={"b_c": "x", "c": "y"}) for name in ("a", "a_b"))
    with pytest.raises(ExpiacError, match=r"Ambiguous outputs\n  job refers to a\.b_c and a_b\.c"):
        Stack("s", [a, ab, Job("job", run=f"cat {a.output('b_c')} {ab.output('c')}")])


def test_a_note_may_tell_of_an_output(project):
    """It travels with its value filled in."""
    base = Job("base", run="echo", skypilot=HERE, outputs={"data": "data"})
    want = prepared(project, base, Job("job", run="echo", skypilot=HERE, notes=f"from {base.output('data')}"))["job"]
    given = inputs(want, Run("s.job.0", "", 0, 1), stack="s", lineage="", outputs=lambda _: {"data": "/x"})
    assert given.env["WANDB_NOTES"] == "from /x"

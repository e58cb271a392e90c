"""An output of another stack among the inputs of a job: where it may stand, and how it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from expiac.apply.launch import inputs
from expiac.compile.prepare import desired
from expiac.compile.run_addresses import Elsewhere
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.project import Project
from expiac.declare.resource import Resource
from expiac.declare.stack import Stack
from expiac.declare.stack_reference import StackRef
from expiac.declare.training import TrainingJob, TrainingRunConfig
from expiac.plan.changes import changes_of_inputs
from expiac.plan.model import Action, Desired
from expiac.plan.planner import plan
from expiac.state.events import Run
from expiac.state.facts import Reference
from expiac.state.model import Record, State
from expiac.state.status import Status
from expiac.util.errors import ExpiacError
from trainer.config import InitialPolicyConfig, TrainerConfig

HERE = SkypilotJobConfig(gpus=0, workdir=None)
START = Stack.reference("pretrain").output("base", "checkpoint")


def found(value: str = "/a/latest.pt", run: str = "pretrain.base.00000000", launch: int = 1
          ) -> Callable[[StackRef], Reference]:
    return lambda ref: Reference(str(ref), ref.stack, ref.resource or "base", "checkpoint", run, launch, value)


def prepared(project: Project, job: Resource, find: Callable[[StackRef], Reference] | None = None) -> Desired:
    def find_run(address: str):
        raise AssertionError(address)

    *_, want = desired(Stack("tune", [job]), project, elsewhere=Elsewhere(find_run, find or found()))
    return want


def launched(want: Desired):
    return inputs(want, Run("tune.job.0", "", 0, 1), stack="tune", lineage="", outputs=lambda _: None)


def recorded(want: Desired) -> Record:
    return Record("job", want.type, want.provider, Run("tune.job.0", "", 0, 1), want.inputs, references=want.references)


def test_a_job_finds_the_value_in_its_environment(project):
    """No shell reads it, so that it may say anything."""
    value = "${ref:base.checkpoint} ${stack:pretrain:best} $(id) @instance@"
    where = replace(HERE, envs={"START": f"{START}/x"})
    want = prepared(project, Job("job", run=f'cat "{START}"', skypilot=where, notes=f"of {START}"), found(value))
    assert yaml.safe_load(want.texts["task.yaml"])["run"] == 'cat "${EXPIAC_REF__pretrain__base__checkpoint}"'
    given = launched(want)
    assert given.env["EXPIAC_REF__pretrain__base__checkpoint"] == value
    assert (given.env["START"], given.env["WANDB_NOTES"]) == (f"{value}/x", f"of {value}")


def test_a_composed_config_reads_it_there(own):
    """A change is shown with the values, whatever the config is called by."""
    trainer = TrainerConfig(initial_policy=InitialPolicyConfig(uri=START))
    job = TrainingJob("job", skypilot=HERE, training=TrainingRunConfig(
        curriculum="env/mettagrid/curriculum/arena/small", trainer=trainer))
    want = prepared(own, job)
    assert 'uri: "${oc.env:EXPIAC_REF__pretrain__base__checkpoint}"' in want.texts["config.yaml"]
    later = prepared(own, job, found("/b/latest.pt", "pretrain.base.00000001"))
    (change,) = changes_of_inputs(recorded(want), later)
    assert (change.path, change.before, change.after) == (
        "trainer.initial_policy.uri", "/a/latest.pt", "/b/latest.pt")


@pytest.mark.parametrize(("format", "said"), [
    ("yaml", "start: /a/latest.pt"), ("json", '"start": "/a/latest.pt"'), ("toml", 'start = "/a/latest.pt"'),
])
def test_a_config_file_holds_the_value(tmp_path, format, said):
    """By then it is known, which an output of the same stack is not."""
    project = Project(root=tmp_path, run="python train.py", training={"format": format})
    want = prepared(project, TrainingJob("job", skypilot=HERE, training=TrainingRunConfig(trainer={"start": START})))
    assert said in want.texts[f"config.{format}"]
    assert want.inputs["config"] == {"start": START}


def test_an_argument_is_read_from_the_environment(tmp_path):
    """As one of the same stack is."""
    project = Project(root=tmp_path, run="python train.py", training={"format": "args"})
    want = prepared(project, TrainingJob("job", skypilot=HERE, training=TrainingRunConfig(trainer={"start": START})))
    command = yaml.safe_load(want.texts["task.yaml"])["run"]
    assert command == 'python train.py --start="${EXPIAC_REF__pretrain__base__checkpoint}"'


def test_where_a_ref_is_refused_so_is_this(project):
    """Where a job runs is decided before its variables are known."""
    with pytest.raises(ExpiacError, match=r"Ref out of place\n  job: \$\{stack:pretrain:base\.checkpoint\}"):
        prepared(project, Job("job", run="true", skypilot=replace(HERE, image=f"docker:{START}")))


def test_two_of_one_variable_are_refused(project):
    """A job would find the value of one in the place of the other."""
    other = Stack.reference("pre-train").output("base", "c"), Stack.reference("pre_train").output("base", "c")
    with pytest.raises(ExpiacError, match=r"Ambiguous outputs\n  job: pre-train\.base\.c and pre_train\.base\.c"):
        prepared(project, Job("job", run=f"cat {other[0]} {other[1]}", skypilot=HERE))


def test_neither_its_name_nor_its_value_counts(project):
    """As with a Ref: `fingerprint` adds the run."""
    digests = {prepared(project, Job("job", run=f"cat {ref}", skypilot=HERE), found(value)).digest
               for ref, value in [(START, "/a"), (START, "/b"), (Stack.reference("pretrain").output("best"), "/a")]}
    assert len(digests) == 1


def test_a_resource_of_a_component_is_named_by_its_path(project):
    """Its name has a slash."""
    ref = Stack.reference("pretrain").output("sweep/base", "checkpoint")
    assert (ref, ref.resource) == ("${stack:pretrain:sweep/base.checkpoint}", "sweep/base")
    want = prepared(project, Job("job", run=f"cat {ref}", skypilot=HERE))
    assert launched(want).env["EXPIAC_REF__pretrain__sweep_base__checkpoint"] == "/a/latest.pt"


@pytest.mark.parametrize("name", ["9lives", "a b", "a/b", "", "a:b"])
def test_a_name_that_no_stack_can_have_is_refused(name):
    """At the line that says it."""
    with pytest.raises(ExpiacError, match="Invalid name"):
        Stack.reference(name)


@pytest.mark.parametrize("words", [("a b", "c"), ("a", "b.c"), ("a.b",), ("a//b", "c"), ("",)])
def test_so_is_one_of_no_output(words):
    with pytest.raises(ExpiacError, match="Invalid name"):
        Stack.reference("pretrain").output(*words)


def test_a_run_that_went_on_to_more_steps_has_another_result(project):
    """Under its own name, and perhaps at the same place."""
    before, after = (prepared(project, Job("job", run=f"cat {START}", skypilot=HERE), found(launch=launch))
                     for launch in (1, 2))
    planned = plan([after], replace(State("tune", "0" * 32), records={"job": replace(
        recorded(before), run=plan([before], State("tune", "0" * 32)).steps[0].run, status=Status.SUCCEEDED)}))
    assert (planned.steps[0].action, planned.steps[0].changes) == (Action.REPLACE, ())
    assert planned.steps[0].reason == (
        "pretrain.base has gone on to another result: pretrain.base.00000000, launch 2")


def test_nothing_changed_where_nothing_has(project):
    """The other direction."""
    want = prepared(project, Job("job", run=f"cat {START}", skypilot=HERE))
    planned = plan([want], replace(State("tune", "0" * 32), records={"job": replace(
        recorded(want), run=plan([want], State("tune", "0" * 32)).steps[0].run, status=Status.SUCCEEDED)}))
    assert planned.is_empty

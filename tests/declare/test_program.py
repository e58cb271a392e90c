"""Stack files: what they may expose, and how a mistake in one is told."""

from __future__ import annotations

import pytest

from expiac import Job, TrainingJob
from expiac.declare.program import load
from expiac.util.errors import ExpiacError, UsageError

FUNCTION = """
from expiac import ExperimentConfig, Job, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    gpus: int = 1

def stack(config: Lab) -> Stack:
    return Stack(config.name, [Job("hello", run=f"echo {config.gpus}")])

if __name__ == "__main__":
    raise SystemExit("this must not run")
"""
EXPERIMENT = """
from __future__ import annotations
from expiac import Experiment, ExperimentConfig, TrainingJobConfig

class Lab(Experiment):
    def training_job_configs(self) -> list[TrainingJobConfig]:
        return [TrainingJobConfig()] * self.config.jobs

class LabConfig(ExperimentConfig):
    name: str = "lab"
    jobs: int = 1
"""
VALUE = """
from expiac import Job, Stack
lab = Stack("lab", [Job("hello", run="echo")])
"""


@pytest.mark.parametrize(("text", "overrides", "names"), [
    (FUNCTION, ["gpus=2"], ["hello"]),
    (FUNCTION.replace("from expiac", "from __future__ import annotations\nfrom expiac", 1), ["gpus=2"], ["hello"]),
    (EXPERIMENT, ["jobs=2"], ["job_0", "job_1"]),
    (EXPERIMENT.replace("(Experiment)", "(Experiment):\n    config: LabConfig\n\nclass Sub(Lab)"), [], ["train"]),
    (VALUE, [], ["hello"]),
    ("from expiac import Stack\ndef stack():\n    return Stack('lab', [])", [], []),
])
def test_what_a_stack_file_may_expose(project, write, text, overrides, names):
    """A function, an experiment with its config class, or a Stack."""
    path = write(text)
    program = load(project, "lab", overrides)
    assert (program.path, program.stack.name) == (path, "lab")
    assert [resource.name for resource in program.stack.resources] == names
    assert program.overrides == dict(word.split("=") for word in overrides)


def test_two_experiments_with_configs_of_their_own_kind(project, write):
    """`config: X` on the experiment pairs the two where the file defines several config classes."""
    write(EXPERIMENT + "    \nclass Other(ExperimentConfig):\n    name: str = 'other'\n"
          "class Chosen(Lab):\n    config: LabConfig\n")
    assert load(project, "lab").config.jobs == 1


def test_how_a_stack_is_named(project, write):
    """A file, its stem, or nothing where there is only one; what it prints does not reach stdout."""
    path = write(VALUE)
    write("", name="_helpers")
    assert load(project, None).path == load(project, "stacks/lab.py").path == load(project, str(path)).path == path
    write(VALUE, name="other")
    with pytest.raises(UsageError, match="lab, other"):
        load(project, None)
    with pytest.raises(UsageError, match="did you mean other"):
        load(project, "othr")


def test_helpers_beside_the_project_are_importable(project, write):
    """The project's root is on the path, and only the stack file itself is executed anew."""
    (project.root / "lab_helpers.py").write_text("NAME = 'lab'")
    write("from expiac import Stack\nfrom lab_helpers import NAME\nlab = Stack(NAME, [])")
    assert load(project, "lab").stack.name == "lab"


def test_printing_keeps_stdout_clean(project, write, capsys):
    """A stack file may print; documents on stdout stay whole."""
    write(VALUE + "print('hello')\n")
    load(project, "lab")
    assert capsys.readouterr() == ("", "hello\n")


MISTAKES = {
    "syntax error": ("def stack(:\n", "Syntax error", "stacks/lab.py:1"),
    "import error": ("\nimport no_such_thing\n", "Stack program failed", "stacks/lab.py:2: ModuleNotFoundError"),
    "exception": ("x = 1\nx = x / 0\n", "Stack program failed", "stacks/lab.py:2: ZeroDivisionError"),
    "exit": ("import sys\nsys.exit(3)\n", "Stack program failed", "stacks/lab.py:2: SystemExit: 3"),
    "inside the function": (FUNCTION.replace("config.gpus", "config.gpu"), "Stack program failed",
                            "stacks/lab.py:9: AttributeError"),
    "nothing declared": ("x = 1\n", "No single declaration", "stacks/lab.py declares nothing"),
    "two declarations": (FUNCTION + VALUE, "No single declaration", "2 declarations"),
    "wrong return": (FUNCTION.replace("return Stack", "return str"), "Stack program failed", "stacks/lab.py:9"),
    "returns nothing": (FUNCTION.replace("return ", ""), "Not a stack", "NoneType"),
    "no config class": (FUNCTION.replace("config: Lab", "config"), "No config class", "stacks/lab.py:8"),
    "two resources of one name": (VALUE.replace("[", "[Job('hello', run='x'), "), "Duplicate name", "stacks/lab.py:3"),
    "a cycle": ("from expiac import Job, Ref, Stack\n"
                "lab = Stack('lab', [Job('a', run=Ref('b', 'x'), outputs={'x': 'x'}),\n"
                "                    Job('b', run=Ref('a', 'x'), outputs={'x': 'x'})])",
                "Dependency cycle", "stacks/lab.py:2"),
    "unknown field": ("from trainer.config import TrainerConfig\nTrainerConfig(bacth_size=4)\n", "Invalid config",
                      "bacth_size: no such key"),
    "out of bounds": ("from trainer.config import OptimizerConfig\n\nOptimizerConfig(learning_rate=-1)\n",
                      "Invalid config", "OptimizerConfig, stacks/lab.py:3"),
    "not a dividing minibatch": ("from trainer.config import TrainerConfig\n"
                                 "TrainerConfig(batch_size=1000, minibatch_size=300)\n", "Invalid config",
                                 "minibatch_size (300) must divide batch_size (1000)"),
    "an invalid name": (VALUE.replace('"hello"', '"he llo"'), "Invalid name", "stacks/lab.py:3"),
}


@pytest.mark.parametrize(("text", "summary", "detail"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_names_file_and_line(project, write, text, summary, detail):
    """Whatever is wrong in a stack file is its author's to mend: told without a traceback of ours."""
    write(text)
    with pytest.raises(ExpiacError) as error:
        load(project, "lab")
    assert error.value.summary == summary
    assert detail in error.value.detail


def test_an_error_of_the_author_keeps_its_code(project, write):
    """docs/errors.md promises it; the error gets the place besides."""
    write("from expiac import ExpiacError\n\nraise ExpiacError('No data', 'bucket is empty', code='no-data')\n")
    with pytest.raises(ExpiacError, match=r"stacks/lab\.py:3") as error:
        load(project, "lab")
    assert error.value.code == "no-data"


def test_a_mistyped_key_names_the_right_one(project, write):
    """The hint is what the author meant."""
    write(MISTAKES["unknown field"][0])
    with pytest.raises(ExpiacError) as error:
        load(project, "lab")
    assert error.value.hint == "did you mean batch_size?"


def test_a_stack_without_a_config_takes_no_overrides(project, write):
    """An override that could have no effect is refused."""
    write(VALUE)
    with pytest.raises(UsageError, match="takes no overrides"):
        load(project, "lab", ["gpus=4"])


@pytest.mark.parametrize("text", [FUNCTION, EXPERIMENT])
def test_what_an_experiment_says_holds_for_its_jobs(project, write, text):
    """In each form of a stack file: a setting that did nothing would launch in the wrong place."""
    write(text)
    stack = load(project, "lab", ["infra=aws", "data_dir=/shared", "git_check=true", "budget=5",
                                  "previous_job_ids=[12]"]).stack
    (job,) = stack.resources
    assert isinstance(job, Job | TrainingJob)
    assert (job.skypilot.infra, job.skypilot.data_dir, job.skypilot.git_check) == ("aws", "/shared", True)
    assert (stack.budget, stack.previous_job_ids) == (5, ("12",))


def test_what_a_job_says_itself_stands(project, write):
    write(FUNCTION.replace("import ExperimentConfig", "import ExperimentConfig, SkypilotJobConfig").replace(
        '{config.gpus}")', '{config.gpus}", skypilot=SkypilotJobConfig(infra="k8s"))'))
    (job,) = load(project, "lab", ["infra=aws", "data_dir=/shared"]).stack.resources
    assert isinstance(job, Job)
    assert (job.skypilot.infra, job.skypilot.data_dir) == ("k8s", "/shared")

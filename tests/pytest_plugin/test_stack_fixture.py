"""`expiac_stack` and `expiac_each_stack`: what a stack declares and would do, without a state."""

from __future__ import annotations

import hashlib

import pytest

from expiac.plan.model import Action, Plan
from expiac.util.errors import UsageError


def test_a_stack_of_this_repository(expiac_stack):
    """Its config, its declaration, its files and its plan."""
    arena = expiac_stack("arena", "gpus=4")
    assert (arena.config.skypilot.gpus, arena.stack.name) == (4, "arena")
    assert list(arena.renderings) == ["train/composed.yaml", "train/config.yaml", "train/task.yaml"]
    assert "@instance@" in arena.renderings["train/task.yaml"]
    assert isinstance(arena.plan, Plan)
    assert [(step.address, step.action) for step in arena.plan.steps] == [("train", Action.CREATE)]


def test_overrides_are_words_or_a_mapping(expiac_stack):
    """With the same meaning."""
    word = expiac_stack("lr_ab_test", "gpus=2", "spot=false")
    mapping = expiac_stack("lr_ab_test", {"gpus": 2, "spot": False})
    assert (word.stack, word.which) == (mapping.stack, mapping.which)
    assert word.stack != expiac_stack("lr_ab_test").stack


def test_a_wrong_override_is_an_error_that_can_be_expected(expiac_stack):
    """As on the command line."""
    with pytest.raises(UsageError, match="Unknown key"):
        expiac_stack("arena", "gpu=4")


def test_the_state_of_the_project_is_neither_read_nor_written(suite, expiac):
    """A plan is one of an empty state, and the project's files stay as they are."""
    suite.write("tests/test_lab.py", """
def test_plan(expiac_stack):
    plan = expiac_stack("lab").plan
    assert {step.action.value for step in plan.steps} == {"create"}, plan
""")
    assert expiac("apply", "lab", "--yes", "--wait")[0] == 0
    before = _digest(suite.root)
    assert suite.run().outcomes == {"passed": 1}
    assert _digest(suite.root) == before
    assert expiac("destroy", "lab", "--yes")[0] == 0


TUNE = """
from expiac import Job, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig

start = Stack.reference("lab").output("say_0", "weights")
where = SkypilotJobConfig(gpus=0, workdir=None, envs={"START": start})
stack = Stack("tune", [Job("tuned", run='cat "$START"', skypilot=where)])
"""
SHOWN = TUNE.partition("stack =")[0] + """
training = TrainingRunConfig(trainer={"start": start})
stack = Stack("tune", [TrainingJob("tuned", skypilot=where, training=training)])
"""


def test_outputs_of_other_stacks_need_no_state(suite, expiac):
    """The files are those that a review has once the other stack has run."""
    suite.replace("stacks/lab.py", '{config.word}"', '{config.word} > weights", outputs={"weights": "weights"}')
    suite.write("stacks/tune.py", TUNE)
    suite.write("tests/test_lab.py", """
def test_it(expiac_stack, expiac_snapshot):
    assert expiac_stack("tune").renderings == expiac_snapshot
""")
    assert suite.run("--snapshot-update").outcomes == {"passed": 1}
    assert expiac("apply", "lab", "--yes", "--wait")[0] == 0
    assert expiac("review", "tune", "--check") == (0, "1 as reviewed\n")
    assert expiac("destroy", "lab", "--yes")[0] == 0


def test_a_value_of_another_stack_in_a_file_is_refused(suite):
    """A config file of a trainer without Hydra would show it."""
    suite.write("pyproject.toml", '[tool.expiac]\nrun = "python train.py"\n[tool.expiac.training]\nformat = "json"\n')
    suite.write("stacks/tune.py", SHOWN)
    suite.write("tests/test_lab.py", "def test_it(expiac_stack):\n    expiac_stack('tune').renderings\n")
    suite.run().has("E * No such stack", "E * tuned: config.json would show the value of $?stack:lab:say_0.weights?")


def test_tests_run_in_any_folder(suite, monkeypatch):
    """The project is that of the test file."""
    monkeypatch.chdir("/")
    done = suite.run("--rootdir", str(suite.root), str(suite.root / "tests"), "--snapshot-update")
    assert done.outcomes == {"passed": 1}
    assert len(suite.files()) == 2


def test_each_stack_is_a_test(suite):
    """One that can't be loaded fails alone."""
    suite.write("stacks/broken.py", "1 / 0\n")
    suite.write("stacks/policies.py", "POLICIES = []\n")
    suite.write("tests/test_lab.py", "def test_it(expiac_each_stack):\n    assert expiac_each_stack.renderings\n")
    done = suite.run("-v")
    assert done.outcomes == {"passed": 2, "errors": 1}
    done.has("*test_it?broken? ERROR*", "*test_it?lab? PASSED*", "*test_it?other? PASSED*",
                               "*Stack program failed*")


def test_a_project_without_stacks_has_none_to_test(suite):
    """The test is skipped."""
    for name in ("lab", "other"):
        (suite.root / "stacks" / f"{name}.py").unlink()
    suite.write("tests/test_lab.py", "def test_it(expiac_each_stack):\n    pass\n")
    assert suite.run().outcomes == {"skipped": 1}


def _digest(folder):
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts}


def test_a_set_of_a_stack_that_an_override_names_is_a_test(suite, expiac):
    """And so is one of a stack file outside the folder of the stacks; one that no file declares any more fails."""
    suite.write("far.py", "from expiac import Job, Stack\n\nfar = Stack('far', [Job('only', run='true')])\n")
    expiac("review", "lab", "name=lab_long", "jobs=1", "--accept")
    expiac("review", "far.py", "--accept")
    suite.write("tests/test_lab.py", "def test_it(expiac_each_stack, expiac_snapshot):\n"
                                     "    assert expiac_each_stack.renderings == expiac_snapshot\n")
    done = suite.run("--snapshot-update", "-v")
    assert done.outcomes == {"passed": 4}, done.output
    done.has("*test_it?far?*", "*test_it?lab_long@name=lab_long,jobs=1?*")
    assert suite.files()["far/.stack_file"] == b"far.py\n"
    suite.write("snapshots/gone@word=x/say_0.task.yaml", "a: 1\n")
    assert suite.run().outcomes == {"passed": 4, "errors": 1}

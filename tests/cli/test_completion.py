"""What a press of Tab offers, as a shell asks for it; it imports nothing slow and runs no code of the project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from expiac.cli import completion
from expiac.plan.model import Action

ROOT = Path(__file__).parents[2]
CONFIG = '''
from dataclasses import dataclass, field
from expiac import Config, SingleJobExperimentConfig, SkypilotJobConfig, Stack
from parts import Optimizer

raise SystemExit("a press of Tab runs no stack file")

class Base(SingleJobExperimentConfig):
    words: str = "hello"

class Lab(Base):
    name: str = "lab"
    optimizer: Optimizer = field(default_factory=Optimizer)
'''


def completed(typed: str, cwd: Path) -> list[str]:
    words = typed.split(" ")
    done = subprocess.run(
        [sys.executable, "-c", "from expiac.cli import main; main()"], cwd=cwd, capture_output=True, text=True,
        check=False, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT), "_EXPIAC_COMPLETE": "complete_bash",
                                      "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)})
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(("typed", "offered"), [
    ("expiac plan arena gpu", ["gpus="]),
    ("expiac plan arena tot", ["total_timesteps="]),
    ("expiac plan arena training.trainer.optimizer.", [
        f"training.trainer.optimizer.{name}=" for name in ("type", "learning_rate", "betas", "eps", "weight_decay")]),
    ("expiac plan lr_ab_test no", ["nodes="]),
    ("expiac plan lr_ab_test spot=f", []),
    ("expiac apply --only create,re", ["create,replace", "create,relaunch", "create,restore"]),
])
def test_the_keys_of_the_example_stacks(typed, offered):
    """Those of the config and of its parts, wherever their classes are."""
    assert completed(typed, ROOT) == offered


def test_keys_are_read_without_running_the_stack_file(project: Path):
    """The class is followed to its bases, and to modules of the project; with one stack its name may be left out."""
    (project / "stacks" / "lab.py").write_text(CONFIG)
    (project / "parts.py").write_text("from expiac import Config\nclass Optimizer(Config):\n    betas: tuple = ()\n")
    assert completed("expiac plan lab wor", project) == ["workdir=", "words="]
    assert completed("expiac plan lab optimizer.", project) == ["optimizer.betas="]
    assert completed("expiac plan bet", project) == ["betas="]
    assert completed("expiac plan lab +env", project) == ["+envs="]
    assert completed("expiac plan lab ~env", project) == ["~envs."]


def test_jobs_and_runs_are_those_of_the_states(project: Path, expiac):
    """Of the stack that the command line names."""
    expiac("apply", "lab", "jobs=2", "--yes")
    (project / ".expiac" / "other.jsonl").write_text('{"address":"elsewhere"}\n')
    for typed in ("expiac logs lab say", "expiac plan lab --target say", "expiac state show lab say"):
        assert completed(typed, project) == ["say_0", "say_1"]
    assert "elsewhere" in completed("expiac plan --exclude ", project)
    first, _ = completed("expiac diff lab.", project)
    assert first.startswith("lab.say_0.")


def test_a_component_stands_for_what_is_in_it(project: Path):
    """Until its name is there: a sweep of a thousand trials is one word."""
    (project / ".expiac").mkdir()
    addresses = ("base", "lr/a", "lr/b", "lr/deep/c")
    (project / ".expiac" / "lab.jsonl").write_text("".join(f'{{"address":"{name}"}}\n' for name in addresses))
    assert completed("expiac plan lab --target ", project) == ["base", "lr"]
    assert completed("expiac plan lab --target lr", project) == ["lr", "lr/a", "lr/b", "lr/deep"]
    assert completed("expiac plan lab --target lr/d", project) == ["lr/deep"]
    assert completed("expiac logs lab lr/deep/", project) == ["lr/deep/c"]


@pytest.mark.parametrize("broken", ["stacks/lab.py", "pyproject.toml", ".expiac/lab.jsonl"])
def test_what_cannot_be_read_offers_nothing(project: Path, broken: str):
    """And says nothing: the command will."""
    (project / ".expiac").mkdir()
    (project / broken).write_bytes(b"\xff(")
    typed_before = ["expiac logs lab ", "expiac diff "]
    for typed in [*typed_before, *(["expiac plan lab g", "expiac plan g"] if "jsonl" not in broken else [])]:
        assert completed(typed, project) == []


def test_the_actions_are_those_of_a_plan():
    """`keep` is none that could be chosen."""
    assert tuple(action.value for action in Action if action is not Action.KEEP) == completion.ACTIONS


def test_completing_imports_nothing_slow(tmp_path: Path):
    """The keys of a config are read with the standard library."""
    code = ("import sys; from expiac.cli import completion\nclass C: params = {'stack': 'arena'}\n"
            "assert completion.overrides(C, 'gpu') == ['gpus=']; completion.jobs(C, ''); completion.runs('')\n"
            "print(*sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60)
    slow = {"pydantic", "hydra", "yaml", "torch", "rich", "typer", "expiac.session", "trainer"}
    assert not {*done.stdout.split()} & slow

"""A user's type checker sees what expiac's declarations are: a misspelt field is an error, and nothing is `Any`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
STACK = """
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig


class Sweep(ExperimentConfig):
    name: str = "sweep"
    rates: tuple[float, ...] = (0.1, 0.3)


def stack(config: Sweep) -> Stack:
    where = SkypilotJobConfig(gpus=2, spot=True)
    base = Job("base", run="python prepare.py", outputs={"data": "data.npy"})
    jobs = [
        TrainingJob(f"rate_{index}", skypilot=where, depends_on=("base",), training=TrainingRunConfig(
            trainer={"lr": rate, "data": base.output("data")}, wandb_tags=["sweep"]))
        for index, rate in enumerate(config.rates)]
    return Stack(config.name, [base, *jobs])
"""
REVEALED = """
reveal_type(Sweep(name="a").rates)
reveal_type(stack(Sweep()).resources)
reveal_type(Job("a", run="true").skypilot.spot)
reveal_type(Job("a", run="true", outputs={"x": "y"}).output("x"))
reveal_type(TrainingJob("a").training.seed)
"""
MISTAKES = {
    "gpus=2": "gpu=2", "spot=True": "spot='yes'", 'run="python prepare.py"': "command='python prepare.py'",
    'wandb_tags=["sweep"]': 'wandb_tags="sweep"', "config.rates": "config.rate", "Stack(config.name,": "Stack(3,"}


def checked(folder: Path, text: str, *checker: str) -> subprocess.CompletedProcess[str]:
    """The verdict of a type checker on a stack file in a folder of its own, with its strictest settings."""
    (folder / "sweep.py").write_text(text)
    (folder / "pyproject.toml").write_text(
        f"[tool.pyright]\ntypeCheckingMode = 'strict'\n[tool.mypy]\nstrict = true\nmypy_path = '{ROOT}'\n")
    return subprocess.run([sys.executable, "-m", *checker, "sweep.py"], cwd=folder, capture_output=True, text=True,
                          timeout=240, check=False)


CHECKERS = [("mypy", "--cache-dir=.cache"), ("pyright", "--pythonpath", sys.executable)]


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker[0])
def test_a_stack_is_checked(tmp_path: Path, checker: tuple[str, ...]):
    """Right as it is, with a type for each expression; and wrong with each of the mistakes."""
    right = checked(tmp_path, STACK, *checker)
    assert right.returncode == 0, right.stdout

    types = checked(tmp_path, STACK + REVEALED, *checker).stdout
    shown = re.findall(r"(?:Revealed type is|Type of .* is) \"(.*)\"", types)
    assert len(shown) == 5, types
    assert [kind for kind in shown if "Any" in kind or "Unknown" in kind] == []

    wrong = STACK
    for before, after in MISTAKES.items():
        assert wrong.count(before) == 1
        wrong = wrong.replace(before, after)
    lines = {int(line) for line in re.findall(r"sweep\.py:(\d+)(?::\d+)*(?::| -) error", checked(
        tmp_path, wrong, *checker).stdout)}
    places = {number for number, line in enumerate(wrong.splitlines(), 1)
              if any(after in line for after in MISTAKES.values())}
    assert lines >= places

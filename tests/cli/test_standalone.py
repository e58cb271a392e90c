"""A stack file run by itself."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import field
from pathlib import Path
from typing import Any

import pytest

from expiac import SingleJobExperimentConfig
from expiac.cli.flags import Flags, parse_flags
from expiac.declare.experiment import ExperimentConfig
from expiac.util.errors import UsageError

ROOT = Path(__file__).parents[2]


class Lab(ExperimentConfig):
    name: str = "lab"
    gpus: int = 1
    nodes: int = 1
    spot: bool = True
    git_check: bool = True


@pytest.mark.parametrize(("words", "overrides"), [
    ("--gpus=4 --nodes 2", ["gpus=4", "nodes=2"]),
    ("--spot=false", ["spot=false"]),
    ("--spot=true", ["spot=true"]),
    ("--spot false", ["spot=false"]),
    ("--no-spot", ["spot=false"]),
    ("--spot", ["spot=true"]),
    ("--spot --gpus 2", ["spot=true", "gpus=2"]),
    ("--no-git-check", ["git_check=false"]),
    ("--git-check", ["git_check=true"]),
    ("--previous-job-ids 3 5 --gpus=2", ['previous_job_ids=["3", "5"]', "gpus=2"]),
    ("--previous-job-ids=3,5", ['previous_job_ids=["3", "5"]']),
    ("--previous-job-ids=[3,5]", ["previous_job_ids=[3,5]"]),
    ("--trainer.optimizer.learning_rate=1e-3", None),
    ("--gpus=1 --gpus=2", ["gpus=2"]),
    ("+infra=x ~a.b", ["+infra=x", "~a.b"]),
])
def test_flags_are_overrides(words, overrides):
    """Every way to write a flag that people try, booleans above all."""
    if overrides is None:
        with pytest.raises(UsageError, match="Unknown flag"):
            parse_flags(words.split(), Lab)
    else:
        assert parse_flags(words.split(), Lab) == Flags(tuple(overrides))


def test_the_plan_is_shown_as_expiac_plan_shows_it():
    """In full, or as markdown; a field of that name is a setting as ever."""
    class Loud(ExperimentConfig):
        name: str = "loud"
        verbose: bool = False

    flags = parse_flags(["--verbose", "--markdown", "--gpus=4"], Lab)
    assert (flags.verbose, flags.markdown, flags.overrides) == (True, True, ("gpus=4",))
    assert parse_flags(["--verbose"], Loud) == Flags(("verbose=true",))


@pytest.mark.parametrize(("words", "launch"), [
    ("", None), ("--launch", True), ("--no-launch", False), ("--launch=true", True), ("--launch=false", False)])
def test_consent_is_given_or_not(words, launch):
    """Bare, it asks; the other two are said."""
    assert parse_flags(words.split(), Lab).launch is launch


@pytest.mark.parametrize(("words", "hint"), [
    ("gpus=4", "--gpus=4"),
    ("stray", "--help"),
    ("--spt=false", "did you mean --spot?"),
    ("--no-gpus", "known"),
    ("--gpus", "--gpus=…"),
    ("--gpus 4 5", "--help"),
    ("-y", "--help"),
    ("--seed=1", "jobs have it as training.seed"),
])
def test_any_other_word_is_refused(words, hint):
    """Nothing is ignored; the hint says how it is written."""
    with pytest.raises(UsageError) as error:
        parse_flags(words.split(), Lab)
    assert hint in error.value.hint or hint == "known"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "stacks/lr_ab_test.py", *words], cwd=ROOT, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env={"PYTHONPATH": str(ROOT), "PATH": ""}, check=False)


def test_a_stray_word_ends_the_process_with_64():
    """The real file, as a real process."""
    done = run("--gpus=4", "stray")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("Stray word\n  'stray' belongs to no flag")


def test_without_a_terminal_it_cannot_ask():
    """Nothing is launched that nobody agreed to."""
    done = run("--gpus=4")
    assert (done.returncode, done.stdout) == (64, "")
    assert "--launch to apply, --no-launch to plan only" in done.stderr


def test_help_lists_every_field():
    """Each with its type and its default."""
    lines = [" ".join(line.split()) for line in run("--help").stdout.splitlines()]
    assert {"--gpus=INT 1", "--spot / --no-spot true", '--name=STR "lr_ab_test"', "--user=STR"} <= set(lines)


def test_a_flag_of_a_part_needs_no_path():
    """Where only one part has a field of the name, with the ways to write its type."""
    assert parse_flags(["--nodes=2", "--spot", "--no-managed", "--seed", "3"], SingleJobExperimentConfig) == Flags(
        ("nodes=2", "spot=true", "managed=false", "seed=3"))


class Mapped(SingleJobExperimentConfig):
    name: str = "mapped"
    model: Any = field(default_factory=lambda: {"depth": 3, "layers": [8, 8]})


@pytest.mark.parametrize(("words", "overrides"), [
    ("--skypilot.envs.MY-VAR=1", ["skypilot.envs.MY-VAR=1"]), ("--envs.A 1 --gpus 2", ["envs.A=1", "gpus=2"]),
    ("--depth 4", ["depth=4"]), ("--model.layers=4,4", ["model.layers=4,4"]), ("--max-restarts=1", ["max_restarts=1"]),
    ("--skypilot.max-restarts=1", ["skypilot.max_restarts=1"]),
    ("--training.wandb-tags a b", ['training.wandb_tags=["a", "b"]']),
    ("--skypilot.spot --gpus=1", ["skypilot.spot=true", "gpus=1"]),
])
def test_flags_reach_into_mappings_and_parts(words, overrides):
    """A dash is an underscore in a field's name, and a dash in a key of a mapping."""
    assert parse_flags(words.split(), Mapped) == Flags(tuple(overrides))

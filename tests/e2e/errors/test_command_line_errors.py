"""A mistake on the command line is named as it was typed."""

from __future__ import annotations

import shutil

import pytest
from refusals import OTHER, refused
from terminal import CTRL_C, Terminal
from throwaway import ROOT, Folder

LINES = {
    "an unknown key": (
        ("training.trainer.optimizer.learnin_rate=1",), 64,
        "training.trainer.optimizer.learnin_rate", "did you mean training.trainer.optimizer.learning_rate?"),
    "an unknown group": (
        ("training.traner.seed=1",), 64, "training.traner", "did you mean training.trainer?"),
    "a wrong type": (
        ("training.seed=abc",), 64, "training.seed=abc", "valid integer"),
    "out of bounds": (
        ("training.trainer.optimizer.learning_rate=-1",), 64,
        "training.trainer.optimizer.learning_rate=-1: Input should be greater than 0"),
    "no nodes": (
        ("skypilot.nodes=0",), 64, "skypilot.nodes=0"),
    "minibatches that do not fill a batch": (
        ("training.trainer.batch_size=1000", "training.trainer.minibatch_size=300"), 64,
        "training.trainer\n", "minibatch_size (300) must divide batch_size (1000)"),
    "an unknown curriculum": (
        ("training.curriculum=env/mettagrid/curriculum/arena/smal",), 1, "arena/smal.yaml", "did you mean small?"),
    "a stray word": (
        ("gpus",), 64, "'gpus' is not of the form key=value", "gpus=…"),
    "an unknown flag": (
        ("--bogus",), 64, "--bogus", "settings are key=value", "bogus=true"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_mistake_on_the_command_line(project: Folder, name: str):
    """Named as it was typed, with the nearest word that would do."""
    shutil.copy(ROOT / "stacks" / "arena.py", project.root / "stacks")
    arguments, code, *words = LINES[name]
    refused(project, *words, by=("apply", "arena", "--yes", *arguments), code=code)


def test_an_unknown_stack(project: Folder):
    """The nearest is named."""
    refused(project, "smal is neither a file nor one of stacks", "did you mean small?", by=("plan", "smal"), code=64)


def test_an_unknown_command(project: Folder):
    """The usage error names it."""
    refused(project, "aply", by=("aply",), code=64)


def test_no_terminal_and_no_consent(project: Folder):
    """What could not be asked is not done."""
    project.stack(OTHER)
    refused(project, "Consent needed", "--yes", by=("apply", "small"), code=64)
    refused(project, "Consent needed", "--yes", by=("destroy",), code=64)
    refused(project, "Consent needed", "--yes", by=("apply", "small", "--json"), code=64)


@pytest.mark.parametrize("keys", ["n\n", "\n", CTRL_C])
def test_declined(project: Folder, keys: str):
    """No, nothing, and ^C at the prompt all mean no: exit 8."""
    project.stack(OTHER)
    before = project.state
    with Terminal(project.root, project.env, "apply", "small") as terminal:
        terminal.sees("Apply this plan? [y/N/details]")
        terminal.listens()
        terminal.types(keys)
        assert terminal.ends(again=keys if keys == CTRL_C else "") == 8, terminal.text
    assert "Traceback" not in terminal.text
    assert project.state == before

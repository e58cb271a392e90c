"""The screen shows commands that work in the shell in which it is read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from expiac.cli.commands import app
from expiac.cli.invocation import COMMANDS, command_name, with_command_name

ROOT = Path(__file__).parents[2]
INSTALLED = Path(sys.executable).parent / "expiac"


def test_a_shell_that_finds_it_is_shown_its_name(monkeypatch):
    monkeypatch.setenv("PATH", f"{INSTALLED.parent}{os.pathsep}{os.environ['PATH']}")
    assert command_name() == "expiac"


@pytest.mark.parametrize("folder", [INSTALLED.parents[2], Path("/")])
def test_another_shell_is_shown_its_path(monkeypatch, folder):
    """Which can be typed there as it stands."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(folder)
    done = subprocess.run(["sh", "-c", f"{command_name()} --version"], capture_output=True, text=True, check=True,
                          timeout=60)
    assert done.stdout.startswith("expiac ")


def test_every_command_is_known():
    """So that no hint is left out."""
    assert set(COMMANDS) == set(get_command(app).commands)


@pytest.mark.parametrize(("hint", "shown"), [
    ("expiac plan lab", "EXPIAC plan lab"),
    ("if it is gone: expiac state unlock lab", "if it is gone: EXPIAC state unlock lab"),
    ("expiac new NAME, or expiac new . for this one", "EXPIAC new NAME, or EXPIAC new . for this one"),
    ("expiac apply --help", "EXPIAC apply --help"),
    ("expiac --help", "EXPIAC --help"),
    ("expiac checks the config", "expiac checks the config"),
    ("/opt/bin/expiac plan lab", "/opt/bin/expiac plan lab"),
    ("pip install expiac", "pip install expiac"),
])
def test_hints_name_what_can_be_typed(monkeypatch, hint, shown):
    """A call of expiac, wherever it stands; the word alone stays."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir("/")
    assert with_command_name(hint) == shown.replace("EXPIAC", command_name())


@pytest.mark.parametrize("command", [["status", "lap"], ["logs", "lab"], ["pln"]])
def test_what_a_hint_says_can_be_typed(expiac, monkeypatch, command):
    """Where the shell does not find expiac: in the shell in which the hint is read."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (hint,) = [line.removeprefix("  Hint: ") for line in expiac(*command).err.splitlines() if "Hint: " in line]
    word, _, _ = hint.partition(" ")
    assert subprocess.run(["sh", "-c", f"{word} --version"], timeout=60, check=False).returncode == 0

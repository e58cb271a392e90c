"""The screen shows commands that work in the shell in which it is read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from expiac.cli.invocation import command_name

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

"""What the stacks render to: the config and the task of each job, for review.

A change of a snapshot is a change of what runs. `make snapshots` renders them anew.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

ROOT = Path(__file__).parents[1]
STACKS = sorted(path.stem for path in (ROOT / "stacks").glob("[!_.]*.py") if path.name != "policies.py")


class Yaml(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "yaml"


@pytest.mark.parametrize("stack", STACKS)
def test_rendered(stack, snapshot):
    """The files of all jobs of a stack, one after the other."""
    command = [sys.executable, "-m", "expiac", "render", stack]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == snapshot(extension_class=Yaml)


@pytest.mark.parametrize("stack", STACKS)
def test_planned(stack):
    """Each config can be composed and is of the schema."""
    command = [sys.executable, "-m", "expiac", "plan", stack, "--no-refresh"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr

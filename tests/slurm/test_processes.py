"""What belongs to a cluster is found and ended, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from tests.slurm import processes

SLEEP = "import time; time.sleep(600)"
FAR = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}], **OPTIONS); {SLEEP}"


@pytest.fixture
def folder(tmp_path):
    """A cluster's folder, of which everything ends with the test."""
    for part in ("log", "run"):
        (tmp_path / part).mkdir()
    yield tmp_path
    processes.end(tmp_path)


def starts(folder, options: str, count: int) -> list[psutil.Process]:
    """Starts a process that starts another, and returns both once they run."""
    processes.start(folder, "server", [sys.executable, "-c", FAR.replace("OPTIONS", options)], dict(os.environ))
    processes.until("both run", lambda: len(processes.belonging(folder)) == count, folder, 30)
    return processes.belonging(folder)


@pytest.mark.parametrize("options", ["{}", "{'start_new_session': True}", "{'env': {}}"])
def test_the_whole_family_ends(folder, options):
    """A child in a session of its own has the mark; one without the mark has the session."""
    parent, child = starts(folder, options, count=2)
    parent.kill()
    parent.wait()
    assert processes.belonging(folder) == [child], "it outlived its parent, and is known"
    processes.end(folder)
    assert not processes.runs(child)


def test_strangers_are_left_alone(folder):
    """Not even a process that knows the folder belongs to it."""
    with subprocess.Popen([sys.executable, "-c", SLEEP, str(folder)]) as stranger:
        processes.end(folder)
        assert stranger.poll() is None
        stranger.kill()


def test_a_process_that_ends_early_says_why(folder):
    """Nobody waits for what can't come."""
    processes.start(folder, "server", [sys.executable, "-c", "raise SystemExit('no munge here')"], dict(os.environ))
    with pytest.raises(processes.Failed, match=r"(?s)it answers: server ended.*no munge here"):
        processes.until("it answers", lambda: False, folder, 30)

"""^C: the first begins nothing new and exits with 8, the second ends at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["apply lab seconds=600 --yes --wait", "status lab --watch"])
def waiting(project, expiac, request):
    """A command that goes on for as long as a run, which is longer than the test."""
    expiac("apply", "lab", "seconds=600", "--yes")
    process = subprocess.Popen([sys.executable, "-m", "expiac", *request.param.split()], cwd=project, text=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout is not None
    # Not the plan's line, which stands there before anybody listens to ^C.
    while not (line := process.stdout.readline()).startswith("say_0   running"):
        assert line, process.stderr.read() if process.stderr else ""
    yield process
    process.kill()
    process.communicate()


def test_the_first_leaves_the_runs_running(waiting, expiac):
    """Waiting ends, the run does not."""
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, "Traceback" in err) == (8, False), err
    assert "running" in expiac("status").out


def test_the_second_ends_at_once():
    """However long the work under way would take, the process is gone; no traceback."""
    code = ("import time\nfrom expiac.cli.exits import handle_sigint\n"
            "with handle_sigint(lambda: print('stopping', flush=True)):\n    print('working', flush=True)\n"
            "    while True: time.sleep(1)")
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for said in ("working\n", "stopping\n"):
        assert process.stdout is not None
        assert process.stdout.readline() == said
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (8, "")


def test_declining_changes_nothing(project):
    """At a terminal `n` is an answer: exit 8, and no state."""
    import pty

    here, there = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "expiac", "apply", "lab"], cwd=project, stdin=there, text=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    os.close(there)
    os.write(here, b"n\n")
    _, err = process.communicate(timeout=60)
    os.close(here)
    assert (process.returncode, err) == (8, "Declined\n  nothing was changed\n")
    assert not (project / ".expiac" / "lab.jsonl").exists()

"""What reads starts no queued job, and what acts starts it: the real command line on a queue that nobody moves on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest
from throwaway import Folder, until

from expiac.providers.local.processes import with_descendants

Tree = dict[str, tuple[int, bytes]]


@pytest.fixture
def stalled(project: Folder) -> Folder:
    """A machine with room, a job `next` in its queue, and nobody to start it.

    Each job needs the whole machine. The supervisor of the first was killed with the job itself.
    """
    project.stack("HERE = SkypilotJobConfig(gpus=0, workdir=None, cpus=4)\n"
                  "small = Stack('small', [Job('first', run='sleep 300', skypilot=HERE),\n"
                  "                        Job('next', run='echo started', skypilot=HERE)])\n")
    project.output("apply", "--yes", "--target", "first")
    until(lambda: _launch(project, "first", "running.json"), "the first job runs")
    project.output("apply", "--yes", "--target", "next")
    (supervisor,) = _supervisors(project)
    for process in [supervisor, *with_descendants([supervisor])]:
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not _supervisors(project), "nobody is left")
    return project


@pytest.mark.parametrize("command", [
    ("plan",), ("plan", "--json"), ("plan", "--out", "saved.plan"), ("status",), ("status", "--json"),
    ("status", "--watch", "--timeout", "1"), ("logs", "small", "next"),
], ids=" ".join)
def test_reading_starts_nothing_and_writes_nothing(stalled: Folder, command: tuple[str, ...]) -> None:
    """The folders of the runs and of the machine's queue stay as they are, and no process starts."""
    before = _files(stalled)
    stalled.expiac(*command)
    assert _supervisors(stalled) == []
    assert _files(stalled) == before


@pytest.mark.parametrize("command", [
    ("apply", "--yes", "--target", "next"),
    ("apply", "--yes", "--no-refresh", "--target", "next"),
    ("apply", "--yes", "--wait", "--target", "next"),
    ("refresh",),
], ids=" ".join)
def test_acting_starts_what_waits(stalled: Folder, command: tuple[str, ...]) -> None:
    """The job is begun once, though the plan has nothing to do."""
    stalled.expiac(*command)
    until(lambda: _launch(stalled, "next", "end.json"), "the next job runs to its end")
    assert stalled.output("logs", "small", "next") == "started\n"


def test_a_saved_plan_starts_what_waits(stalled: Folder) -> None:
    """It was read from a file, and acts all the same."""
    stalled.output("plan", "--target", "next", "--out", "saved.plan")
    stalled.output("apply", "saved.plan", "--yes")
    until(lambda: _launch(stalled, "next", "end.json"), "the next job runs to its end")


def _launch(project: Folder, job: str, fact: str) -> bool:
    """Whether this is known of the job's launch."""
    return any((launch / fact).exists() for launch in project.launches() if f".{job}." in str(launch))


def _files(project: Folder) -> Tree:
    """Every file and folder of the runs and of the machine, with its time and contents."""
    roots = (project.root / ".expiac" / "local", project.machine)
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for root in roots for path in [root, *sorted(root.rglob("*"))]}


def _supervisors(project: Folder) -> list[psutil.Process]:
    """Those of this project that are alive."""
    return [process for process in psutil.process_iter() if _supervises(process, project.root)]


def _supervises(process: psutil.Process, root: Path) -> bool:
    try:
        command = process.cmdline()
        is_alive = process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
    is_supervisor = "expiac.providers.local.supervisor" in command
    return is_alive and is_supervisor and any(str(root) in part for part in command)

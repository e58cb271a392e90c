"""A supervisor whose job has ended starts the next one as a fork of itself: a process like any other supervisor."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from expiac.providers.base import Id
from expiac.providers.local import LocalProvider, Machine
from expiac.providers.local.folder import Launch, RunFolder
from expiac.providers.local.forks import GENERATIONS, Forks
from expiac.providers.local.job import LocalJob
from expiac.providers.local.queue_file import Entries, QueueEntry, entry_of
from expiac.state.status import Status

GATED = 'while [ ! -e "$GATE" ]; do sleep 0.02; done'
PROGRAM = "tr '\\0' ' ' < /proc/$PPID/cmdline; echo"
"""Prints the command line of the supervisor: a fork has that of the program whose fork it is."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no forks elsewhere")


def fork_id(number: int) -> Id:
    return Id("lineage", f"forks.job_{number}.00000000", 1)


def queue(local, *scripts: str) -> LocalProvider:
    """A machine for one job at a time, on which the first waits for a gate and the scripts for the first."""
    local.machine = Machine(local.machine.folder, cpus=1, gpus=0)
    provider = local.provider()
    for number, script in enumerate((GATED, *scripts)):
        job = local.job(script, env={"GATE": str(local.root / "gate")})
        provider.create(fork_id(number), job, lambda _: None)
    return provider


def open_gate(local) -> None:
    (local.root / "gate").touch()


def launch_of(local, number: int) -> Launch:
    return RunFolder(local.folder(fork_id(number))).launch(1)


def test_the_next_job_is_supervised_by_a_fork(local) -> None:
    """No new program; another process, in a session and a folder of its own, named in the launch's own files."""
    queue(local, f'{PROGRAM}; echo $PPID; ps -o sid= -p $PPID; readlink /proc/$PPID/cwd')
    open_gate(local)
    program, pid, session, folder = local.said(fork_id(1))
    first, started = launch_of(local, 0).fact("started"), launch_of(local, 1).fact("started")
    assert first is not None
    assert started is not None
    assert str(local.folder(fork_id(0))) in program
    assert int(pid) == int(session) == started["pid"] != first["pid"]
    assert Path(folder) == launch_of(local, 1).path


def test_a_fork_has_nothing_open_that_was_its_parents(local) -> None:
    """Neither the lock of the queue nor that of its parent's launch: those are free when their holders have ended."""
    queue(local, "readlink /proc/$PPID/fd/* | sort -u")
    open_gate(local)
    own = launch_of(local, 1)
    files = {Path(line) for line in local.said(fork_id(1)) if line.startswith("/") and line != "/dev/null"}
    assert {file.parent for file in files} == {own.path}
    assert own.path / "lock" in files


def test_a_job_of_a_fork_can_be_stopped_and_the_next_one_starts(local) -> None:
    """Only that job ends: its supervisor is known by its own pid."""
    provider = queue(local, "exec sleep 300", "echo after")
    open_gate(local)
    local.until(fork_id(1), Status.RUNNING)
    assert provider.delete(fork_id(1)).status is Status.CANCELLED
    assert local.said(fork_id(2)) == ["after"]
    assert local.until(fork_id(2), Status.SUCCEEDED)
    assert local.read(fork_id(0)).status is Status.SUCCEEDED


def test_a_killed_fork_leaves_its_job_to_be_seen(local) -> None:
    """As any supervisor's death does; and a job that goes on alone is ended by destroy."""
    provider = queue(local, "exec sleep 300")
    open_gate(local)
    local.until(fork_id(1), Status.RUNNING)
    supervisor = local.supervisor(fork_id(1))
    supervisor.kill()
    assert local.until(fork_id(1), Status.RUNNING).detail in ("", "its supervisor died; it goes on alone")
    assert provider.delete(fork_id(1)).status is Status.CANCELLED
    assert not local.alive(fork_id(1))


def test_after_many_forks_there_is_a_new_program(local) -> None:
    """Neither the stack nor the memory of a supervisor grows with the queue."""
    queue(local, *[PROGRAM] * (GENERATIONS + 2))
    open_gate(local)
    programs = [local.said(fork_id(number))[0] for number in range(1, GENERATIONS + 3)]
    first, new = str(local.folder(fork_id(0))), str(local.folder(fork_id(GENERATIONS + 1)))
    assert [first in program for program in programs] == [True] * GENERATIONS + [False, False]
    assert all(new in program for program in programs[-2:])


@pytest.mark.parametrize("why", ["the code was changed", "another interpreter", "another expiac", "secrets are given"])
def test_where_a_fork_would_do_something_else_a_program_is_started(local, why: str) -> None:
    """It runs the code that the job's own interpreter loads, with what this process was given."""
    launch, job = waiting(local)
    code = {__file__: 1} if why == "the code was changed" else {__file__: os.stat(__file__).st_mtime_ns}
    own = replace(job, python="/usr/bin/other") if why == "another interpreter" else job
    own = replace(own, package="/elsewhere") if why == "another expiac" else own
    secrets = {"TOKEN": "hush"} if why == "secrets are given" else {}
    Forks(never, code=code).starter(own)(launch, [], secrets)
    assert str(launch.path) in local.said(fork_id(0))[0]


def waiting(local) -> tuple[Launch, LocalJob]:
    """A launch that waits, and that says which program its supervisor is."""
    (local.root / "project").mkdir()
    local.stall(fork_id(0), local.job(PROGRAM))
    launch = launch_of(local, 0)
    job = launch.job()
    assert job is not None
    return launch, job


def never(*_: object) -> None:
    raise AssertionError("a fork")


def test_a_queue_of_an_earlier_release_goes_on() -> None:
    """It stood on one line, in the order in which its jobs came."""
    waits, runs = QueueEntry("/a", 1, 0, ["TOKEN"]), QueueEntry("/b", 2, 1, (), True, [0], 1)
    earlier = "[" + ", ".join([waits.line, runs.line, waits._replace(launch="/c").line]) + "]"
    entries = Entries.parse(earlier)
    assert [entry.launch for entry in entries.running] == ["/b"]
    assert entries.waiting == [waits.line, waits._replace(launch="/c").line]
    assert Entries.parse(entries.text) == entries


@pytest.mark.parametrize("text", ["", "{", "[\n", "[\n{]", '[{"launch": 1, "other": 2}]', "null", "[]"])
def test_a_damaged_queue_is_an_empty_one(text: str) -> None:
    assert Entries.parse(text).running == []
    assert Entries.parse(text).waiting == []


def test_a_launch_is_in_the_queue_once() -> None:
    """Whether it runs or waits; a name that begins like another is another."""
    entries = Entries([QueueEntry("/a/1", 1, 0, (), True)], [])
    entries.enter(QueueEntry(launch, 1, 0) for launch in ("/a/1", "/a/11", '/a/"1', "/a/11"))
    assert launches(entries.waiting) == ["/a/11", '/a/"1']
    entries.remove(["/a/1"])
    assert (entries.running, len(entries.waiting)) == ([], 2)
    entries.remove(["/a/11"])
    assert launches(entries.waiting) == ['/a/"1']


def launches(lines: list[str]) -> list[str]:
    return [entry.launch for entry in map(entry_of, lines) if entry is not None]

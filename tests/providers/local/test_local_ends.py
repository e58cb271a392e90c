"""Delete leaves nothing of a job alive, however it hides, and touches nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from expiac.providers.base import Id, Presence
from expiac.providers.local.disk import read
from expiac.providers.local.processes import find_process, start_key
from expiac.state.status import Status

JOB = Id("lineage", "ends.job.00000001", 1)
Until = Callable[[Callable[[], bool]], None]

HIDERS = {
    "child": "sleep 301 & sleep 301",
    "grandchild": "bash -c 'bash -c \"sleep 301; true\"; true'",
    "orphan": "(sleep 301 &) ; sleep 301",
    "daemon in its own session": "setsid sleep 301 & sleep 301",
    "daemon after a double fork": "(setsid bash -c 'sleep 301 & sleep 301' &) ; sleep 301",
    "deaf to TERM": "bash -c 'trap \"\" TERM; while true; do sleep 0.2; done' & sleep 301",
    "deaf daemon": "(setsid bash -c 'trap \"\" TERM INT HUP; while true; do sleep 0.2; done' &) ; sleep 301",
    "stopped": "sleep 301 & kill -STOP $!; sleep 301",
    "scrubbed daemon": "(setsid env -i sleep 301 &) ; sleep 301",
}


@pytest.mark.parametrize("run", HIDERS.values(), ids=HIDERS)
def test_nothing_survives_a_delete(local, until: Until, run: str) -> None:
    """Every descendant ends: of other groups and sessions, orphaned, deaf or stopped."""
    local.provider(grace=0.5).create(JOB, local.job(run), lambda _: None)
    until(lambda: local.read(JOB).status is Status.RUNNING and len(family(local)) >= 2)
    before = family(local)
    assert local.provider().delete(JOB).status is Status.CANCELLED
    assert not [process for process in before if is_alive(process)]
    assert not local.alive(JOB)


@pytest.mark.parametrize("run", HIDERS.values(), ids=HIDERS)
def test_nothing_survives_a_delete_without_a_supervisor(local, until: Until, run: str) -> None:
    """The supervisor was killed: what it left counts as running, is found and ends; then the launch says cancelled."""
    local.provider(grace=0.5).create(JOB, local.job(run), lambda _: None)
    until(lambda: local.read(JOB).status is Status.RUNNING and len(family(local)) >= 2)
    until(lambda: len(unmarked(local)) == run.count("env -i") and counted(local) >= unmarked(local))
    before = family(local)
    local.supervisor(JOB).kill()
    until(lambda: not local.supervisors())
    assert local.read(JOB).status is Status.RUNNING
    assert local.provider().delete(JOB).status is Status.CANCELLED
    assert not [process for process in before if is_alive(process)]


def test_a_launch_whose_supervisor_died_with_everything_is_absent(local, until: Until) -> None:
    """A reboot: it had begun, it did not end, and nothing of it is there. Nobody runs it a second time."""
    local.start(JOB, "sleep 301")
    until(lambda: local.starts(JOB) == 1)
    everything = [local.supervisor(JOB), *family(local)]
    for process in everything:
        process.kill()
    until(lambda: not any(is_alive(process) for process in everything))
    assert local.read(JOB).presence is Presence.ABSENT
    assert local.start(JOB, "sleep 301").read_many([JOB])[JOB].presence is Presence.ABSENT
    assert local.provider().delete(JOB).presence is Presence.ABSENT
    assert local.starts(JOB) == 1


def test_what_a_job_leaves_behind_ends_with_it(local) -> None:
    """A run is over when its script is; daemons do not linger, and the result stands."""
    local.start(JOB, "(setsid sleep 301 &) ; echo done")
    assert local.until(JOB, Status.SUCCEEDED, Status.FAILED).status is Status.SUCCEEDED
    assert not local.alive(JOB)


def test_a_job_may_finish_its_work_within_the_grace(local, until: Until) -> None:
    """TERM comes first: a trainer writes its checkpoint, and still the launch was cancelled."""
    local.start(JOB, "trap 'echo saved > checkpoint; exit 143' TERM; echo ready; while true; do sleep 0.05; done")
    until(lambda: "ready" in local.provider().logs(JOB))
    assert local.provider().delete(JOB).status is Status.CANCELLED
    assert (local.folder(JOB) / "home/checkpoint").read_text() == "saved\n"


def test_a_supervisor_that_does_not_react_is_killed(local, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was stopped, for example by a debugger; delete does its work."""
    monkeypatch.setattr("expiac.providers.local.processes.KILL_LIMIT", 0.5)
    local.provider(grace=0.2).create(JOB, local.job("(setsid sleep 301 &) ; sleep 301"), lambda _: None)
    until(lambda: local.read(JOB).status is Status.RUNNING and len(family(local)) >= 2)
    before, supervisor = family(local), local.supervisor(JOB)
    supervisor.send_signal(signal.SIGSTOP)
    assert local.provider().delete(JOB).status is Status.CANCELLED
    assert not [process for process in [supervisor, *before] if is_alive(process)]


def test_a_shutdown_is_no_wish(local, until: Until) -> None:
    """TERM from outside ends the job without an end: the launch is lost, not cancelled, and can be resumed."""
    local.start(JOB, "sleep 301")
    until(lambda: local.read(JOB).status is Status.RUNNING)
    before = family(local)
    local.supervisor(JOB).terminate()
    until(lambda: not local.supervisors())
    until(lambda: not [process for process in before if is_alive(process)])
    until(lambda: local.read(JOB).presence is Presence.ABSENT)


def test_a_pid_that_was_given_out_again_is_left_alone(local, until: Until) -> None:
    """The supervisor's number belongs to an innocent process now: same pid, another start."""
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        local.start(JOB, "sleep 301")
        launch = local.folder(JOB) / "launches/1"
        until(lambda: local.read(JOB).status is Status.RUNNING and (launch / "family.json").exists())
        for process in [local.supervisor(JOB), *family(local)]:
            process.kill()
        until(lambda: not local.supervisors() and not local.alive(JOB))
        (launch / "started.json").write_text(f'{{"pid": {innocent.pid}, "born": "another boot:1"}}')
        family_then = read(launch / "family.json") | {"members": [[innocent.pid, "another boot:1"]]}
        (launch / "family.json").write_text(json.dumps(family_then))
        assert local.read(JOB).presence is Presence.ABSENT
        local.provider().delete(JOB)
        assert innocent.poll() is None
        assert find_process(innocent.pid, start_key(innocent.pid))
    finally:
        innocent.kill()
        innocent.wait()


def test_a_copied_checkout_does_not_touch_the_jobs_of_the_first(local, until: Until) -> None:
    """`cp -r` copies lineage, pids and all; the copy's job is lost, and only the first one's runs."""
    local.start(JOB, "sleep 301")
    until(lambda: local.read(JOB).status is Status.RUNNING and bool(counted(local)))
    shutil.copytree(local.root / "project", local.root / "copy")
    assert local.read(JOB, "copy").presence is Presence.ABSENT
    local.provider("copy").delete(JOB)
    assert local.read(JOB).status is Status.RUNNING
    assert local.supervisor(JOB).is_running()


def test_a_queued_job_is_taken_out_of_the_queue(local) -> None:
    """It never runs, and it was cancelled."""
    local.start(JOB, "sleep 301", resources={"cpus": 4})
    waiting = Id("lineage", "ends.waiting.00000002", 1)
    assert local.start(waiting, "sleep 301").delete(waiting).status is Status.CANCELLED
    local.provider().delete(JOB)
    assert (local.read(waiting).status, local.starts(waiting)) == (Status.CANCELLED, 0)


def family(local) -> list[psutil.Process]:
    """What the supervisor has below it."""
    try:
        return [process for process in local.supervisor(JOB).children(recursive=True) if is_alive(process)]
    except (StopIteration, psutil.Error):
        return []


def unmarked(local) -> set[int]:
    """Those below the supervisor whose environment does not tell."""
    return {process.pid for process in family(local)} - {process.pid for process in local.alive(JOB)}


def counted(local) -> set[int]:
    """Whom the supervisor has written down."""
    return {pid for pid, _ in (read(local.folder(JOB) / "launches/1/family.json") or {}).get("members", ())}


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid()
    except psutil.Error:
        return False


@pytest.mark.parametrize("text", ["", '{"at": 1.0}'])
def test_a_launch_whose_start_was_not_durable_can_be_ended(local, until: Until, text: str) -> None:
    """A loss of power may leave an empty file of what was not synced; the launch is lost, and is cancelled."""
    local.start(JOB, "sleep 301")
    local.until(JOB, Status.RUNNING)
    for process in [local.supervisor(JOB), *family(local)]:
        process.kill()
    until(lambda: not local.supervisors() and not local.alive(JOB))
    (local.folder(JOB) / "launches/1/running.json").write_text(text)
    assert local.read(JOB).status is Status.LOST
    (local.folder(JOB) / "launches/1/end.json").write_text('{"status": "cancelled", "detail": "", "at": 3.0}')
    assert local.read(JOB).seconds == (2.0 if text else None)

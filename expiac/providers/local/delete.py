"""Ends a launch from outside: asks its supervisor, or does its work where it is dead or does not respond."""

from __future__ import annotations

import os
import signal
import socket
import time

from expiac.providers.local import processes
from expiac.providers.local.folder import Launch
from expiac.providers.local.job import LocalJob
from expiac.state.status import Status
from expiac.util.errors import Uncertain


def end(launch: Launch, job: LocalJob) -> None:
    """Returns once nothing of the launch is alive; raises `Uncertain` where that cannot be reached or seen."""
    if launch.has("end"):
        return
    if job.host != socket.gethostname():
        detail = f"{job.instance} is on {job.host}"
        raise Uncertain("The job is on another machine", detail, f"ssh {job.host}")
    launch.record("stop", at=time.time())
    lock = _lock_after_supervisor(launch, job)
    try:
        if not launch.has("end"):
            _end_without_supervisor(launch, job)
    finally:
        os.close(lock)


def _lock_after_supervisor(launch: Launch, job: LocalJob) -> int:
    """Takes the launch's lock once its supervisor has ended, by itself or killed because it did not respond."""
    deadline, signalled = time.monotonic() + job.grace + 2 * processes.KILL_LIMIT, False
    while time.monotonic() < deadline:
        if (lock := launch.take_lock(wait=0.5 if signalled else 0)) is not None:
            return lock
        _signal_supervisor(launch, signal.SIGTERM)  # it lives, or its lock would have been free
        signalled = True
    _signal_supervisor(launch, signal.SIGKILL)
    if (lock := launch.take_lock(wait=processes.KILL_LIMIT)) is not None:
        return lock
    raise Uncertain("The job does not end", f"{job.instance}: its supervisor cannot be killed")


def _signal_supervisor(launch: Launch, sent: signal.Signals) -> None:
    started = launch.fact("started")
    if started and (process := processes.find_process(started["pid"], started["born"])):
        processes.signal_to(process, sent)


def _end_without_supervisor(launch: Launch, job: LocalJob) -> None:
    """Ends what a dead supervisor left, and says so. Where it left nothing, the launch stays lost."""
    if launch.has("started"):
        if not processes.survivors(launch, job):
            return
        if not processes.end(lambda: processes.survivors(launch, job), job.grace):
            detail = f"{job.instance}: some of its processes cannot be killed"
            raise Uncertain("The job does not end", detail)
    launch.record("end", status=Status.CANCELLED.value, detail="", at=time.time())

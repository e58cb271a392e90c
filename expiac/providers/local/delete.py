"""Ends a launch from outside: asks its supervisor, and does its work where it is dead or deaf."""

from __future__ import annotations

import os
import signal
import socket
import time

from expiac.providers.local import processes
from expiac.providers.local.folder import Launch
from expiac.providers.local.job import Job
from expiac.state.status import Status
from expiac.util.errors import Uncertain


def end(launch: Launch, job: Job) -> None:
    """Returns once nothing of the launch is alive; raises `Uncertain` where that cannot be brought about or seen."""
    if launch.has("end"):
        return
    if job.host != socket.gethostname():
        raise Uncertain("The job is on another machine", f"{job.instance} is on {job.host}", f"ssh {job.host}")
    launch.record("stop", at=time.time())
    lock = _outlive_supervisor(launch, job)
    try:
        if not launch.has("end"):
            _end_unsupervised(launch, job)
    finally:
        os.close(lock)


def _outlive_supervisor(launch: Launch, job: Job) -> int:
    """The launch's lock, once its supervisor is gone: by itself after its work, or killed because it is deaf."""
    deadline, told = time.monotonic() + job.grace + 2 * processes.KILL_LIMIT, False
    while time.monotonic() < deadline:
        if (lock := launch.hold(wait=0.5 if told else 0)) is not None:
            return lock
        _signal_supervisor(launch, signal.SIGTERM)  # it lives, or its lock would have been free
        told = True
    _signal_supervisor(launch, signal.SIGKILL)
    if (lock := launch.hold(wait=processes.KILL_LIMIT)) is not None:
        return lock
    raise Uncertain("The job does not end", f"{job.instance}: its supervisor cannot be killed")


def _signal_supervisor(launch: Launch, sent: signal.Signals) -> None:
    started = launch.fact("started")
    if started and (process := processes.find(started["pid"], started["born"])):
        processes.signal_to(process, sent)


def _end_unsupervised(launch: Launch, job: Job) -> None:
    """Ends what a dead supervisor left, and says so. Where it left nothing, the launch stays lost."""
    if launch.has("started"):
        if not processes.left_of(launch, job):
            return
        if not processes.end(lambda: processes.left_of(launch, job), job.grace):
            raise Uncertain("The job does not end", f"{job.instance}: some of its processes cannot be killed")
    launch.record("end", status=Status.CANCELLED.value, detail="", at=time.time())

"""Says how launches are: by their folders, and by the processes that a dead supervisor left. Changes nothing."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from expiac.providers.base import ABSENT, Id, Observation, Presence
from expiac.providers.local import processes
from expiac.providers.local.folder import Launch, RunFolder
from expiac.providers.local.job import Job
from expiac.state.status import Status


class LaunchReader:
    """One look at many launches; the machine's processes are listed at most once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._host = socket.gethostname()

    def at(self, id: Id) -> Observation:
        """How one launch is; a few files are read."""
        launch = RunFolder(self._folder / id.instance).launch(id.launch)
        job = launch.job()
        if job is None or job.lineage != id.lineage:
            return ABSENT
        return _ended(launch, job) or self._not_ended(launch, job)

    def _not_ended(self, launch: Launch, job: Job) -> Observation:
        if job.host != self._host:
            return Observation(Presence.UNKNOWN, detail=f"it is on {job.host}, and this is {self._host}")
        if not launch.has("started"):
            return _present(launch, job, Status.PENDING)
        if launch.is_held:
            return _present(launch, job, Status.RUNNING if launch.has("running") else Status.STARTING)
        return _ended(launch, job) or self._unsupervised(launch, job)  # it may have ended between our two looks

    def _unsupervised(self, launch: Launch, job: Job) -> Observation:
        if self._marked.get(launch.mark(job)) or processes.left_of(launch, job):
            return _present(launch, job, Status.RUNNING, "its supervisor died; it goes on alone")
        return Observation(Presence.ABSENT, Status.LOST, detail="its supervisor died")

    @cached_property
    def _marked(self) -> Mapping[str, Sequence[object]]:
        return processes.marked()


def waiting_launch(folder: Path, id: Id) -> Launch | None:
    """The launch, if it was given to this machine and has not begun."""
    launch = RunFolder(folder / id.instance).launch(id.launch)
    job = launch.job()
    if job is None or job.lineage != id.lineage or job.host != socket.gethostname():
        return None
    return launch if launch.is_waiting else None


def is_live(seen: Observation) -> bool:
    """Whether something of it runs or will."""
    return seen.presence is Presence.PRESENT and seen.status.is_live


def _ended(launch: Launch, job: Job) -> Observation | None:
    end = launch.fact("end")
    if end is None:
        return None
    began = launch.fact("running")
    seconds = round(end["at"] - began["at"], 3) if began else None
    return _present(launch, job, Status(end["status"]), end["detail"], seconds)


def _present(launch: Launch, job: Job, status: Status, detail: str = "", seconds: float | None = None) -> Observation:
    folder = launch.home / job.workdir
    outputs = {name: str(folder / path) for name, path in job.outputs.items() if (folder / path).exists()}
    return Observation(Presence.PRESENT, status, outputs, detail, seconds)

"""Says how launches are, by their folders and by what a dead supervisor left running. Changes nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from expiac.providers.base import ABSENT, Id, Observation, Presence
from expiac.providers.local import processes
from expiac.providers.local.folder import Launch, RunFolder
from expiac.providers.local.job import LocalJob
from expiac.providers.outputs import METRICS
from expiac.state.status import Status


class LaunchReader:
    """Observes many launches; the machine's processes are listed at most once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._host = socket.gethostname()

    def observe(self, id: Id) -> Observation:
        """How one launch is; a few files are read."""
        launch = RunFolder(self._folder / id.instance).launch(id.launch)
        job = launch.job()
        if job is None or job.lineage != id.lineage:
            return ABSENT
        return _observation_of_end(launch, job) or self._observe_live(launch, job)

    def _observe_live(self, launch: Launch, job: LocalJob) -> Observation:
        if job.host != self._host:
            detail = f"it is on {job.host}, and this is {self._host}"
            return Observation(Presence.UNKNOWN, detail=detail)
        if not launch.has("started"):
            return _present_observation(launch, job, Status.PENDING)
        if launch.is_supervised:
            status = Status.RUNNING if launch.has("running") else Status.STARTING
            return replace(_present_observation(launch, job, status), began_at=_began_at(launch))
        # It may have ended since its end was read.
        return _observation_of_end(launch, job) or self._observe_without_supervisor(launch, job)

    def _observe_without_supervisor(self, launch: Launch, job: LocalJob) -> Observation:
        if self._by_mark.get(launch.mark(job)) or processes.survivors(launch, job):
            detail = "its supervisor died; it goes on alone"
            return _present_observation(launch, job, Status.RUNNING, detail)
        return Observation(Presence.ABSENT, Status.LOST, detail="its supervisor died")

    @cached_property
    def _by_mark(self) -> Mapping[str, Sequence[object]]:
        return processes.by_mark()


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


def _observation_of_end(launch: Launch, job: LocalJob) -> Observation | None:
    end = launch.fact("end")
    if end is None:
        return None
    began = end["began"] if "began" in end else (launch.fact("running") or {}).get("at")
    seconds = None if began is None else round(end["at"] - began, 3)
    return _present_observation(launch, job, Status(end["status"]), end["detail"], seconds)


def _present_observation(
    launch: Launch, job: LocalJob, status: Status, detail: str = "", seconds: float | None = None
) -> Observation:
    outputs = launch.outputs(job)
    if METRICS not in job.outputs and (own := _own_results(launch, job)) is not None:
        outputs[METRICS] = own  # whatever of it can be read
    return Observation(Presence.PRESENT, status, outputs, detail, seconds)


def _began_at(launch: Launch) -> str:
    """When its supervisor began with it; before that it waited for its turn."""
    at = (launch.fact("started") or {}).get("at")
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _own_results(launch: Launch, job: LocalJob) -> str | None:
    """The run's own folder among the results, where it has made one."""
    if not (data := job.env.get("DATA_DIR")):
        return None
    own = launch.home / job.workdir / data / job.instance
    return str(own) if os.path.isdir(own) else None

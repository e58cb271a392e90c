"""SkyPilot's statuses of a job, managed or on a cluster of its own, in our words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from expiac.providers.base import ABSENT, Id, Observation, Presence
from expiac.providers.skypilot.handle import Handle
from expiac.providers.skypilot.outputs import LaunchOutputs
from expiac.providers.skypilot.snapshot import SkyJob, Snapshot, declared_outputs
from expiac.state.status import Status

STATUSES = {
    "PENDING": Status.PENDING,
    "INIT": Status.STARTING,
    "DEPRECATED_SUBMITTED": Status.PENDING,
    "SUBMITTED": Status.PENDING,
    "STARTING": Status.STARTING,
    "SETTING_UP": Status.STARTING,
    "RUNNING": Status.RUNNING,
    "WINDING_DOWN": Status.RUNNING,
    "RECOVERING": Status.RECOVERING,
    "CANCELLING": Status.RUNNING,  # its machines may be running still
    "SUCCEEDED": Status.SUCCEEDED,
    "CANCELLED": Status.CANCELLED,
    "FAILED": Status.FAILED,
    "FAILED_SETUP": Status.FAILED,
    "FAILED_DRIVER": Status.FAILED,
    "FAILED_PRECHECKS": Status.FAILED,
    "FAILED_NO_RESOURCE": Status.FAILED,
    "FAILED_CONTROLLER": Status.FAILED,
}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def observe(snapshot: Snapshot, id: Id) -> Observation:
    """How a launch is, as far as it was seen."""
    if elsewhere := other_place(snapshot, id):
        return Observation(Presence.UNKNOWN, detail=elsewhere)
    if job := snapshot.job(id):
        return _with_duplicates(observation(job), duplicates(snapshot, id))
    if request := snapshot.request(id):
        return Observation(Presence.PRESENT, Status.PENDING, declared_outputs(request.task))
    return ABSENT


def observation(job: SkyJob) -> Observation:
    """How a job is."""
    status = STATUSES.get(job.status)
    if status is None:
        said = one_line(job.failure) or f"SkyPilot says {job.status}, which expiac can do nothing with"
        return Observation(Presence.UNKNOWN, detail=f"{job.cluster or f'job {job.id}'}: {said}")
    outputs = LaunchOutputs(
        declared_outputs(job.task), job.id, job.cluster, job.recoveries, one_line(job.failure))
    seconds = (job.seconds or None) if status.is_over else None
    return Observation(Presence.PRESENT, status, outputs.to_json(), _detail(job), seconds)


def duplicates(snapshot: Snapshot, id: Id) -> list[SkyJob]:
    """What runs of a launch besides its earliest job, which is the one that counts."""
    return [job for job in sorted(snapshot.jobs_of(id), key=lambda job: job.id)[1:] if is_live(job)]


def job_title(job: SkyJob) -> str:
    """A job as a user would look for it."""
    return f"job {job.id} of {job.cluster}" if job.cluster else f"managed job {job.id}"


def is_live(job: SkyJob) -> bool:
    """Whether it may be running, as far as anybody can tell."""
    seen = observation(job)
    return seen.presence is Presence.UNKNOWN or seen.status.is_live


def other_place(snapshot: Snapshot, id: Id) -> str:
    """Why this answer says nothing of the launch: it was given to another server, or by another user."""
    handle, where = Handle.of(id), snapshot.where
    if handle.endpoint not in (None, where.endpoint):
        return f"launched through {handle.endpoint}, and this is {where.endpoint}"
    if handle.user not in (None, where.user):
        return f"launched by SkyPilot's user {handle.user}, and this is {where.user}"
    return ""


def one_line(text: str, longest: int = 300) -> str:
    """SkyPilot's words without colours and line ends."""
    words = " ".join(_COLOUR.sub("", text).split())
    return words if len(words) <= longest else words[:longest - 1] + "…"


def _with_duplicates(seen: Observation, others: Sequence[SkyJob]) -> Observation:
    if not others:
        return seen
    names = tuple(map(job_title, others))
    said = f"launched twice: {', '.join(names)} runs too, until expiac refresh ends it"
    return replace(seen, duplicates=names, detail=f"{seen.detail}; {said}" if seen.detail else said)


def _detail(job: SkyJob) -> str:
    said = [f"recovered {job.recoveries} time{'s' * (job.recoveries > 1)}"] if job.recoveries else []
    if job.status == "CANCELLING":
        said.append("being cancelled")
    if job.failure:
        word = "" if job.status == "FAILED" else job.status.lower().replace("_", " ") + ": "
        said.append(word + one_line(job.failure))
    return "; ".join(said)

"""Numbers and statuses as people read them: short, and of about the same width as they change. Pure."""

from __future__ import annotations

from expiac.apply.events import Progress, ResourceStatus
from expiac.plan import formatting as inline
from expiac.state.status import Status

COLOURS = {
    Status.PENDING: "yellow",
    Status.STARTING: "cyan",
    Status.RUNNING: "cyan",
    Status.RECOVERING: "yellow",
    Status.READY: "green",
    Status.SUCCEEDED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "red",
    Status.STOPPED: "yellow",
    Status.LOST: "red",
}


def count(number: float) -> str:
    """`950`, `420k`, `1.20M`."""
    for size, unit in ((1e9, "G"), (1e6, "M")):
        if number >= size * 0.9995:
            return f"{number / size:.2f}{unit}"
    return f"{number / 1e3:.0f}k" if number >= 1e4 else f"{number:.0f}"


def share(progress: Progress) -> float:
    """How much of the run is done, from 0 to 1."""
    return min(1.0, progress.step / progress.total_steps) if progress.total_steps else 0.0


def steps(progress: Progress | None) -> str:
    """`420k/1.20M` on the way, `1.20M` at the end."""
    if progress is None:
        return ""
    if not progress.total_steps or progress.step >= progress.total_steps:
        return count(progress.step)
    return f"{count(progress.step)}/{count(progress.total_steps)}"


def time_left(resource: ResourceStatus) -> str:
    """`1m 20s left`; if the pace is not known, how long such a run took before: `usually 12m 00s`."""
    seconds = resource.progress.seconds_left if resource.progress else None
    if seconds:
        return f"{inline.duration(seconds)} left"
    return f"usually {inline.duration(resource.usual_seconds)}" if resource.usual_seconds else ""


def time_spent(resource: ResourceStatus) -> str:
    """How long the run has trained; if its metrics do not say, how long it has run."""
    progress = resource.progress
    seconds = progress.elapsed if progress and progress.elapsed else resource.seconds
    return inline.duration(seconds) if seconds else ""


def status(resource: ResourceStatus) -> str:
    """The status, with a question mark if the backend could not be asked now."""
    return f"{resource.status.value}?" if resource.unseen else resource.status.value

"""Numbers and statuses as people read them: short, and the same width from one look to the next. Pure."""

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


def samples(progress: Progress | None) -> str:
    """`420k/1.20M` on the way, `1.20M` at the end."""
    if progress is None:
        return ""
    if not progress.total_steps or progress.step >= progress.total_steps:
        return count(progress.step)
    return f"{count(progress.step)}/{count(progress.total_steps)}"


def metric(progress: Progress | None, *names: str) -> str:
    """The newest value of the first of these metrics that the run has."""
    known = progress.metrics if progress else {}
    found = next((known[name] for name in names if name in known), None)
    return "" if found is None else f"{found:.2f}"


def rewards(progress: Progress | None) -> str:
    """What the run earns now: `reward 3.14  hearts 0.75`."""
    known = ((name, metric(progress, name)) for name in ("reward", "hearts"))
    return "  ".join(f"{name} {figure}" for name, figure in known if figure)


def judged(progress: Progress | None, name: str) -> str:
    """An evaluation before and after training: `1.32 → 9.87`; one figure where there was only one."""
    if progress is None or name not in progress.metrics:
        return ""
    first, last = progress.first.get(name), progress.metrics[name]
    return f"{last:.2f}" if first is None or not progress.step else f"{first:.2f} → {last:.2f}"


def left(seen: ResourceStatus) -> str:
    """`1m 20s left`; where there is no pace, how long such a run took before: `usually 12m 00s`."""
    seconds = seen.progress.seconds_left if seen.progress else None
    if seconds:
        return f"{inline.duration(seconds)} left"
    return f"usually {inline.duration(seen.usual_seconds)}" if seen.usual_seconds else ""


def spent(seen: ResourceStatus) -> str:
    """How long the run has trained; where it tells nothing of that, how long it ran."""
    progress = seen.progress
    seconds = progress.elapsed if progress and progress.elapsed else seen.seconds
    return inline.duration(seconds) if seconds else ""


def status(seen: ResourceStatus) -> str:
    """The status, with a mark where it could not be seen now."""
    return f"{seen.status.value}?" if seen.unseen else seen.status.value

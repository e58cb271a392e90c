"""What is known of runs, as tables: `status`, and the results after waiting. Knows nothing of how it became known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from expiac.apply.events import ResourceStatus
from expiac.view.figures import COLOURS, judged, left, metric, samples, spent, status

HEARTS = "eval/hearts"


def statuses(seen: Sequence[ResourceStatus]) -> Table:
    """One row per resource: how it is and how far."""
    rows = table("job", "status", "samples", "reward", "hearts", "time", "instance")
    for one in seen:
        progress = one.progress
        rows.add_row(one.address, _status(one), samples(progress), metric(progress, "reward"),
                      metric(progress, HEARTS, "hearts"), left(one) if one.status.is_live else spent(one),
                      _instance(one))
    return rows


def remarks(seen: Sequence[ResourceStatus]) -> list[str]:
    """What does not fit a table: the backend's own words, and why something could not be seen."""
    said = ((one.address, one.unseen or one.detail) for one in seen)
    return [f"{address}: {words}" for address, words in said if words]


def results(seen: Sequence[ResourceStatus]) -> Table:
    """One row per run that was waited for: what came out."""
    rows = table("job", "status", "samples", "hearts, before → after", "time")
    for one in seen:
        rows.add_row(one.address, _status(one), samples(one.progress), judged(one.progress, HEARTS),
                      spent(one))
    return rows


def document(seen: ResourceStatus) -> dict[str, Any]:
    """One resource as JSON values."""
    progress = seen.progress
    return {
        "address": seen.address,
        "instance": seen.instance,
        "provider": seen.provider,
        "status": seen.status.value,
        "launch": seen.launch,
        "detail": seen.detail,
        "unseen": seen.unseen,
        "seconds": seen.seconds,
        "usual_seconds": seen.usual_seconds,
        "progress": None if progress is None else {
            "step": progress.step,
            "total_steps": progress.total_steps,
            "elapsed": progress.elapsed,
            "seconds_left": progress.seconds_left,
            "metrics": dict(progress.metrics),
            "first": dict(progress.first),
        },
    }


def table(*headers: str) -> Table:
    """An empty table, without lines; names may be folded."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in headers:
        made.add_column(header, overflow="fold", no_wrap=header not in ("job", "instance", "settings", "what"))
    return made


def _status(seen: ResourceStatus) -> Text:
    return Text(status(seen), style=COLOURS[seen.status])


def _instance(seen: ResourceStatus) -> str:
    return f"{seen.instance} (launch {seen.launch})" if seen.launch > 1 else seen.instance

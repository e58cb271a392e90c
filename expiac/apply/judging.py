"""Judges a run that ended well by what is expected of its metrics.

A judgement is recorded with the end of the run, and stands. It is made anew if other things are expected, and if the
metrics could not be read before and can be now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from expiac.apply import metrics
from expiac.apply.effect_log import Ledger
from expiac.declare.expectations import meets
from expiac.providers.outputs import metrics_in
from expiac.state.events import EffectDone, Json, Judgement, Observed
from expiac.state.model import Record
from expiac.state.status import Status

E = TypeVar("E", EffectDone, Observed)
Values = Mapping[str, float | None]


def judge(event: E, record: Record) -> E:
    """The event, which says that the run failed if it ended well and is not as expected."""
    expect = record.options.expect
    if event.status is not Status.SUCCEEDED or not expect or record.judgement is not None:
        return event
    values, why = _read(event.outputs, expect)
    return _with_judgement(event, expect, values, why)


def judge_anew(record: Record) -> Observed | None:
    """What has to be recorded of an ended run; None if it was judged by what is expected of it today."""
    before, expect = record.judgement, record.options.expect
    was_readable = before is None or before.values is not None
    if not record.has_result or record.pending is not None or (record.is_judged and was_readable):
        return None
    known = before.values if before is not None and before.values is not None else {}
    values, why = (known, "") if expect.keys() <= known.keys() else _read(record.outputs, expect)
    if record.is_judged and values is None:
        return None
    ended = Observed(record.address, Status.SUCCEEDED, record.outputs,
                     record.detail if record.status is Status.SUCCEEDED else "", record.seconds)
    return _with_judgement(ended, expect, values, why)


def judge_anew_now(ledger: Ledger, address: str) -> Status | None:
    """Records how an ended run is judged by what is expected of it now, and gives its status; None if that stands."""
    record = ledger.record(address)
    event = judge_anew(record) if record is not None else None
    if event is None:
        return None
    ledger.append(event)
    return event.status


def _with_judgement(event: E, expect: Mapping[str, str], values: Values | None, why: str) -> E:
    last = values or {}
    misses: list[str] = [_miss(metric, last.get(metric), bound) for metric, bound in expect.items()]
    detail = "; ".join(part for part in (why, *misses) if part)
    judgement = Judgement(dict(expect), None if values is None else dict(values))
    if not detail:
        return replace(event, judgement=judgement)
    return replace(event, status=Status.FAILED, detail=detail, judgement=judgement)


def _miss(metric: str, value: float | None, bound: str) -> str:
    """How a metric misses its bound; empty where it meets it."""
    if value is None:
        return f"expected {metric} {bound}, which is not among its metrics"
    return "" if meets(value, bound) else f"expected {metric} {bound}, but it is {value:g}"


def _read(outputs: Json, expect: Mapping[str, str]) -> tuple[Values | None, str]:
    """The last value of each expected metric; None, and why, where no metrics can be read here."""
    path = metrics_in(outputs)
    if path is None:
        return None, "it has no output metrics"
    if "://" in path:
        return None, f"its metrics can't be read from {path}"
    try:
        progress = metrics.read(Path(path))
    except metrics.MissingPackage as error:
        return None, str(error)
    if progress is None:
        return None, f"no metrics can be read at {path}"
    return {metric: progress.metrics.get(metric) for metric in expect}, ""

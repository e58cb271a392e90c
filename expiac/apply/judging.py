"""Judges a run that ended well by what is expected of its metrics.

A judgement is recorded with the end of the run, and stands. It is made anew if other things are expected, and if the
metrics could not be read before and can be now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from expiac.apply.effect_log import Ledger
from expiac.declare.expectations import meets
from expiac.providers.base import Provider
from expiac.providers.outputs import metrics_in
from expiac.state.events import EffectDone, Judgement, Observed
from expiac.state.model import Record
from expiac.state.status import Status

if TYPE_CHECKING:
    from expiac.apply.metrics.places import Found

E = TypeVar("E", bound=EffectDone | Observed)
Values = Mapping[str, float | None]
Providers = Mapping[str, Provider]


def judge(events: Sequence[E], records: Mapping[str, Record], providers: Providers, lineage: str) -> list[E]:
    """The events; those that end a run well which is not as expected say that it failed. One look for all metrics."""
    ended = {event.address: replace(records[event.address], status=event.status, outputs=event.outputs)
             for event in events if _wants_judging(event, records[event.address])}
    found = _find(ended.values(), providers, lineage)
    return [_with_judgement(event, *_values(ended[event.address], found)) if event.address in ended else event
            for event in events]


def judge_anew(records: Iterable[Record], providers: Providers, lineage: str) -> list[Observed]:
    """What has to be recorded of ended runs that were not judged by what is expected of them today."""
    due = [record for record in records if _wants_judging_anew(record)]
    found = _find([record for record in due if _known(record) is None], providers, lineage)
    judged = []
    for record in due:
        known = _known(record)
        values, why = _values(record, found)[1:] if known is None else (known, "")
        if record.is_judged and values is None:
            continue
        ended = Observed(record.address, Status.SUCCEEDED, record.outputs,
                         record.detail if record.status is Status.SUCCEEDED else "", record.seconds)
        judged.append(_with_judgement(ended, record.options.expect, values, why))
    return judged


def judge_anew_now(ledger: Ledger, address: str, providers: Providers, lineage: str) -> Status | None:
    """Records how an ended run is judged by what is expected of it now, and gives its status; None if that stands."""
    record = ledger.record(address)
    for event in judge_anew([record] if record is not None else (), providers, lineage):
        ledger.append(event)
        return event.status
    return None


def _wants_judging(event: EffectDone | Observed, record: Record) -> bool:
    return event.status is Status.SUCCEEDED and bool(record.options.expect) and record.judgement is None


def _wants_judging_anew(record: Record) -> bool:
    was_readable = record.judgement is None or record.judgement.values is not None
    return record.has_result and record.pending is None and not (record.is_judged and was_readable)


def _known(record: Record) -> Values | None:
    """The recorded values of what is expected; None if one of them was not recorded."""
    known = record.judgement.values if record.judgement is not None and record.judgement.values is not None else {}
    return known if record.options.expect.keys() <= known.keys() else None


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


def _find(records: Iterable[Record], providers: Providers, lineage: str) -> Mapping[str, Found]:
    wanted = tuple(records)
    if not wanted:
        return {}
    from expiac.apply.metrics.places import Look
    from expiac.apply.metrics.sources import find_metrics, sources_of

    return find_metrics(wanted, sources_of(providers), Look(lineage))


def _values(record: Record, found: Mapping[str, Found]) -> tuple[Mapping[str, str], Values | None, str]:
    """What is expected, and the last value of each of these metrics; None, and why, where no metrics can be read."""
    from expiac.apply.metrics.sources import progress_of

    expect = record.options.expect
    progress, note = progress_of(found.get(record.run.instance))
    if progress is not None:
        return expect, {metric: progress.metrics.get(metric) for metric in expect}, ""
    path = metrics_in(record.outputs)
    why = "it has no output metrics" if path is None else f"no metrics can be read at {path}"
    return expect, None, note or why

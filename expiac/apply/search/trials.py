"""The trials of a search, as its records have them: which there are, and what they came to. Writes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from expiac.apply.metrics.places import Found, Look, MetricsSource
from expiac.apply.metrics.sources import find_metrics, progress_of
from expiac.apply.search.study import FAILED, LIVE
from expiac.declare.component import SEPARATOR, component_of
from expiac.declare.sweep import Sweep
from expiac.plan.kinds import identity_part
from expiac.providers.registry import LOCAL
from expiac.state.facts import COMPLETE, PRUNED, Outcome
from expiac.state.model import Record, State
from expiac.util.hashing import digest

_PREFIX = "trial_"
_METRICS_ARRIVE_WITHIN = timedelta(minutes=10)
"""How long after the end of a run on another machine its metrics may come to be readable: a log is copied, a queue
is looked at seldom. What is not there then never comes."""


@dataclass(frozen=True, slots=True)
class SearchTrial:
    """A trial that was launched, or is being launched."""

    number: int
    record: Record
    outcome: Outcome | None
    """What it came to; None while it is live."""
    is_archived: bool = False

    @property
    def state(self) -> str:
        """`complete`, `pruned`, `failed` or `live`."""
        return LIVE if self.outcome is None else self.outcome.state

    @property
    def is_news(self) -> bool:
        """What it came to is not recorded."""
        return not self.is_archived and self.outcome is not None and self.record.outcome != self.outcome


def trial_name(number: int) -> str:
    """What the trial of this number is called in its search."""
    return f"{_PREFIX}{number}"


def study_digest(sweep: Sweep) -> str:
    """Names what outcomes can be compared with each other: the same job, and the same metrics."""
    assert sweep.template is not None, "only a search has a template"
    inputs = identity_part(sweep.template.inputs(), sweep.template.kinds())
    return digest([sweep.template.type, inputs, list(sweep.objectives.items())])[:16]


def trials_of(sweep: Sweep, state: State, sources: Sequence[MetricsSource],
              look: Look, now: datetime) -> tuple[list[SearchTrial], list[str]]:
    """The trials by their numbers; and why the metrics of some could not be read that have ended: they count as live.
    """
    study = study_digest(sweep)
    found = {trial.number: trial for trial in _archived(sweep.name, state, study)}
    present = [record for record in state.records.values() if _number(sweep.name, record.address) is not None]
    ended = [record for record in present if _known(record, study) is None and _has_ended(record)]
    if look.seconds == 0:  # nobody is asked: what is elsewhere tells nothing
        ended = [record for record in ended if record.provider == LOCAL]
    readable = {record.run.instance for record in ended}
    metrics = find_metrics(ended, sources, look) if ended else {}
    unread = []
    for record in present:
        number = _number(sweep.name, record.address)
        assert number is not None, "chosen by it"
        outcome = _known(record, study)
        if outcome is None and record.run.instance in readable:
            outcome, why = _outcome(record, sweep.objectives, metrics.get(record.run.instance), now)
            unread += [f"the metrics of {record.address} can't be read: {why}"] if outcome is None else []
            outcome = replace(outcome, study=study) if outcome is not None else None
        found[number] = SearchTrial(number, record, outcome)
    return [found[number] for number in sorted(found)], unread


def recorded_trials(search: str, state: State, study: str) -> list[SearchTrial]:
    """The trials of a search with what is recorded of them alone; those of any study where `study` is empty."""
    found = {trial.number: trial for trial in _archived(search, state, study)}
    for record in state.records.values():
        if (number := _number(search, record.address)) is not None:
            found[number] = SearchTrial(number, record, _known(record, study))
    return [found[number] for number in sorted(found)]


def _archived(search: str, state: State, study: str) -> Iterable[SearchTrial]:
    """Those that were ended early: their runs were stopped and archived, and nobody gave them up since."""
    destroyed = max((one.at for one in state.approvals if not one.approved.program), default="")
    for record in state.history:
        number, outcome = _number(search, record.address), record.outcome
        if number is None or outcome is None or record.discarded or record.ended_at < destroyed:
            continue  # a stack that was destroyed since begins anew
        if outcome.state == PRUNED and study in (outcome.study, ""):
            yield SearchTrial(number, record, outcome, is_archived=True)


def _number(search: str, address: str) -> int | None:
    name = address.rpartition(SEPARATOR)[2]
    if component_of(address) != search or not name.startswith(_PREFIX):
        return None
    digits = name.removeprefix(_PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _known(record: Record, study: str) -> Outcome | None:
    """What is recorded of it, where that is of the same study."""
    return record.outcome if record.outcome is not None and study in (record.outcome.study, "") else None


def _has_ended(record: Record) -> bool:
    return record.pending is None and not record.unseen and record.status.is_over


def _outcome(record: Record, objectives: Mapping[str, str], found: Found | None,
             now: datetime) -> tuple[Outcome | None, str]:
    """What an ended run came to; None, and why, where that can't be read now."""
    if not record.has_result:
        return Outcome(FAILED), ""
    progress, note = progress_of(found)
    known = progress.metrics if progress is not None else {}
    values = [value for metric in objectives if (value := known.get(metric)) is not None]
    is_whole = len(values) == len(objectives)
    may_come = bool(note) or (not is_whole and record.provider != LOCAL)
    if may_come and (not record.finished_at or now < _finished_at(record) + _METRICS_ARRIVE_WITHIN):
        return None, note or "they may still be on their way"
    return Outcome(COMPLETE, tuple(values)) if is_whole and not any(map(math.isnan, values)) else Outcome(FAILED), ""


def _finished_at(record: Record) -> datetime:
    return datetime.fromisoformat(record.finished_at)

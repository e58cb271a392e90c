"""The trials of a search, as its records have them: which there are, and what they came to. Writes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from expiac.apply.metrics.places import Found, Look, MetricsSource
from expiac.apply.metrics.sources import find_metrics, progress_of
from expiac.apply.search.study import COMPLETE, FAILED, LIVE, PRUNED
from expiac.declare.component import SEPARATOR, component_of
from expiac.declare.sweep import Sweep
from expiac.plan.kinds import identity_part
from expiac.state.events import Outcome
from expiac.state.model import Record, State
from expiac.util.hashing import digest

_PREFIX = "trial_"


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
    return digest([sweep.template.type, inputs, dict(sweep.objectives)])[:16]


def trials_of(sweep: Sweep, state: State, sources: Sequence[MetricsSource],
              look: Look) -> tuple[list[SearchTrial], list[str]]:
    """The trials by their numbers; and why the metrics of some could not be read that have ended: they count as live.
    """
    study = study_digest(sweep)
    found = {trial.number: trial for trial in _archived(sweep, state, study)}
    present = [record for record in state.records.values() if _number(sweep, record.address) is not None]
    ended = [record for record in present if _known(record, study) is None and _has_ended(record)]
    metrics = find_metrics(ended, sources, look) if ended else {}
    unread = []
    for record in present:
        number = _number(sweep, record.address)
        assert number is not None, "chosen by it"
        outcome = _known(record, study)
        if outcome is None and _has_ended(record):
            outcome, why = _outcome(record, sweep.objectives, metrics.get(record.run.instance))
            unread += [f"the metrics of {record.address} can't be read: {why}"] if outcome is None else []
            outcome = replace(outcome, study=study) if outcome is not None else None
        found[number] = SearchTrial(number, record, outcome)
    return [found[number] for number in sorted(found)], unread


def _archived(sweep: Sweep, state: State, study: str) -> Iterable[SearchTrial]:
    """Those that were ended early: their runs were stopped and archived, and nobody gave them up since."""
    for record in state.history:
        number, outcome = _number(sweep, record.address), record.outcome
        if number is None or outcome is None or record.discarded:
            continue
        if outcome.state == PRUNED and outcome.study == study:
            yield SearchTrial(number, record, outcome, is_archived=True)


def _number(sweep: Sweep, address: str) -> int | None:
    name = address.rpartition(SEPARATOR)[2]
    if component_of(address) != sweep.name or not name.startswith(_PREFIX):
        return None
    digits = name.removeprefix(_PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _known(record: Record, study: str) -> Outcome | None:
    """What is recorded of it, where that is of the same study."""
    return record.outcome if record.outcome is not None and record.outcome.study == study else None


def _has_ended(record: Record) -> bool:
    return record.pending is None and not record.unseen and record.status.is_over


def _outcome(record: Record, objectives: Mapping[str, str], found: Found | None) -> tuple[Outcome | None, str]:
    """What an ended run came to; None, and why, where that can't be read now."""
    if not record.has_result:
        return Outcome(FAILED), ""
    progress, note = progress_of(found)
    if progress is None:
        return (None, note) if note else (Outcome(FAILED), "")
    values = [progress.metrics.get(metric) for metric in objectives]
    numbers = tuple(value for value in values if value is not None and not math.isnan(value))
    return (Outcome(COMPLETE, numbers) if len(numbers) == len(values) else Outcome(FAILED)), ""

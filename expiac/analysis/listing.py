"""The runs of many stacks in one list, with what each is compared, sorted and shown by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expiac.analysis.results import Results
from expiac.analysis.runs import Run, all_settings, differing, run_of
from expiac.declare.project import Project
from expiac.plan import history
from expiac.plan.references import inputs_of
from expiac.state.model import Approval, Record, State


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One run, of any stack."""

    stack: str
    record: Record
    approval: Approval | None
    """That under which it was launched."""
    run: Run
    settings: Mapping[str, Any]
    """Of every kind, by key path: where it runs, and its tags, too."""

    def provenance(self, key: str) -> str:
        """What is known of its launch, such as the `user`; empty where it is not."""
        return str(self.approval.approved.provenance.get(key, "")) if self.approval is not None else ""


def listed_runs(states: Sequence[State], *, archived: bool) -> tuple[ListedRun, ...]:
    """The present runs of these stacks, with `archived` those of the past too; the newest launch first."""
    found = [ListedRun(past.stack, past.record, past.approval, run_of(past.record),
                       all_settings(inputs_of(past.record)))
             for state in states for past in history.runs(state) if archived or not past.record.ended_at]
    return tuple(sorted(found, key=lambda one: one.record.at, reverse=True))


class Figures:
    """The last value of each metric of runs; their histories are read when one is asked for, and no others."""

    def __init__(self, states: Sequence[State], project: Project) -> None:
        self._states = {state.stack: state for state in states}
        self._project = project
        self._known: dict[str, Mapping[str, float]] = {}
        self.notes: list[str] = []
        """Why a history could not be read."""

    def read(self, runs: Sequence[ListedRun]) -> None:
        """Reads the histories of these runs, as far as they are not known yet."""
        new = [one for one in runs if one.run.instance not in self._known]
        for stack in dict.fromkeys(one.stack for one in new):
            own = [one.run for one in new if one.stack == stack]
            results = Results(self._states[stack], self._project, known=own)
            self._known |= {run.instance: results.figures(run) for run in own}
            self.notes += [f"{stack}: {note}" for note in results.notes]

    def of(self, one: ListedRun) -> Mapping[str, float]:
        """The figures of one run by metric."""
        self.read([one])
        return self._known[one.run.instance]


def differing_settings(runs: Sequence[ListedRun]) -> Mapping[str, tuple[str, ...]]:
    """The key paths, other than seeds, at which the settings of the runs of each stack differ, by stack."""
    stacks = dict.fromkeys(one.stack for one in runs)
    return {stack: differing([one.run for one in runs if one.stack == stack]) for stack in stacks}

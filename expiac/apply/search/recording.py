"""Records what trials came to; and what an apply that waits asks of the searches of its stack."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from expiac.plan.model import Plan
from expiac.state.journal import Journal


class Proposals(Protocol):
    """What searches want to begin and to end, as results come in."""

    def are_due(self) -> bool:
        """Whether there is something to record, to begin or to end."""

    def leave_out(self, names: Collection[str]) -> None:
        """Nothing more is proposed by these searches."""

    def are_awaited(self) -> bool:
        """Whether results of trials that have ended are on their way; as the last look found."""

    def plan(self) -> Plan | None:
        """The plan that does it, and nothing else; None where there is nothing any more. Needs the lock."""


def record_told(plan: Plan, journal: Journal) -> None:
    """Records what the plan was told of trials, where that is not recorded yet. Needs the lock."""
    for event in plan.told:
        record = journal.state.records.get(event.address)
        if record is not None and record.run.instance == event.instance and record.outcome != event.outcome:
            journal.append(event)

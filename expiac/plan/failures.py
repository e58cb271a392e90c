"""Decides which sweeps end early because too many of their trials have failed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from expiac.declare.component import SEPARATOR
from expiac.plan.model import Action, Step
from expiac.state.facts import SweepFacts
from expiac.state.model import Record, State
from expiac.state.status import Status


@dataclass(frozen=True, slots=True)
class EndedSweep:
    """A sweep of which no further trial is begun."""

    name: str
    bound: int
    """How many of its trials may fail at most."""
    failed: tuple[Record, ...]

    @property
    def why(self) -> str:
        """`lr ends early: 3 of its runs failed, and max_failures is 2`."""
        return (f"{self.name} ends early: {len(self.failed):,} of its runs failed, and max_failures is "
                f"{self.bound:,}")

    def has(self, address: str) -> bool:
        """Whether a resource stands in the sweep."""
        return address.startswith(f"{self.name}{SEPARATOR}")


def ended_sweeps(sweeps: Mapping[str, SweepFacts], state: State,
                 max_failures: int | None = None) -> tuple[EndedSweep, ...]:
    """The sweeps of which more trials have failed than may; `max_failures` counts before what each declares.

    What somebody cancelled, and what a search pruned, has not failed.
    """
    ended = []
    for name, facts in sweeps.items():
        bound = facts.max_failures if max_failures is None else max_failures
        if bound is None:
            continue
        failed = tuple(record for address, record in state.records.items()
                       if address.startswith(f"{name}{SEPARATOR}") and _has_failed(record))
        if len(failed) > bound:
            ended.append(EndedSweep(name, bound, failed))
    return tuple(ended)


def stops_of_queued(ended: Sequence[EndedSweep], state: State) -> tuple[Step, ...]:
    """Steps that take the trials of ended sweeps back which wait in a queue; what runs goes on."""
    return tuple(Step(address, record.type, Action.STOP, sweep.why, record.run, record=record,
                      depends_on=record.depends_on)
                 for sweep in ended for address, record in state.records.items()
                 if sweep.has(address) and record.status is Status.PENDING and not record.pending)


def _has_failed(record: Record) -> bool:
    was_pruned = record.outcome is not None and record.outcome.state == "pruned"
    return record.status in (Status.FAILED, Status.LOST) and not was_pruned

"""Ends what was born twice of one launch: the earliest is the run, whatever else there is of it goes, and that is said.

A backend without idempotency keys launches twice when two processes ask it, each in the belief to be the only one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from expiac.apply.events import Reporter, Warned
from expiac.apply.refresh import id_of
from expiac.plan.model import Plan
from expiac.providers.base import EndsDuplicates, Provider
from expiac.state.journal import Journal
from expiac.util.errors import ExpiacError

Duplicates = Mapping[str, Sequence[str]]
"""What runs of a launch besides its earliest birth, in the backend's words, by address."""


def warned(plan: Plan, duplicates: Duplicates) -> Plan:
    """The plan with a word on each step whose launch was born more than once."""
    if not duplicates:
        return plan
    return replace(plan, steps=tuple(
        replace(step, warning=f"launched twice: {', '.join(duplicates[step.address])} is to be ended")
        if step.address in duplicates else step for step in plan.steps))


def end_duplicates(duplicates: Duplicates, journal: Journal, providers: Mapping[str, Provider], reporter: Reporter
                   ) -> None:
    """Lets each provider end what is too much, and tells of it; what can't be ended now is found by the next look."""
    for address in duplicates:
        record = journal.state.records.get(address)
        provider: object = providers.get(record.provider) if record is not None else None
        if record is None or not isinstance(provider, EndsDuplicates):
            continue
        try:
            ended = provider.end_duplicates(id_of(record, journal.state.lineage))
        except ExpiacError as error:
            told = f"{', '.join(duplicates[address])} may run still: {error.summary}: {error.detail}"
        else:
            told = f"{', '.join(ended) or 'the later one'} was ended"
        reporter.on_event(Warned(f"{address}: launched twice; {told}"))

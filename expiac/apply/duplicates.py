"""Ends the later jobs of a launch that was made twice: the earliest job is the run, the others are ended and reported.

A backend without idempotency keys launches twice when two processes ask it, each in the belief to be the only one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from expiac.apply.events import Reporter, Warned
from expiac.apply.refresh import id_of
from expiac.plan.model import Plan
from expiac.providers.base import Provider
from expiac.providers.ending import EndsDuplicates
from expiac.state.journal import Journal
from expiac.util.errors import ExpiacError

Duplicates = Mapping[str, Sequence[str]]
"""The jobs of a launch besides its earliest one, as the backend names them, by address."""


def warn_of_duplicates(plan: Plan, duplicates: Duplicates) -> Plan:
    """The plan with a warning on each step whose launch was made more than once."""
    if not duplicates:
        return plan
    return replace(plan, steps=tuple(
        replace(step, warning=f"launched twice: {', '.join(duplicates[step.address])} is to be ended")
        if step.address in duplicates else step for step in plan.steps))


def end_duplicates(duplicates: Duplicates, journal: Journal, providers: Mapping[str, Provider], reporter: Reporter
                   ) -> None:
    """Lets each provider end the surplus jobs, and reports it. The next refresh finds those that can't be ended now."""
    for address in duplicates:
        record = journal.state.records.get(address)
        provider: object = providers.get(record.provider) if record is not None else None
        if record is None or not isinstance(provider, EndsDuplicates):
            continue
        try:
            ended = provider.end_duplicates(id_of(record, journal.state.lineage))
        except ExpiacError as error:
            outcome = f"{', '.join(duplicates[address])} may run still: {error.summary}: {error.detail}"
        else:
            outcome = f"{', '.join(ended) or 'the later one'} was ended"
        reporter.on_event(Warned(f"{address}: launched twice; {outcome}"))

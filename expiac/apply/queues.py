"""Starts what waits in the queues of providers that keep one. Reads no backend, and needs no lock of the stack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from expiac.apply.events import Reporter, Warned
from expiac.apply.refresh import id_of
from expiac.providers.base import AdvancesQueue, Id, Provider
from expiac.state.model import State
from expiac.util.errors import ExpiacError


def advance_queues(state: State, providers: Mapping[str, Provider], reporter: Reporter) -> None:
    """Asks each provider with a queue to start what fits; a failure is a warning, because the next command tries again.

    A launch that was accepted is normally started by the process that ends before it. This is for the case that
    nobody is left to do so, for example after a `kill -9` or a reboot.
    """
    for name, ids in _live_launches(state).items():
        provider: object = providers.get(name)
        if not isinstance(provider, AdvancesQueue):
            continue
        try:
            provider.advance_queue(ids)
        except ExpiacError as error:
            reporter.on_event(Warned(f"the queue of {name} was not moved on: {error.summary}: {error.detail}"))


def _live_launches(state: State) -> Mapping[str, list[Id]]:
    """The launches that have not ended, by provider."""
    launches: dict[str, list[Id]] = defaultdict(list)
    for record in state.records.values():
        if record.status.is_live:
            launches[record.provider].append(id_of(record, state.lineage))
    return launches

"""Releases what ended launches still hold, such as a cluster, so that nobody pays for what has ended.

The output `cluster` of an ended launch says that it holds one. If the release fails, the output stays, and the next
command tries again. Besides, the machines have a time limit of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence

from expiac.apply.events import Reporter, Warned
from expiac.apply.refresh import holds_cluster, id_of
from expiac.providers.base import Id, Provider
from expiac.providers.ending import Releases
from expiac.providers.outputs import cluster_in, without_cluster
from expiac.state.events import Observed
from expiac.state.journal import Journal
from expiac.state.model import Record, State


def records_to_release(state: State, unseen: Container[str]) -> list[Record]:
    """The ended launches that hold something, those that could not be seen excepted."""
    return [record for record in state.records.values() if holds_cluster(record) and record.address not in unseen]


def release(records: Sequence[Record], journal: Journal, providers: Mapping[str, Provider], reporter: Reporter) -> None:
    """Lets all of them go, and writes it down."""
    held: dict[str, dict[Id, Record]] = defaultdict(dict)
    for record in records:
        held[record.provider][id_of(record, journal.state.lineage)] = record
    for name, by_id in held.items():
        provider: object = providers.get(name)
        if not isinstance(provider, Releases):
            continue
        for id, error in provider.release_many(list(by_id)):
            record = by_id[id]
            if error is not None:
                cluster = cluster_in(record.outputs)
                reporter.on_event(Warned(f"{record.address}: {cluster} still stands: {error.detail}"))
                continue
            outputs = without_cluster(record.outputs)
            released = Observed(record.address, record.status, outputs, record.detail, record.seconds)
            journal.append(released, durable=False)

"""Asks the providers what runs, and says how that differs from the record. Writes nothing: it returns events.

One call per provider, whatever the number of resources. An effect that a killed process left open is resolved
here: it happened, or it surely did not, or nobody can tell, and then it stays open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from expiac.apply.judging import judge, judge_anew
from expiac.providers.base import Id, Observation, Presence, Provider
from expiac.providers.outputs import cluster_in, without_cluster
from expiac.state.events import Effect, EffectDone, EffectFailed, Entry, Event, Observed
from expiac.state.fold import fold
from expiac.state.model import Pending, Record, State
from expiac.state.status import Status
from expiac.util.errors import Unavailable


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What one round of questions to the providers found."""

    events: tuple[Event, ...] = ()
    """What the journal does not say yet."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """Addresses that could not be seen, and why."""
    duplicates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Addresses whose launch was made more than once, and its jobs besides the earliest."""

    def applied_to(self, state: State) -> State:
        """The state as it is seen: for planning, in memory."""
        seen = fold(state, (Entry(0, "", event) for event in self.events))
        if not self.unseen:
            return seen
        records = {address: replace(record, unseen=self.unseen.get(address, ""))
                   for address, record in seen.records.items()}
        return replace(seen, records=records)


def query(state: State, providers: Mapping[str, Provider]) -> RefreshResult:
    """Asks the providers about every record that may have changed by itself."""
    events: list[Event] = [*judge_anew(state.records.values(), providers, state.lineage)]
    state = fold(state, (Entry(0, "", event) for event in events))
    asked: dict[str, list[Record]] = defaultdict(list)
    for record in state.records.values():
        if record.pending is not None or record.status.is_live or record.status is Status.LOST or holds_cluster(record):
            asked[record.provider].append(record)
    seen: list[Event] = []
    unseen: dict[str, str] = {}
    duplicates: dict[str, Sequence[str]] = {}
    for name, records in asked.items():
        for address, observation in _read(providers.get(name), name, records, state.lineage).items():
            if observation.presence is Presence.UNKNOWN:
                unseen[address] = observation.detail or f"{name} gave no complete answer"
            else:
                seen += _events(state.records[address], observation)
            if observation.duplicates:
                duplicates[address] = observation.duplicates
    events += [event for event in seen if not isinstance(event, EffectDone | Observed)]
    ends = [event for event in seen if isinstance(event, EffectDone | Observed)]
    events += judge(ends, state.records, providers, state.lineage)
    return RefreshResult(tuple(events), unseen, duplicates)


def holds_cluster(record: Record) -> bool:
    """Whether an ended launch still holds a cluster."""
    return record.status.is_over and cluster_in(record.outputs) is not None


def id_of(record: Record, lineage: str) -> Id:
    """The launch that a record stands for, as its provider names it."""
    return Id(lineage, record.run.instance, record.run.launch, record.handle)


def _read(provider: Provider | None, name: str, records: list[Record], lineage: str) -> dict[str, Observation]:
    if provider is None:
        unknown = Observation(Presence.UNKNOWN, detail=f"this project has no provider called {name}")
        return {record.address: unknown for record in records}
    ids = {id_of(record, lineage): record.address for record in records}
    try:
        seen = provider.read_many(list(ids))
    except Unavailable as error:
        unknown = Observation(Presence.UNKNOWN, detail=f"{error.summary}: {error.detail}".rstrip(": "))
        return {record.address: unknown for record in records}
    silent = Observation(Presence.UNKNOWN, detail=f"{name} did not answer for it")
    return {address: seen.get(id_, silent) for id_, address in ids.items()}


def _events(record: Record, seen: Observation) -> list[Event]:
    present = seen.presence is Presence.PRESENT
    if record.pending is not None:
        return _resolve(record, record.pending, seen, present)
    if record.status.is_over and not present:
        outputs = without_cluster(record.outputs)
        return [Observed(record.address, record.status, outputs, record.detail, record.seconds)]
    if not present:
        return [] if record.status is Status.LOST else [Observed(record.address, Status.LOST, record.outputs)]
    if record.has_result and record.judgement is not None and seen.status is Status.SUCCEEDED:
        seen = replace(seen, status=record.status, detail=record.detail)  # the judgement stands
    if (seen.status, dict(seen.outputs), seen.detail) == (record.status, dict(record.outputs), record.detail):
        return []
    return [Observed(record.address, seen.status, seen.outputs, seen.detail, seen.seconds, began_at=seen.began_at)]


def _resolve(record: Record, pending: Pending, seen: Observation, present: bool) -> list[Event]:
    address = record.address
    match pending.effect:
        case Effect.CREATE:
            if present:
                return [EffectDone(address, seen.status, seen.outputs, seen.detail, seen.seconds,
                                   began_at=seen.began_at)]
            return [EffectFailed(address, "interrupted before it was launched")]
        case Effect.UPDATE:
            return [EffectFailed(address, "interrupted")]
        case Effect.DELETE:
            if present and seen.status.is_live:
                return [EffectFailed(address, "interrupted before it ended")]
            status = seen.status if present else Status.CANCELLED
            outputs = seen.outputs if present else record.outputs
            return [EffectDone(address, status, outputs, seen.detail, seen.seconds)]

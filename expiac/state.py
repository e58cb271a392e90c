"""What is known to exist: a fold of events. Knows nothing of files; `journal` keeps the events.

An event is one past-tense fact. `fold` is the whole meaning of a state file: replaying the events gives the State.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, ClassVar, assert_never

from expiac.options import Options
from expiac.resource import rename_refs
from expiac.status import Status

Json = Mapping[str, Any]


class _Fact:
    """Refuses keys it does not know: a field of a newer release is never dropped in silence."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


class Effect(str, Enum):
    """What is done to the world, by a provider."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class After(str, Enum):
    """What a delete makes room for, so that an interrupted one can be continued."""

    NOTHING = "nothing"
    REPLACE = "replace"
    RELAUNCH = "relaunch"


@dataclass(frozen=True, slots=True)
class Run(_Fact):
    """One (address, fingerprint, attempt), and which launch of it: what a provider is asked to bring about once."""

    instance: str
    """Folder, backend job name and W&B run id: `<stack>.<job>.<8 hex>`."""
    fingerprint: str
    attempt: int
    launch: int


@dataclass(frozen=True, slots=True)
class Pending(_Fact):
    """An effect that was started and whose end is not known."""

    effect: Effect
    after: After = After.NOTHING
    inputs: Json = field(default_factory=dict)
    """An update's new inputs."""


@dataclass(frozen=True, slots=True)
class Record(_Fact):
    """One entry of State: what was asked for, under which name, and how it was last seen."""

    address: str
    type: str
    provider: str
    run: Run
    inputs: Json
    depends_on: tuple[str, ...] = ()
    upstream: Json = field(default_factory=dict)
    """The instance of each run it refers to, by address."""
    status: Status = Status.PENDING
    outputs: Json = field(default_factory=dict)
    handle: Json = field(default_factory=dict)
    """What the provider noted of a request in flight."""
    detail: str = ""
    """The backend's own words about the status: a failure reason, an exit code."""
    seconds: float | None = None
    """How long its last launch ran, once that has ended, where the backend knows."""
    pending: Pending | None = None
    approval: int = 0
    """Serial of the Approved under which it was launched."""
    at: str = ""
    """When it was launched, ISO 8601, UTC."""
    ended_at: str = ""
    """When it was archived."""
    replaced_by: str = ""
    """The run whose start archived it; where that is never born, it comes back."""
    options: Options = Options()
    """How it is to be treated; those that outlive its declaration."""
    unseen: str = ""
    """Why the last refresh could not see it. Never written."""


@dataclass(frozen=True, slots=True)
class ApprovedStep(_Fact):
    """One step of an approved plan, as the history tells it."""

    address: str
    action: str
    reason: str = ""
    changes: tuple[str, ...] = ()
    """Each as a plan shows it: `gpus: 4 → 8`."""


@dataclass(frozen=True, slots=True)
class Approved(_Fact):
    """A plan was approved: by whom, from what. Every launch until the next one belongs to it."""

    tag: ClassVar[str] = "approved"
    overrides: Json = field(default_factory=dict)
    program: str = ""
    summary: Json = field(default_factory=dict)
    provenance: Json = field(default_factory=dict)
    steps: tuple[ApprovedStep, ...] = ()
    """What the plan does, without what it keeps."""


@dataclass(frozen=True, slots=True)
class Started(_Fact):
    """An effect is about to happen; durable before it does."""

    tag: ClassVar[str] = "started"
    address: str
    effect: Effect
    type: str
    provider: str
    run: Run
    after: After = After.NOTHING
    inputs: Json = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    upstream: Json = field(default_factory=dict)
    reason: str = ""
    handle: Json = field(default_factory=dict)
    """What is known of the launch before it begins: a job launched by other means, which it adopts."""
    options: Options = Options()


@dataclass(frozen=True, slots=True)
class Submitted(_Fact):
    """The provider noted a request in flight."""

    tag: ClassVar[str] = "submitted"
    address: str
    handle: Json


@dataclass(frozen=True, slots=True)
class EffectDone(_Fact):
    """The effect that was started has happened."""

    tag: ClassVar[str] = "done"
    address: str
    status: Status
    outputs: Json = field(default_factory=dict)
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class EffectFailed(_Fact):
    """The effect that was started has surely not happened."""

    tag: ClassVar[str] = "failed"
    address: str
    error: str


@dataclass(frozen=True, slots=True)
class Observed(_Fact):
    """The world was seen to differ from the record. No decision, so the serial stays."""

    tag: ClassVar[str] = "observed"
    address: str
    status: Status
    outputs: Json = field(default_factory=dict)
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Forgotten(_Fact):
    """The record was archived; the run's outputs stay."""

    tag: ClassVar[str] = "forgotten"
    address: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Noted(_Fact):
    """What a declaration says besides its inputs was recorded anew; nothing happened to the world."""

    tag: ClassVar[str] = "noted"
    address: str
    depends_on: tuple[str, ...] = ()
    options: Options = Options()


@dataclass(frozen=True, slots=True)
class Moved(_Fact):
    """Records stand at other addresses; their runs keep their names, and what refers to them follows."""

    tag: ClassVar[str] = "moved"
    moves: Mapping[str, str]
    """Old address → new address."""


Event = Approved | Started | Submitted | EffectDone | EffectFailed | Observed | Forgotten | Noted | Moved
EVENTS: Mapping[str, type[Event]] = {kind.tag: kind for kind in Event.__args__}


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it stands in the journal: its number and its time."""

    number: int
    at: str
    event: Event


@dataclass(frozen=True, slots=True)
class Approval(_Fact):
    """An approval in its place: the serial from which launches belong to it."""

    serial: int
    at: str
    approved: Approved


@dataclass(frozen=True)
class State:
    """What is known to exist under one stack's name, in one checkout."""

    stack: str
    lineage: str
    serial: int = 0
    """How many decisions were made; an observation is none."""
    records: Mapping[str, Record] = field(default_factory=dict)
    """The present record of each address."""
    history: tuple[Record, ...] = ()
    """Archived runs, oldest first."""
    approvals: tuple[Approval, ...] = ()
    """What was approved, oldest first."""

    @property
    def approval(self) -> int:
        """The serial of the last approval; 0 where there is none."""
        return self.approvals[-1].serial if self.approvals else 0

    @property
    def approved(self) -> Approved | None:
        """The last approval."""
        return self.approvals[-1].approved if self.approvals else None


def fold(state: State, entries: Iterable[Entry]) -> State:
    """The state after the entries."""
    folding = Fold(state)
    for entry in entries:
        folding.add(entry)
    return folding.state


class Fold:
    """A state in the making. One copy at the beginning, then a constant cost per entry, however many records."""

    def __init__(self, state: State) -> None:
        self._known: State | None = state
        self._base = state
        self._records, self._history = dict(state.records), list(state.history)
        self._serial, self._approvals = state.serial, list(state.approvals)

    @property
    def state(self) -> State:
        """The state so far; a copy is made only where something was added since."""
        if self._known is None:
            self._known = State(self._base.stack, self._base.lineage, self._serial, dict(self._records),
                                tuple(self._history), tuple(self._approvals))
        return self._known

    def record(self, address: str) -> Record | None:
        """The present record of an address."""
        return self._records.get(address)

    def add(self, entry: Entry) -> None:
        """Takes one event in. Raises KeyError or AssertionError where it can't follow what was before."""
        event, records, history = entry.event, self._records, self._history
        serial = self._serial + (not isinstance(event, Observed))
        match event:
            case Approved():
                self._approvals.append(Approval(serial, entry.at, event))
            case Started():
                _start(event, records, history, self._approvals[-1].serial if self._approvals else 0, entry.at)
            case Submitted():
                record = records[event.address]
                records[event.address] = replace(record, handle={**record.handle, **event.handle})
            case EffectDone():
                _finish(event, records, history, entry.at)
            case EffectFailed():
                _fail(event, records, history)
            case Observed():
                records[event.address] = replace(
                    records[event.address], status=event.status, outputs=event.outputs, detail=event.detail,
                    seconds=event.seconds)
            case Forgotten():
                history.append(replace(records.pop(event.address), ended_at=entry.at))
            case Noted():
                records[event.address] = replace(
                    records[event.address], depends_on=event.depends_on, options=event.options)
            case Moved():
                self._records = _moved(records, event.moves)
            case _:
                assert_never(event)
        self._serial, self._known = serial, None


def _start(event: Started, records: dict[str, Record], history: list[Record], approval: int, at: str) -> None:
    record = records.get(event.address)
    if event.effect is not Effect.CREATE:
        assert record is not None, f"{event.effect.value} of an unrecorded {event.address}"
        records[event.address] = replace(record, pending=Pending(event.effect, event.after, event.inputs))
        return
    if record is not None and record.run.instance != event.run.instance:
        history.append(replace(record, ended_at=at, replaced_by=event.run.instance))
    records[event.address] = Record(
        event.address, event.type, event.provider, event.run, event.inputs, event.depends_on, event.upstream,
        handle=event.handle, pending=Pending(event.effect, event.after), approval=approval, at=at,
        options=event.options)


def _finish(event: EffectDone, records: dict[str, Record], history: list[Record], at: str) -> None:
    record = records[event.address]
    assert record.pending is not None, f"the end of an effect on {event.address} that was never started"
    done = replace(record, pending=None, status=event.status, outputs=event.outputs, detail=event.detail,
                   seconds=event.seconds)
    if record.pending.effect is Effect.UPDATE:
        records[event.address] = replace(done, inputs=record.pending.inputs)
    elif record.pending.effect is Effect.CREATE:
        records[event.address] = done
    elif record.pending.after is After.RELAUNCH:
        # A run that finished before the stop reached it has its result; nothing is launched again.
        kept = event.status if event.status is Status.SUCCEEDED else Status.STOPPED
        records[event.address] = replace(done, status=kept)
    else:
        history.append(replace(done, ended_at=at))
        del records[event.address]


def _fail(event: EffectFailed, records: dict[str, Record], history: list[Record]) -> None:
    record = records[event.address]
    pending = record.pending
    if pending is not None and pending.effect is Effect.CREATE:
        if record.run.launch == 1:
            del records[event.address]  # never born: as if it had not been asked for
            _bring_back(record, records, history)
        else:
            # The launch was not born, so its number is free: the next try carries it out under the same name.
            run = replace(record.run, launch=record.run.launch - 1)
            records[event.address] = replace(record, run=run, pending=None, status=Status.STOPPED, detail=event.error)
    else:
        records[event.address] = replace(record, pending=None)


def _moved(records: Mapping[str, Record], moves: Mapping[str, str]) -> dict[str, Record]:
    """The records at their new addresses, in their order, and what they say of each other under the new names."""
    assert moves.keys() <= records.keys(), f"a move of unrecorded {sorted(moves.keys() - records.keys())}"
    moved = {moves.get(address, address): record for address, record in records.items()}
    assert len(moved) == len(records), "two records at one address"
    return {address: _renamed(record, address, moves) for address, record in moved.items()}


def _renamed(record: Record, address: str, moves: Mapping[str, str]) -> Record:
    needs = {*record.depends_on, *record.upstream} & moves.keys()
    if record.address == address and not needs:
        return record
    return replace(
        record, address=address, inputs=rename_refs(dict(record.inputs), moves) if needs else record.inputs,
        depends_on=tuple(moves.get(name, name) for name in record.depends_on),
        upstream={moves.get(name, name): instance for name, instance in record.upstream.items()})


def _bring_back(unborn: Record, records: dict[str, Record], history: list[Record]) -> None:
    """The finished run that the unborn one was to replace stands at its address again."""
    for place in range(len(history) - 1, -1, -1):
        earlier = history[place]
        if earlier.address == unborn.address:
            if earlier.replaced_by == unborn.run.instance:
                records[earlier.address] = replace(history.pop(place), ended_at="", replaced_by="")
            return

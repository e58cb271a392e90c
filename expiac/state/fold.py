"""Events, to what they add up to: the whole meaning of a state file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from expiac.declare.resource import rename_refs
from expiac.state.events import (
    DESTROYED,
    After,
    Approved,
    Effect,
    EffectDone,
    EffectFailed,
    Entry,
    Forgotten,
    Moved,
    Noted,
    NoticeDue,
    NoticeSent,
    Observed,
    Pruned,
    Restored,
    Started,
    Submitted,
    TrialTold,
)
from expiac.state.facts import PastLaunch
from expiac.state.model import Approval, Notice, Pending, Record, State
from expiac.state.status import Status

_AT_WORK = (Status.STARTING, Status.RUNNING, Status.RECOVERING)


class InvalidEvent(ValueError):
    """An event that cannot follow what was before it: in a file that is damage, in an append our mistake."""


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
        """Takes one event in. Raises `InvalidEvent` where it can't follow what was before."""
        event, records, history = entry.event, self._records, self._history
        serial = self._serial + (not isinstance(event, Observed | NoticeDue | NoticeSent))
        match event:
            case Approved():
                self._approvals.append(Approval(serial, entry.at, event))
            case Started():
                approval = self._approvals[-1].serial if self._approvals and not event.handle else 0
                _start(event, records, history, approval, entry.at)
            case Submitted():
                record = _present(records, event.address)
                records[event.address] = replace(record, handle={**record.handle, **event.handle})
            case EffectDone():
                _finish(event, records, history, entry.at)
            case EffectFailed():
                _fail(event, records, history)
            case Observed():
                record = _present(records, event.address)
                records[event.address] = replace(record, status=event.status, outputs=event.outputs,
                                                 detail=event.detail, seconds=event.seconds,
                                                 judgement=event.judgement or record.judgement,
                                                 began_at=_began_at(record, event, entry.at),
                                                 finished_at=_finished_at(record, event.status, entry.at))
            case Forgotten():
                record = _present(records, event.address)
                history.append(replace(record, ended_at=entry.at, discarded=event.discarded))
                del records[event.address]
            case Restored():
                _restore(event, records, history, entry.at)
            case Pruned():
                history[:] = [replace(record, pruned_at=entry.at) if record.run.instance in event.instances else record
                              for record in history]
            case Noted():
                record = _present(records, event.address)
                records[event.address] = replace(
                    record, depends_on=event.depends_on, options=event.options,
                    inputs=record.inputs if event.inputs is None else event.inputs,
                    upstream=record.upstream if event.upstream is None else event.upstream)
            case TrialTold():
                record = _present(records, event.address)
                if record.run.instance != event.instance:
                    raise InvalidEvent(f"the outcome of {event.instance}, which is not at {event.address}")
                records[event.address] = replace(record, outcome=event.outcome)
            case NoticeDue():
                record = _present(records, event.address)
                notices = {**record.notices, event.occasion: Notice(event.reason)}
                records[event.address] = replace(record, notices=notices)
            case NoticeSent():
                for address, record in records.items():
                    records[address] = _told(record, event)
                history[:] = [_told(record, event) for record in history]
            case Moved():
                self._records = _move(records, event.moves)
            case _:
                assert_never(event)
        self._serial, self._known = serial, None


def _told(record: Record, event: NoticeSent) -> Record:
    """The record, of which somebody was told if it is that of the event's run."""
    if record.run.instance != event.instance or event.occasion not in record.notices:
        return record
    notice = replace(record.notices[event.occasion], is_sent=True)
    return replace(record, notices={**record.notices, event.occasion: notice})


def _present(records: Mapping[str, Record], address: str) -> Record:
    if address not in records:
        raise InvalidEvent(f"an event of an unrecorded {address}")
    return records[address]


def _start(event: Started, records: dict[str, Record], history: list[Record], approval: int, at: str) -> None:
    record = records.get(event.address)
    if event.effect is not Effect.CREATE:
        if record is None:
            raise InvalidEvent(f"{event.effect.value} of an unrecorded {event.address}")
        records[event.address] = replace(
            record, pending=Pending(event.effect, event.after, event.inputs, references=event.references))
        return
    before, earlier = 0, tuple[PastLaunch, ...]()
    if record is not None and record.run.instance != event.run.instance:
        history.append(replace(record, ended_at=at, replaced_by=event.run.instance))
    elif record is not None:
        before, earlier = record.approval, _used(record)
    records[event.address] = Record(
        event.address, event.type, event.provider, event.run, event.inputs, event.depends_on, event.upstream,
        handle=event.handle, pending=Pending(event.effect, event.after, approval=before), approval=approval, at=at,
        options=event.options, trial=event.trial, sampler=event.sampler, references=event.references, earlier=earlier)


def _finish(event: EffectDone, records: dict[str, Record], history: list[Record], at: str) -> None:
    record = _present(records, event.address)
    if record.pending is None:
        raise InvalidEvent(f"the end of an effect on {event.address} that was never started")
    done = replace(record, pending=None, status=event.status, outputs=event.outputs, detail=event.detail,
                   seconds=event.seconds, judgement=event.judgement or record.judgement,
                   began_at=_began_at(record, event, at), finished_at=_finished_at(record, event.status, at))
    if record.pending.effect is Effect.UPDATE:
        known = {one.text: one for one in (*record.references, *record.pending.references)}
        records[event.address] = replace(done, inputs=record.pending.inputs, references=tuple(known.values()))
    elif record.pending.effect is Effect.CREATE:
        records[event.address] = done
    elif record.pending.after is After.RELAUNCH:
        # A run that finished before the stop reached it has its result; nothing is launched again.
        records[event.address] = done if done.has_result else replace(done, status=Status.STOPPED)
    else:
        discarded = DESTROYED if record.pending.after is After.DESTROY else ""
        history.append(replace(done, ended_at=at, discarded=discarded))
        del records[event.address]


def _finished_at(record: Record, status: Status, at: str) -> str:
    """When it was first recorded to have ended; empty while it has not."""
    has_ended = status.is_over or status is Status.LOST
    return record.finished_at or at if has_ended else ""


def _began_at(record: Record, event: EffectDone | Observed, at: str) -> str:
    """When its launch began to run: as its backend says, else when it was first recorded not to wait any more."""
    is_first_sight = record.status is Status.PENDING and event.status in _AT_WORK
    return event.began_at or record.began_at or (at if is_first_sight else "")


def _used(record: Record) -> tuple[PastLaunch, ...]:
    """What the launches of a run have used that is launched again."""
    last = PastLaunch(record.ran_seconds or 0.0, record.cost)
    return record.earlier if last == PastLaunch() else (*record.earlier, last)


def _restore(event: Restored, records: dict[str, Record], history: list[Record], at: str) -> None:
    """What stood at the address is archived; a run that did not succeed is there to be launched again."""
    place = next((place for place in range(len(history) - 1, -1, -1)
                  if history[place].run.instance == event.instance), None)
    if place is None:
        raise InvalidEvent(f"a return of {event.instance}, which is not archived")
    earlier = history.pop(place)
    if (present := records.get(event.address)) is not None:
        history.append(replace(present, ended_at=at))
    stays = earlier.has_result or earlier.status.is_live
    records[event.address] = replace(
        earlier, address=event.address, inputs=event.inputs, depends_on=event.depends_on, upstream=event.upstream,
        options=event.options, status=earlier.status if stays else Status.STOPPED, ended_at="", replaced_by="",
        discarded="", pruned_at="", trial=event.trial, references=event.references,
        outcome=earlier.outcome if stays else None)


def _fail(event: EffectFailed, records: dict[str, Record], history: list[Record]) -> None:
    record = _present(records, event.address)
    pending = record.pending
    if pending is not None and pending.effect is Effect.CREATE:
        if record.run.launch == 1:
            del records[event.address]  # never launched: as if nobody had asked for it
            _bring_back(record, records, history)
        else:
            # Nothing was launched, so its number is free: the next try carries it out under the same name.
            run = replace(record.run, launch=record.run.launch - 1)
            records[event.address] = replace(record, run=run, pending=None, status=Status.STOPPED, detail=event.error,
                                             approval=pending.approval)
    else:
        records[event.address] = replace(record, pending=None)


def _move(records: Mapping[str, Record], moves: Mapping[str, str]) -> dict[str, Record]:
    """The records at their new addresses, in their order, and what they say of each other under the new names."""
    if unrecorded := sorted(moves.keys() - records.keys()):
        raise InvalidEvent(f"a move of unrecorded {', '.join(unrecorded)}")
    moved = {moves.get(address, address): record for address, record in records.items()}
    if len(moved) != len(records):
        raise InvalidEvent("two records at one address")
    return {address: _rename(record, address, moves) for address, record in moved.items()}


def _rename(record: Record, address: str, moves: Mapping[str, str]) -> Record:
    needs = {*record.depends_on, *record.upstream} & moves.keys()
    if record.address == address and not needs:
        return record
    inputs = rename_refs(dict(record.inputs), moves) if needs else record.inputs
    depends_on = tuple(moves.get(name, name) for name in record.depends_on)
    upstream = {moves.get(name, name): instance for name, instance in record.upstream.items()}
    return replace(record, address=address, inputs=inputs, depends_on=depends_on, upstream=upstream)


def _bring_back(unborn: Record, records: dict[str, Record], history: list[Record]) -> None:
    """The finished run that the unborn one was to replace stands at its address again, wherever that is by now."""
    for place in range(len(history) - 1, -1, -1):
        if history[place].replaced_by == unborn.run.instance:
            records[unborn.address] = replace(history.pop(place), address=unborn.address, ended_at="", replaced_by="")
            return

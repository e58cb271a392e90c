"""Says what is wrong with a state: what no events may ever lead to, whatever was asked for or went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from expiac.state.model import Record, State


def flaws(state: State, before: State | None = None) -> list[str]:
    """Everything in the state that contradicts itself, or the state `before` it; nothing, where it is whole."""
    moves = _find_set_back(before, state) if before else ()
    return [*_find_misplaced(state), *_find_doubled(state), *_find_ahead(state), *_find_baseless(state), *moves]


def _everything(state: State) -> list[Record]:
    return [*state.records.values(), *state.history]


def _find_misplaced(state: State) -> Iterator[str]:
    """An address has one record, its own; what was archived has ended, unless it was to go on."""
    for address, record in state.records.items():
        if record.address != address:
            yield f"{record.address} stands at {address}"
    for record in state.history:
        if record.pending is not None or (record.status.is_live and not record.options.retain):
            yield f"{record.run.instance} is archived and {'pending' if record.pending else record.status.value}"


def _find_doubled(state: State) -> Iterator[str]:
    count = Counter(record.run.instance for record in _everything(state))
    yield from (f"{instance} stands {times} times" for instance, times in count.items() if times > 1)


def _find_ahead(state: State) -> Iterator[str]:
    """Nothing belongs to an approval that was not given yet."""
    if not 0 <= state.approval <= state.serial:
        yield f"approval {state.approval} at serial {state.serial}"
    for record in _everything(state):
        if not 0 <= record.approval <= state.approval:
            yield f"{record.run.instance} belongs to approval {record.approval} of {state.approval}"


def _find_baseless(state: State) -> Iterator[str]:
    """Each run that another one refers to is known, and was there first."""
    known = {record.run.instance: record for record in _everything(state)}  # it may have another name by now
    for record in _everything(state):
        for instance in record.upstream.values():
            base = known.get(instance)
            if base is None:
                yield f"{record.run.instance} refers to {instance}, which nobody knows"
            elif base.run.launch == 1 and 0 < record.approval < base.approval:
                yield f"{record.run.instance} was launched before {instance}, to which it refers"


def _find_set_back(before: State, after: State) -> Iterator[str]:
    if after.lineage != before.lineage:
        yield f"lineage {before.lineage} became {after.lineage}"
    if after.serial < before.serial:
        yield f"serial {before.serial} went back to {after.serial}"
    lost = {record.run.instance for record in before.history} - {one.run.instance for one in _everything(after)}
    yield from (f"{instance} was archived and is gone" for instance in sorted(lost))

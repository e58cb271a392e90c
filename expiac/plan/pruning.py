"""Which runs of a stack may go from the disk: those that are archived, and that nothing refers to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from expiac.state.model import Record, State
from expiac.util.hashing import canonical


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """Which archived runs are meant."""

    keep: int = 0
    """How many of each job stay, the last archived ones."""
    older_than: float = 0.0
    """Seconds; one that was archived later than that ago stays."""


@dataclass(frozen=True, slots=True)
class Prunable:
    """A run that can go."""

    record: Record
    size: int
    """Bytes that are freed if it alone goes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An archived run that was meant and stays, and why."""

    record: Record
    why: str


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a prune would remove, and the state that it stands on."""

    stack: str
    lineage: str
    serial: int
    options: PruneOptions
    runs: tuple[Prunable, ...] = ()
    kept: tuple[Kept, ...] = ()
    size: int = 0
    """Bytes that are freed in all."""


def select_runs(state: State, options: PruneOptions, now: datetime) -> tuple[Record, ...]:
    """The archived runs that are meant, oldest first; never one that is present too."""
    present = {record.run.instance for record in state.records.values()}
    unsure = {record.run.instance for record in state.records.values() if record.pending is not None}
    archived = {record.run.instance: record for record in state.history if record.run.instance not in present}
    newer: Counter[str] = Counter()
    chosen = []
    for record in reversed(archived.values()):
        if record.pruned_at:
            chosen.append(record)  # whatever of it a killed prune has left
            continue
        if record.replaced_by in unsure:
            continue  # if that was never launched, this one comes back
        newer[record.address] += 1
        age = (now - datetime.fromisoformat(record.ended_at)).total_seconds() if record.ended_at else 0.0
        if newer[record.address] > options.keep and age >= options.older_than:
            chosen.append(record)
    return tuple(reversed(chosen))


def referrers(states: Iterable[State], files: Mapping[str, str]) -> dict[str, str]:
    """Texts in which the name of a run keeps it, by what they are: records that are present or live, and `files`."""
    texts = {f"{state.stack}.{record.address}": _text(record) for state in states for record in _current(state)}
    return {**texts, **files}


def why_referred(record: Record, texts: Mapping[str, str]) -> str:
    """Who refers to the run; empty where nobody does."""
    return next((f"{name} refers to it" for name, text in texts.items() if record.run.instance in text), "")


def _current(state: State) -> Iterator[Record]:
    yield from state.records.values()
    yield from (record for record in state.history if record.status.is_live)  # retained: it goes on


def _text(record: Record) -> str:
    """What a run was given: its upstream runs by name, and settings, in which a path may lead into another's folder."""
    elsewhere = [[one.instance, one.value] for one in record.references]
    return canonical([dict(record.upstream), dict(record.inputs), dict(record.handle), elsewhere])

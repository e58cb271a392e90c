"""Finds the run that exists for each declared resource, whatever its name. Pure, but for what it asks of `Archive`.

A run of the same settings is never made again where it need not be: a present record follows its settings to another
name, an unfinished run of the past goes on, and a result of the past stands again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from expiac.declare.fields import Kind
from expiac.plan.diff import diff, matches, settings_digest
from expiac.plan.identity import fingerprint, identity_digest
from expiac.plan.kinds import CONFIG, combine
from expiac.plan.model import Desired
from expiac.plan.references import results
from expiac.state.events import DESTROYED, REMOVED
from expiac.state.facts import PRUNED
from expiac.state.model import Record, State

Settings = tuple[str, str]
"""The type of a resource and its fingerprint."""


class Archive(Protocol):
    """What is known of the runs of the past besides their records."""

    def obstacles(self, records: Sequence[Record]) -> Mapping[str, str]:
        """Why a run can't be used again, by its instance: its outputs are gone, other code made it, it is elsewhere."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks for that bears on which run is taken."""

    fresh: bool = False
    """Take no run of the past."""
    reuse: bool = False
    """Take also results that were destroyed or made by other code."""
    replace: Collection[str] = ()
    """Addresses that are to have a new run."""
    adopt: Collection[str] = ()
    """Addresses whose run was launched by other means."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Which run each resource takes."""

    moves: Mapping[str, str] = field(default_factory=dict)
    """Old address → new address; where two records change places, both are in it."""
    same: Collection[str] = ()
    """Addresses whose record has the settings that are declared."""
    renamed: Collection[str] = ()
    """The new addresses of the runs that a resource takes over; other moves only make room for them."""
    restored: Mapping[str, Record] = field(default_factory=dict)
    """Address → the archived run that it takes."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Address → the archived run of these settings that it does not take, and why."""


def match_runs(desired: Sequence[Desired], state: State, wishes: Wishes, archive: Archive | None) -> Matches:
    """The run that each resource takes; one that takes none gets a new run."""
    matching = _Matching(state, wishes, archive, _aliases(desired, state))
    for level in _levels(desired):
        matching.add(level)
    return matching.result()


def restored_inputs(want: Desired, earlier: Record) -> dict[str, Any]:
    """The inputs of a run of the past as they stand now: the same, and under their present names what it refers to."""
    return combine(earlier.inputs, want.inputs, want.kinds, taken={Kind.IDENTITY})


def _aliases(desired: Sequence[Desired], state: State) -> dict[str, str]:
    """New address → old address of the records that a resource takes over by one of its aliases."""
    declared = {want.address for want in desired}
    taken: dict[str, str] = {}
    for want in desired:
        if want.address in state.records:
            continue
        old = next((name for name in want.options.aliases
                    if name in state.records and name not in declared and name not in taken.values()), None)
        if old is not None and state.records[old].type == want.type:
            taken[want.address] = old
    return taken


def _levels(desired: Sequence[Desired]) -> list[list[Desired]]:
    """The resources in groups, each of which refers only to those before it."""
    depth: dict[str, int] = {}
    levels: list[list[Desired]] = []
    for want in desired:
        depth[want.address] = max((depth[ref.resource] + 1 for ref in want.refs), default=0)
        levels += [[] for _ in range(depth[want.address] + 1 - len(levels))]
        levels[depth[want.address]].append(want)
    return levels


class _Matching:
    """The runs taken so far. Two resources of one level only can have the same settings."""

    def __init__(self, state: State, wishes: Wishes, archive: Archive | None, aliases: Mapping[str, str]) -> None:
        self._records, self._wishes, self._archive = state.records, wishes, archive
        self._claims = dict(aliases)
        """Address → the address at which its record stands."""
        self._taken = set(aliases.values())
        self._same: set[str] = set()
        self._reused: set[str] = set()
        self._restored: dict[str, Record] = {}
        self._left: dict[str, str] = {}
        self._instances: dict[str, str] = {}
        """The run of each resource that has one already."""
        self._present = _by_settings(state.records.values())
        self._archived = _by_settings(reversed(state.history))
        self._ignoring: dict[tuple[str, tuple[str, ...]], dict[str, list[Record]]] = {}
        """The present records of a type, by their settings without those that patterns ignore."""

    def add(self, level: Sequence[Desired]) -> None:
        """Matches resources whose upstream is matched. Those that have their run keep it, whoever else could use it."""
        settings = {want.address: (want.type, identity) for want in level if (identity := self._identity(want))}
        for want in level:
            self._claim_own(want, settings.get(want.address))
        open_wants = [want for want in level if want.address in settings and self._may_match(want)]
        for want in open_wants:
            self._claim_other(want, settings[want.address])
        for want in open_wants:
            if want.options.ignore_changes and want.address not in self._claims:
                self._claim_ignoring(want)
        self._restore([want for want in open_wants if want.address not in self._claims], settings)
        for want in level:
            self._keep_unresolved(want)

    def _keep_unresolved(self, want: Desired) -> None:
        """Whatever is declared, a run that can't be seen is left alone: what refers to it goes on referring to it."""
        record = self._records.get(self._claims.get(want.address, want.address))
        if record is None or want.address in self._instances or not (record.pending or record.unseen):
            return
        if record.address not in self._taken or want.address in self._claims:
            self._instances[want.address] = record.run.instance

    def result(self) -> Matches:
        """The matches, with the records that make room for others."""
        moves = {old: new for new, old in self._claims.items() if old != new}
        renamed = frozenset(moves.values())
        for start in [old for old in moves if old not in renamed]:
            end = moves[start]
            while end in moves:
                end = moves[end]
            if end in self._records:
                moves[end] = start
        return Matches(moves, frozenset(self._same), renamed, self._restored, self._left)

    def _identity(self, want: Desired) -> str:
        """Its fingerprint; empty where it refers to a run that is yet to be made."""
        upstream = {ref.resource: self._instances.get(ref.resource, "") for ref in want.refs}
        elsewhere = results(want.references).values()
        return fingerprint(want.digest, [*upstream.values(), *elsewhere]) if all(upstream.values()) else ""

    def _claim_own(self, want: Desired, settings: Settings | None) -> None:
        old = self._claims.get(want.address, want.address)
        record = self._records.get(old)
        if record is None or settings is None or record.type != want.type:
            return
        if record.run.fingerprint == settings[1] or self._is_same(want, record, settings[1]):
            self._claim(want, record)

    def _is_same(self, want: Desired, record: Record, identity: str) -> bool:
        """Whether its settings are those of a record from before the kind of a field was changed."""
        if not any(key.startswith(f"{CONFIG}.") for key in want.kinds):
            return False
        upstream = {ref.resource: self._instances[ref.resource] for ref in want.refs}
        if any(record.upstream.get(address) != instance for address, instance in upstream.items()):
            return False
        own = identity_digest(record.type, record.inputs, want.kinds, want.refs, record.references)
        return fingerprint(own, [*upstream.values(), *results(record.references).values()]) == identity

    def _claim(self, want: Desired, record: Record) -> None:
        self._claims[want.address] = record.address
        self._taken.add(record.address)
        self._same.add(want.address)
        if want.address not in self._wishes.replace and not _is_forced(want, record):
            self._instances[want.address] = record.run.instance

    def _may_match(self, want: Desired) -> bool:
        """Whether it may take a run that is not at its address."""
        if want.address in self._claims or want.address in self._wishes.replace or want.address in self._wishes.adopt:
            return False
        own = self._records.get(want.address)
        is_open = own is not None and bool(own.pending or own.unseen)
        return want.completes and want.options.reuse and not is_open

    def _claim_other(self, want: Desired, settings: Settings) -> None:
        """Takes a present record of the same settings that nobody else takes: one that lives before one that ended."""
        free = [record for record in self._present[settings]
                if record.address not in self._taken and not _is_forced(want, record)]
        if free:
            self._claim(want, min(free, key=_preference))

    def _claim_ignoring(self, want: Desired) -> None:
        """Takes a present record that differs only in what the resource ignores, and that nothing launches again: a
        launch would not have the recorded values."""
        patterns = want.options.ignore_changes
        key = (want.type, patterns)
        if key not in self._ignoring:
            self._ignoring[key] = defaultdict(list)
            for record in (one for one in self._records.values() if one.type == want.type):
                self._ignoring[key][settings_digest(record.inputs, want.kinds, patterns)].append(record)
        upstream = {ref.resource: self._instances[ref.resource] for ref in want.refs}
        free = [record for record in self._ignoring[key][settings_digest(want.inputs, want.kinds, patterns)]
                if record.address not in self._taken and not _is_forced(want, record)
                and (record.status.is_live or record.has_result) and not (record.pending or record.unseen)
                and dict(record.upstream) == upstream and results(record.references) == results(want.references)]
        if free:
            self._claim(want, min(free, key=_preference))

    def _restore(self, wants: Sequence[Desired], settings: Mapping[str, Settings]) -> None:
        """Takes archived runs of the same settings: those of the same address first, whoever else could use them."""
        if self._wishes.fresh:
            return
        known = {want.address: [record for record in self._archived[settings[want.address]]
                                if not _is_forced(want, record)] for want in wants}
        usable = self._without_obstacles({one.run.instance: one for found in known.values() for one in found})
        for is_own in (True, False):
            for address, records in known.items():
                free = [record for record in records if usable[record.run.instance] == ""
                        and record.run.instance not in self._reused and (record.address == address) is is_own]
                if free and address not in self._restored:
                    self._take(address, min(free, key=_archived_preference))
        for address, records in known.items():
            if address not in self._restored and (left := [one for one in records if usable[one.run.instance]]):
                instance = left[0].run.instance
                self._left[address] = f"{instance} had these settings, {usable[instance]}"

    def _take(self, address: str, record: Record) -> None:
        self._restored[address] = record
        self._instances[address] = record.run.instance
        self._reused.add(record.run.instance)

    def _without_obstacles(self, records: Mapping[str, Record]) -> Mapping[str, str]:
        """Why each run can't be taken, by its instance; empty where it can."""
        whys = {instance: self._why_discarded(record) for instance, record in records.items()}
        usable = [record for instance, record in records.items() if not whys[instance]]
        return {**whys, **(self._archive.obstacles(usable) if self._archive and usable else {})}

    def _why_discarded(self, record: Record) -> str:
        if record.pruned_at:
            return "and was pruned"
        if self._wishes.reuse or not record.discarded:
            return ""
        if record.discarded == REMOVED:
            return "and was removed from the state (--reuse takes it)"
        is_given_up = record.discarded == DESTROYED and record.has_result
        return "and was destroyed (--reuse takes it)" if is_given_up else ""


def _by_settings(records: Iterable[Record]) -> Mapping[Settings, list[Record]]:
    found: dict[Settings, list[Record]] = defaultdict(list)
    for record in records:
        if record.outcome is None or record.outcome.state != PRUNED:  # a trial that was ended early is not taken up
            found[record.type, record.run.fingerprint].append(record)
    return found


def _preference(record: Record) -> int:
    return 0 if record.status.is_live else 1 if record.has_result or record.status.is_met else 2


def _archived_preference(record: Record) -> tuple[int, int, str]:
    """The best and newest first. In which order several were archived at once is left to chance, and does not count."""
    return _preference(record), -record.run.attempt, record.address


def _is_forced(want: Desired, record: Record) -> bool:
    """Whether a change that needs a new run, whatever kind of field it is, keeps it from taking this one."""
    patterns = want.options.replace_on_changes
    return bool(patterns) and any(matches(change.path, patterns)
                                  for change in diff(record.inputs, want.inputs, want.kinds))

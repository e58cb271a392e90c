"""Decides what should happen. Knows nothing of files, clouds or clocks.

`plan` is a total, pure function of what is desired and what is known. Destroying is planning toward nothing, so it
needs no program. Each branch below is a row of the table in `docs/lifecycle.md`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from expiac.declare.fields import Kind
from expiac.plan.diff import diff, matches
from expiac.plan.durations import Durations
from expiac.plan.identity import fingerprint, instance_name
from expiac.plan.model import Action, Change, Desired, Plan, Step
from expiac.providers.base import Found
from expiac.state.events import Entry, Moved, Run
from expiac.state.fold import fold
from expiac.state.model import Record, State
from expiac.state.status import Status


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the user asks for on the command line, and what the project says."""

    retry: bool = False
    """Launch failed and cancelled runs again."""
    replace: Collection[str] = ()
    """Addresses to run again though nothing changed."""
    target: Sequence[str] = ()
    """Patterns of addresses: only these, and what they need; all, where there is none."""
    exclude: Sequence[str] = ()
    """Patterns of addresses that are left as they are, with what needs them."""
    only: Collection[Action] = ()
    """Kinds of action to do; all, where there is none."""
    adopt: Mapping[str, Found] = field(default_factory=dict)
    """Jobs that expiac did not launch, by the address whose run each becomes."""
    destroy: bool = False
    """The whole stack is to end, whatever the program declares."""
    total_steps: str = ""
    """The key path at which inputs tell how many steps a run takes, as the project says; empty where it does not."""


def plan(desired: Sequence[Desired], state: State, options: PlanOptions | None = None) -> Plan:
    """The steps from what is known to what is desired; `desired` stands in dependency order."""
    serial = state.serial
    if moves := _moves(desired, state):
        state = fold(state, [Entry(0, "", Moved(moves))])
    world = _World(state, options or PlanOptions(), {new: old for old, new in moves.items()})
    for want in desired:
        world.steps[want.address] = world.step(want)
    removed = [record for address, record in state.records.items() if address not in world.steps]
    why = "to be destroyed" if world.options.destroy else "and no longer declared"
    for record in _dependents_first(removed):
        world.steps[record.address] = _leave(record, why)
    return Plan(state.stack, state.lineage, serial, _with_order(world.steps))


def _moves(desired: Sequence[Desired], state: State) -> dict[str, str]:
    """Old address → new address of the records that a declared resource takes over by one of its aliases."""
    declared = {want.address for want in desired}
    moves: dict[str, str] = {}
    for want in desired:
        if want.address in state.records:
            continue
        old = next((name for name in want.options.aliases
                    if name in state.records and name not in declared and name not in moves), None)
        if old is not None and state.records[old].type == want.type:
            moves[old] = want.address
    return moves


@dataclass
class _World:
    """The state and the steps decided so far."""

    state: State
    options: PlanOptions
    renames: Mapping[str, str]
    """New address → the address that is written."""
    steps: dict[str, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.earlier: dict[tuple[str, str], list[Record]] = defaultdict(list)
        self.durations = Durations(self.state)
        self.taken = {record.run.instance for record in (*self.state.history, *self.state.records.values())}
        for record in self.state.history:
            self.earlier[record.address, record.run.fingerprint].append(record)

    def step(self, want: Desired) -> Step:
        upstream = {ref.resource: self.steps[ref.resource].run.instance for ref in want.refs}
        identity = fingerprint(want.digest, tuple(upstream.values()))
        step = self._decide(want, identity, upstream, self.state.records.get(want.address))
        step = replace(step, desired=want, depends_on=want.depends_on, upstream=upstream,
                       renames=self.renames.get(want.address, ""))
        if not step.action.launches or step.adopts:
            return step
        if expected := self.durations.expected(want.address, want.inputs, want.kinds, self.options.total_steps):
            step = replace(step, expected_seconds=expected.seconds, expected_by_steps=expected.by_steps)
        return self._defer(step, want)

    def _decide(self, want: Desired, identity: str, upstream: Mapping[str, str], record: Record | None) -> Step:
        if record is None:
            why, run = self._why_new(want, identity), self._new_run(want, identity)
            if found := self.options.adopt.get(want.address):
                differs = f"differs in {', '.join(found.differences)}" if found.differences else ""
                return Step(want.address, want.type, Action.CREATE, f"adopts {found.said}", run, adopts=found.handle,
                            warning=differs)
            return Step(want.address, want.type, Action.CREATE, why, run)
        if record.unseen or record.pending:
            return _leave_alone(record)
        changes = diff(record.inputs, want.inputs, want.kinds)
        forced = [change.path for change in changes if matches(change.path, want.options.replace_on_changes)]
        if record.run.fingerprint != identity or want.address in self.options.replace or forced:
            return self._replace(want, identity, upstream, record, changes, forced)
        return _same_run(want, record, self._rename(want) + changes + _changes_of_options(record, want), self.options)

    def _rename(self, want: Desired) -> tuple[Change, ...]:
        old = self.renames.get(want.address)
        return (Change("name", old, want.address, Kind.OPTION),) if old else ()

    def _replace(
        self, want: Desired, identity: str, upstream: Mapping[str, str], record: Record, changes: tuple[Change, ...],
        forced: Sequence[str],
    ) -> Step:
        is_same = record.run.fingerprint == identity
        run = self._new_run(want, identity, also=record if is_same else None)
        reasons = self._why_replaced(want, identity, upstream, record, forced)
        shown = self._rename(want) + changes
        return Step(want.address, want.type, Action.REPLACE, "; ".join(reasons), run, shown, record=record)

    def _why_replaced(
        self, want: Desired, identity: str, upstream: Mapping[str, str], record: Record, forced: Sequence[str],
    ) -> list[str]:
        reasons: list[str] = []
        if record.run.fingerprint == identity:
            reasons.append(f"a change of {', '.join(forced)} makes it run anew" if forced else "asked to run anew")
        for address, instance in upstream.items():
            if record.upstream.get(address) != instance:
                reasons.append(f"{address} is a new run")
        if earlier := self.earlier[want.address, identity]:
            reasons.append(f"a new run; {earlier[-1].run.instance} had these settings")
        if want.options.retain and record.status.is_live:
            reasons.append(f"{record.run.instance} is retained, and goes on")
        return reasons

    def _new_run(self, want: Desired, identity: str, also: Record | None = None) -> Run:
        attempt = len(self.earlier[want.address, identity]) + (also is not None)
        while (name := self._name(want.address, identity, attempt)) in self.taken:
            attempt += 1  # a run that was launched under this address stands at another one now
        return Run(name, identity, attempt, launch=1)

    def _name(self, address: str, identity: str, attempt: int) -> str:
        return instance_name(self.state.stack, address, self.state.lineage, identity, attempt)

    def _why_new(self, want: Desired, identity: str) -> str:
        earlier = self.earlier[want.address, identity]
        return f"a new run; {earlier[-1].run.instance} had these settings" if earlier else "new"

    def _defer(self, step: Step, want: Desired) -> Step:
        waits = [self.steps[name] for name in want.depends_on if not self._is_met(self.steps[name])]
        if not waits:
            return step
        names = "; ".join(_waiting(upstream) for upstream in waits)
        return replace(step, deferred=True, reason=f"{step.reason}; {names}" if step.reason else names)

    @staticmethod
    def _is_met(upstream: Step) -> bool:
        if upstream.action in (Action.KEEP, Action.UPDATE):
            return upstream.record is not None and upstream.record.status.is_met
        # A resource that is no run is there once its step is done; a run has yet to succeed.
        return upstream.desired is not None and not upstream.desired.completes and not upstream.deferred


def _waiting(upstream: Step) -> str:
    ended = upstream.action is Action.KEEP and upstream.record is not None and upstream.record.status.is_over
    status = upstream.record.status.value if ended and upstream.record else ""
    return f"waits for {upstream.address}" + (f", which {_past_tense(status)}" if status else "")


def _past_tense(status: str) -> str:
    return "was cancelled" if status == Status.CANCELLED.value else status


def _changes_of_options(record: Record, want: Desired) -> tuple[Change, ...]:
    """The changes of options and dependencies."""
    changes: list[Change] = []
    if record.options != want.options.lasting:
        before, after = record.options.by_path(), want.options.by_path()
        changes += [Change(path, before[path], after[path], Kind.OPTION) for path in after
                    if before[path] != after[path]]
    if set(record.depends_on) != set(want.depends_on):
        changes.append(Change("depends_on", list(record.depends_on), list(want.depends_on), Kind.OPTION))
    return tuple(changes)


def _same_run(want: Desired, record: Record, changes: tuple[Change, ...], options: PlanOptions) -> Step:
    """The settings are those of the recorded run: its status decides."""
    moved = tuple(change for change in changes if change.kind is Kind.PLACEMENT)
    noted = tuple(change for change in changes if change.kind in (Kind.ANNOTATION, Kind.OPTION))
    status, failed = record.status, record.status.is_failure
    ended = f"{status.value}: {record.detail}" if record.detail else status.value
    if status is Status.LOST:
        return _relaunch(record, f"lost: {want.provider} does not know it any more", moved + noted)
    if status is Status.STOPPED:
        return _relaunch(record, "stopped to be launched again", moved + noted)
    if failed and (moved or options.retry):
        return _relaunch(record, ended, moved + noted)
    if status.is_live and moved:
        return _relaunch(record, f"{status.value}, and moves", moved + noted)
    warning = f"{ended}; expiac apply --retry launches it again" if failed else ""
    action, shown = (Action.UPDATE, noted) if noted else (Action.KEEP, ())
    return Step(record.address, record.type, action, status.value, record.run, shown, record=record, warning=warning)


def _relaunch(record: Record, reason: str, changes: tuple[Change, ...]) -> Step:
    run = replace(record.run, launch=record.run.launch + 1)
    return Step(record.address, record.type, Action.RELAUNCH, reason, run, changes, record=record)


def _leave_alone(record: Record) -> Step:
    """Nothing is done to a run whose status is unknown: it may be running, or it may never have been launched."""
    effect = f"an interrupted {record.pending.effect.value} is not resolved yet" if record.pending else ""
    why = record.unseen or effect
    return Step(record.address, record.type, Action.KEEP, record.status.value, record.run, record=record,
                warning=f"left alone: {why}")


def _leave(record: Record, why: str) -> Step:
    """The step for a resource that is not to exist any more."""
    if record.unseen or record.pending:
        return _leave_alone(record)
    if record.status.is_live and record.options.retain:
        return Step(record.address, record.type, Action.FORGET, f"{record.status.value}, and retained: it goes on",
                    record.run, record=record, depends_on=record.depends_on)
    if record.status.is_live:
        return Step(record.address, record.type, Action.STOP, f"{record.status.value}, {why}",
                    record.run, record=record, depends_on=record.depends_on)
    return Step(record.address, record.type, Action.FORGET, f"{record.status.value}, {why}",
                record.run, record=record, depends_on=record.depends_on)


def _dependents_first(records: Sequence[Record]) -> list[Record]:
    """Records in an order in which they can be stopped: what depends on another stands before it."""
    waiting = {record.address: record for record in records}
    order: list[Record] = []
    todo = [(record, False) for record in reversed(records)]
    while todo:
        record, needs_are_done = todo.pop()
        if needs_are_done:
            order.append(record)
        elif waiting.pop(record.address, None) is not None:
            todo.append((record, True))
            todo += [(waiting[name], False) for name in reversed(record.depends_on) if name in waiting]
    return order[::-1]


def _with_order(steps: Mapping[str, Step]) -> tuple[Step, ...]:
    """Each step with the addresses whose steps must have ended before it."""
    leaving: dict[str, list[str]] = defaultdict(list)
    for step in steps.values():
        if step.record is not None and step.action in (Action.REPLACE, Action.STOP, Action.FORGET):
            for address in step.record.depends_on:
                leaving[address].append(step.address)
    ordered: dict[str, Step] = {}
    for step in steps.values():
        after = step.depends_on if step.desired is not None else leaving[step.address]
        # Only what stands before it: records of several programs may need each other. And what can be done now
        # does not wait for what is deferred.
        now = [name for name in after if name in ordered and (step.deferred or not ordered[name].deferred)]
        ordered[step.address] = replace(step, after=tuple(now))
    return tuple(ordered.values())

"""Decides what should happen. Knows nothing of files, clouds or clocks.

`plan` is a total, pure function of what is desired and what is known. Destroying is planning toward nothing, so it
needs no program. Each branch below is a row of the table in `docs/lifecycle.md`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from expiac.declare.fields import Kind
from expiac.plan.changes import changes_of_inputs, changes_of_options
from expiac.plan.diff import diff, matches
from expiac.plan.durations import Durations
from expiac.plan.extending import extending_step, is_referred_to, longer_training, with_offer
from expiac.plan.identity import fingerprint, instance_name
from expiac.plan.matching import Archive, Matches, Wishes, match_runs, restored_inputs
from expiac.plan.model import Action, Change, Desired, Plan, Step
from expiac.plan.order import dependents_first, with_order
from expiac.plan.references import new_runs, results
from expiac.providers.base import Found
from expiac.state.events import Entry, Moved, Run
from expiac.state.fold import fold
from expiac.state.model import Record, State
from expiac.state.status import Status
from expiac.util.hashing import digest


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
    fresh: bool = False
    """Let no run of the past stand again or go on."""
    reuse: bool = False
    """Let also those results stand again that were destroyed, or that other code made."""
    extend: Collection[str] = ()
    """Addresses whose run goes on to a larger number of steps, instead of a new run."""
    reviewed_only: bool = False
    """Refuse to launch what was not reviewed as it would be launched."""
    total_steps: str = ""
    """The key path at which inputs tell how many steps a run takes, as the project says; empty where it does not."""


def plan(desired: Sequence[Desired], state: State, options: PlanOptions | None = None,
         archive: Archive | None = None) -> Plan:
    """The steps from what is known to what is desired; `desired` stands in dependency order.

    `archive` knows which results of the past can stand again; without it, all of them can.
    """
    options = options or PlanOptions()
    serial = state.serial
    wishes = Wishes(options.fresh, options.reuse, options.replace, options.adopt)
    matches = match_runs(desired, state, wishes, archive)
    if matches.moves:
        state = fold(state, [Entry(0, "", Moved(matches.moves))])
    world = _World(desired, state, options, matches)
    for want in desired:
        world.steps[want.address] = world.step(want)
    removed = [record for address, record in state.records.items() if address not in world.steps]
    for record in dependents_first(removed):
        world.steps[record.address] = world.leave(record)
    return Plan(state.stack, state.lineage, serial, with_order(world.steps), moves=matches.moves,
                destroys=options.destroy, declared=digest([[want.address, want.digest] for want in desired]),
                any_code=options.reuse)


@dataclass
class _World:
    """The state and the steps decided so far."""

    wanted: Sequence[Desired]
    state: State
    options: PlanOptions
    matches: Matches
    steps: dict[str, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.renames = {new: old for old, new in self.matches.moves.items()}
        self.earlier: dict[tuple[str, str], list[Record]] = defaultdict(list)
        self.durations = Durations(self.state)
        self.taken = {record.run.instance for record in (*self.state.history, *self.state.records.values())}
        for record in self.state.history:
            self.earlier[record.address, record.run.fingerprint].append(record)

    def step(self, want: Desired) -> Step:
        upstream = {ref.resource: self.steps[ref.resource].run.instance for ref in want.refs}
        identity = fingerprint(want.digest, [*upstream.values(), *results(want.references).values()])
        step = self._decide(want, identity, upstream, self.state.records.get(want.address))
        renames = self.renames.get(want.address, "")
        if step.desired is None or upstream or renames:  # most steps of a large plan are whole already
            step = replace(step, desired=want, depends_on=want.depends_on, upstream=upstream, renames=renames)
        if not step.action.launches or step.adopts:
            return step
        if expected := self.durations.expected(want.address, want.inputs, want.kinds, self.options.total_steps):
            step = replace(step, expected_seconds=expected.seconds, expected_by_steps=expected.by_steps)
        return self._defer(step, want)

    def leave(self, record: Record) -> Step:
        """The step for a resource that is not to exist any more."""
        old = self.renames.get(record.address, "")
        why = "to be destroyed" if self.options.destroy else "and no longer declared"
        step = _leave(record, f"{why} (it was {old})" if old else why)
        return replace(step, renames=old)

    def _decide(self, want: Desired, identity: str, upstream: Mapping[str, str], record: Record | None) -> Step:
        restored = self.matches.restored.get(want.address)
        if record is None:
            if restored is not None:
                return self._restore(want, restored, None)
            why, run = self._why_new(want, identity), self._new_run(want, identity)
            if found := self.options.adopt.get(want.address):
                differs = f"differs in {', '.join(found.differences)}" if found.differences else ""
                why = f"adopts {found.said}; code unknown"
                return Step(want.address, want.type, Action.CREATE, why, run, adopts=found.handle, warning=differs)
            return Step(want.address, want.type, Action.CREATE, why, run)
        if record.unseen or record.pending:
            return _leave_alone(record)
        if restored is not None:
            return self._restore(want, restored, record)
        changes = changes_of_inputs(record, want)
        if want.address in self.matches.renamed and want.address in self.matches.same:
            # What was declared is compared with the record of its new name only from the next plan on.
            changes = tuple(one for one in changes if not matches(one.path, want.options.ignore_changes))
        forced = [change.path for change in changes if matches(change.path, want.options.replace_on_changes)]
        if want.address not in self.matches.same or want.address in self.options.replace or forced:
            return self._replace(want, identity, upstream, record, changes, forced)
        return _same_run(want, record, self._rename(want) + changes + changes_of_options(record, want), self.options)

    def _rename(self, want: Desired) -> tuple[Change, ...]:
        old = self.renames.get(want.address) if want.address in self.matches.renamed else None
        return (Change("name", old, want.address, Kind.OPTION),) if old else ()

    def _restore(self, want: Desired, earlier: Record, displaced: Record | None) -> Step:
        """The step that takes a run of the past: its result stands again, or it goes on."""
        known = restored_inputs(want, earlier)
        changes = diff(known, want.inputs, want.kinds)
        result = f"{earlier.run.instance} had these settings"
        if earlier.has_result or earlier.status.is_live:
            noted = tuple(change for change in changes if change.kind is Kind.ANNOTATION)
            step = Step(want.address, want.type, Action.RESTORE, f"{result}, and {_past_tense(earlier.status.value)}",
                        earlier.run, noted)
        else:
            step = _relaunch(earlier, f"{result}, {_past_tense(earlier.status.value)}, and goes on", changes)
        if displaced is not None and displaced.status.is_live:
            makes_room = "retained, and goes on" if want.options.retain else "stopped for it"
            step = replace(step, reason=f"{step.reason}; {displaced.run.instance} is {makes_room}")
        return replace(step, address=want.address, type=want.type, record=displaced, restores=earlier)

    def _replace(
        self, want: Desired, identity: str, upstream: Mapping[str, str], record: Record, changes: tuple[Change, ...],
        forced: Sequence[str],
    ) -> Step:
        is_same = want.address in self.matches.same
        run = self._new_run(want, identity, also=record if is_same else None)
        reasons = self._why_replaced(want, identity, upstream, record, forced)
        shown = self._rename(want) + changes
        step = Step(want.address, want.type, Action.REPLACE, "; ".join(reasons), run, shown, record=record)
        longer = longer_training(changes, self.options.total_steps)
        if longer is None or reasons or is_referred_to(record, self.wanted, self.state):
            return step
        if want.address in self.options.extend:
            return extending_step(record, identity, longer, shown)
        return with_offer(step, record)

    def _why_replaced(
        self, want: Desired, identity: str, upstream: Mapping[str, str], record: Record, forced: Sequence[str],
    ) -> list[str]:
        reasons: list[str] = []
        if want.address in self.matches.same:
            reasons.append(f"a change of {', '.join(forced)} makes it run anew" if forced else "asked to run anew")
        for address, instance in upstream.items():
            if record.upstream.get(address) != instance:
                reasons.append(f"{address} is a new run")
        reasons += new_runs(record.references, want.references)
        if earlier := self._earlier(want, identity):
            reasons.append(f"a new run; {earlier}")
        if (old := self.renames.get(want.address)) and want.address not in self.matches.renamed:
            reasons.append(f"in place of {record.run.instance}, which was {old}")
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
        earlier = self._earlier(want, identity)
        return f"a new run; {earlier}" if earlier else "new"

    def _earlier(self, want: Desired, identity: str) -> str:
        """Which run of the past had the same settings, and why it is not taken; empty where there is none."""
        if left := self.matches.left.get(want.address):
            return left
        earlier = self.earlier[want.address, identity]
        return f"{earlier[-1].run.instance} had these settings" if earlier else ""

    def _defer(self, step: Step, want: Desired) -> Step:
        waits = [self.steps[name] for name in want.depends_on if not self._is_met(self.steps[name])]
        if not waits:
            return step
        names = "; ".join(_waiting(upstream) for upstream in waits)
        return replace(step, deferred=True, reason=f"{step.reason}; {names}" if step.reason else names)

    @staticmethod
    def _is_met(upstream: Step) -> bool:
        if upstream.action in (Action.KEEP, Action.UPDATE, Action.RESTORE):
            record = upstream.restores or upstream.record
            if record is not None and record.has_result and upstream.desired is not None:
                record = replace(record, options=upstream.desired.options.lasting)  # it may have to be judged anew
            return record is not None and record.is_met
        # A resource that is no run is there once its step is done; a run has yet to succeed.
        return upstream.desired is not None and not upstream.desired.completes and not upstream.deferred


def _waiting(upstream: Step) -> str:
    ended = upstream.action is Action.KEEP and upstream.record is not None and upstream.record.status.is_over
    status = upstream.record.status.value if ended and upstream.record else ""
    return f"waits for {upstream.address}" + (f", which {_past_tense(status)}" if status else "")


def _past_tense(status: str) -> str:
    return f"was {status}" if status in (Status.CANCELLED.value, Status.STOPPED.value, Status.LOST.value) else status


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
    judges_anew = record.has_result and not replace(record, options=want.options.lasting).is_judged
    if failed and (moved or options.retry) and not judges_anew:
        return _relaunch(record, ended, moved + noted)
    if status.is_live and moved:
        return _relaunch(record, f"{status.value}, and moves", moved + noted)
    again = "it is judged anew" if judges_anew else "expiac apply --retry launches it again"
    warning = f"{ended}; {again}" if failed else ""
    action, shown = (Action.UPDATE, noted) if noted else (Action.KEEP, ())
    return Step(record.address, record.type, action, status.value, record.run, shown, desired=want, record=record,
                depends_on=want.depends_on, warning=warning)


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

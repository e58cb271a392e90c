"""Searches of one stack: looks at their trials, and says which trials the stack has now. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from expiac.apply.metrics.places import STATUS_SECONDS, Look, MetricsSource
from expiac.apply.search.curves import Curves
from expiac.apply.search.declared import declared_searches
from expiac.apply.search.limits import why_no_more
from expiac.apply.search.study import FAILED, LIVE, Past, Study, Verdicts
from expiac.apply.search.trials import SearchTrial, study_digest, trial_name, trials_of
from expiac.declare.component import SEPARATOR, component_of
from expiac.declare.search import Search
from expiac.declare.stack import Stack
from expiac.declare.sweep import Sweep
from expiac.declare.trials import Trial
from expiac.plan.approval import NEW
from expiac.plan.budgets import sweep_usage
from expiac.plan.model import Action, Desired, Plan, Step
from expiac.plan.planner import PlanOptions
from expiac.plan.usage import Usage
from expiac.state.events import Json, TrialTold
from expiac.state.facts import COMPLETE, PRUNED, ApprovedSearch, Outcome
from expiac.state.model import State
from expiac.state.status import Status
from expiac.util.hashing import digest


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the searches of a stack gives."""

    stack: Stack
    """The stack with the trials that it has now: those that there are, and those that are proposed."""
    samplers: Mapping[str, Json] = field(default_factory=dict)
    """What a sampler noted of a proposal, by the address of the trial."""
    told: tuple[TrialTold, ...] = ()
    """What trials came to that is not recorded yet."""
    outlook: Mapping[str, str] = field(default_factory=dict)
    """How far each search is, and what depends on results, by the address of the search."""
    warnings: tuple[str, ...] = ()
    proposed: int = 0
    """How many trials are proposed."""

    @property
    def has_news(self) -> bool:
        """Whether there is something to record or to begin."""
        return bool(self.told or self.proposed)


class Searching:
    """The searches of one stack."""

    def __init__(self, stack: Stack, sources: Sequence[MetricsSource]) -> None:
        self._stack, self._sources = stack, sources
        self._declared = declared_searches(stack)
        self._sweeps = [sweep for sweep in stack.sweeps if sweep.search is not None]
        self._curves = {sweep.name: Curves(sweep.metric, sweep.search.checks) for sweep in self._sweeps if sweep.search}
        self._verdicts = {sweep.name: Verdicts() for sweep in self._sweeps}

    @property
    def names(self) -> tuple[str, ...]:
        """The addresses of the searches."""
        return tuple(sweep.name for sweep in self._sweeps)

    @property
    def digests(self) -> Mapping[str, str]:
        """What each search stands for whatever its trials are, by its address."""
        return {sweep.name: study_digest(sweep) for sweep in self._sweeps}

    def to_approve(self, options: PlanOptions) -> Mapping[str, ApprovedSearch]:
        """What an apply with this choice of steps approves of the searches, by their addresses."""
        return {name: one for name, one in self._declared.items() if is_wanted(name, options)}

    def look(self, state: State, *, asks: bool = True, without: Collection[str] = ()) -> Found:
        """What the searches come to with these records. Without `asks`, nobody is asked for metrics.

        Searches of `without` propose nothing, and end no trial early.
        """
        look = Look(state.lineage, seconds=STATUS_SECONDS if asks else 0.0)
        trials: dict[str, list[Trial]] = {}
        samplers: dict[str, Json] = {}
        told: list[TrialTold] = []
        outlook: dict[str, str] = {}
        warnings: list[str] = []
        proposed = 0
        for sweep in self._sweeps:
            known, unread = trials_of(sweep, state, self._sources, look, datetime.now(UTC))
            one = _OneSearch(sweep, known, sweep_usage(sweep.name, state, datetime.now(UTC)))
            if sweep.name not in without:
                one.end_early(self._curves[sweep.name], self._verdicts[sweep.name], self._sources, look)
                one.propose()
            trials[sweep.name] = one.declared
            samplers |= one.samplers
            told += one.told
            outlook[sweep.name] = one.outlook
            warnings += unread
            proposed += len(one.samplers)
        return Found(self._stack.with_trials(trials), samplers, tuple(told), outlook, tuple(warnings), proposed)


def is_wanted(name: str, options: PlanOptions) -> bool:
    """Whether the choice of steps takes in what a search proposes later."""
    def named(patterns: Collection[str]) -> bool:
        return any(fnmatchcase(f"{name}/trial_0", pattern) or pattern == name for pattern in patterns)

    is_chosen = not options.target or named(options.target)
    return is_chosen and not named(options.exclude) and (not options.only or Action.CREATE in options.only)


def with_searches(plan: Plan, found: Found, digests: Mapping[str, str], desired: Sequence[Desired]) -> Plan:
    """The plan with what a look at the searches of its stack gave; a proposal that would have to wait is none yet.

    What it declares is the same whatever the trials are: an apply that waits goes on with its search beside others.
    """
    declared = [[want.address, want.digest] for want in desired if component_of(want.address) not in digests]
    losing = {event.address: event.outcome for event in found.told if event.outcome.state == PRUNED}
    held = [step for step in plan.steps if step.deferred and step.address in found.samplers]
    steps = tuple(_told(step, losing.get(step.address)) for step in plan.without(held).steps)
    outlook = tuple(line + _held([step for step in held if component_of(step.address) == name])
                    for name, line in found.outlook.items())
    return replace(plan, steps=steps, told=found.told, outlook=outlook,
                   declared=digest([declared, dict(digests)]), warnings=(*plan.warnings, *found.warnings))


def only_proposed(plan: Plan, proposed: Collection[str]) -> Plan:
    """The part of a plan that its searches ask for: trials that are proposed, that end early, or whose run was lost.

    So does what a killed command has left of these: a run that is still to end, or to be launched again.
    """
    losing = {event.address for event in plan.told if event.outcome.state == PRUNED}

    def is_asked_for(step: Step) -> bool:
        if step.address in proposed:
            return step.action in (Action.CREATE, Action.RESTORE)
        record = step.record
        is_losing = step.address in losing or (record and record.outcome and record.outcome.state == PRUNED)
        was_lost = record is not None and record.status in (Status.LOST, Status.STOPPED)
        return bool(is_losing and step.action in (Action.STOP, Action.FORGET)) or (
            was_lost and step.action is Action.RELAUNCH)

    steps = tuple(step for step in plan.steps if is_asked_for(step) and not step.renames)
    return replace(plan, steps=steps, moves={})


def _held(steps: Sequence[Step]) -> str:
    """Which proposals have to wait, and why."""
    if not steps:
        return ""
    names = ", ".join(step.address.rpartition(SEPARATOR)[2] for step in steps)
    return f"; not begun yet: {names}, {steps[0].reason.removeprefix(f'{NEW}; ')}"


def _told(step: Step, outcome: Outcome | None) -> Step:
    """The step of a trial; of one that ends early, with the reason."""
    if outcome is None or step.record is None:
        return step
    return replace(step, reason=f"{step.record.status.value}, and ends early: at {outcome.values[0]:g} it is behind")


class _OneSearch:
    """One search, in one look."""

    def __init__(self, sweep: Sweep, trials: Sequence[SearchTrial], used: Usage) -> None:
        assert sweep.search is not None, "chosen by it"
        self._sweep, self._search = sweep, sweep.search
        self._trials = {trial.number: trial for trial in trials}
        self._curves: Mapping[int, Mapping[int, float]] = {}
        self._study = Study(sweep.name, self._search, list(sweep.objectives.values()))
        self._why = why_no_more(self._search, trials, used)
        self.samplers: dict[str, Json] = {}
        self._proposals: list[Trial] = []

    def end_early(self, curves: Curves, verdicts: Verdicts, sources: Sequence[MetricsSource], look: Look) -> None:
        """Finds the trials that are losing: each of them has come to something from now on."""
        search: Search = self._search
        if search.pruner is None:
            return
        self._curves = curves.of(list(self._trials.values()), sources, look)
        study = study_digest(self._sweep)
        for number in verdicts.of(self._study, self._past):
            check, value = max(self._curves[number].items())
            trial = self._trials[number]
            outcome = Outcome(PRUNED, (value,), float(check) / search.checks, study)
            self._trials[number] = SearchTrial(number, trial.record, outcome)

    def propose(self) -> None:
        """Proposes as many trials as may begin now."""
        count = self._count(LIVE)
        free = min(self._search.max_concurrent - count, self._search.trials - len(self._trials))
        if self._why or free <= 0:
            return
        first = max(self._trials, default=-1) + 1
        for proposal in self._study.propose(self._past, range(first, first + free)):
            name = trial_name(proposal.number)
            self._proposals.append(Trial(name, proposal.values))
            self.samplers[f"{self._sweep.name}{SEPARATOR}{name}"] = proposal.sampler

    @property
    def declared(self) -> list[Trial]:
        """The trials that the stack has: without those that were ended early."""
        known = [Trial(trial_name(trial.number), self._search.values_of(trial.record.trial))
                 for trial in self._trials.values() if trial.state != PRUNED]
        return [*known, *self._proposals]

    @property
    def told(self) -> list[TrialTold]:
        """What is to be recorded."""
        return [TrialTold(trial.record.address, trial.record.run.instance, trial.outcome)
                for trial in self._trials.values() if trial.is_news and trial.outcome is not None]

    @property
    def outlook(self) -> str:
        """In one line."""
        begun, search = len(self._trials) + len(self._proposals), self._search
        ended = [f"{self._count(state)} {state}" for state in (COMPLETE, PRUNED, FAILED) if self._count(state)]
        parts = [f"{begun} of {search.trials} trials", *ended]
        if (left := search.trials - begun) > 0:
            parts.append(f"no more: {self._why}" if self._why else f"{left} more, as results come in")
        return f"{self._sweep.name}: {', '.join(parts)}"

    @property
    def _past(self) -> list[Past]:
        return [Past(trial.number, self._search.values_of(trial.record.trial), trial.state,
                     trial.outcome.values if trial.outcome else (), trial.record.sampler,
                     self._curves.get(trial.number, {})) for trial in self._trials.values()]

    def _count(self, state: str) -> int:
        return sum(trial.state == state for trial in self._trials.values())

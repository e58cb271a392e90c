"""The composition root: opens the project, the stack, the journal, the lock and the providers, for one command."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from expiac.apply.duplicates import end_duplicates, warned
from expiac.apply.engine import Engine
from expiac.apply.events import Began, Finished, Reporter, ResourceStatus, Result, StepSkipped, Waiting
from expiac.apply.hooks import ShellHooks
from expiac.apply.preconditions import refuse_changed_files, refuse_changed_runs, refuse_moved_runs
from expiac.apply.progress import seen
from expiac.apply.refresh import RefreshResult, id_of, look
from expiac.apply.release import holding, release
from expiac.apply.wait import are_under_way, looks
from expiac.compile.prepare import desired
from expiac.declare import program
from expiac.declare.project import Project, find
from expiac.plan import planner
from expiac.plan.adoption import find as find_jobs
from expiac.plan.adoption import previous
from expiac.plan.approval import approved
from expiac.plan.deferred import outlook
from expiac.plan.model import Action, Desired, Plan
from expiac.plan.planner import PlanOptions
from expiac.plan.preflight import examined
from expiac.plan.protection import refuse_protected
from expiac.plan.selection import select
from expiac.policies.runner import Policies
from expiac.providers.base import Logs, Provider
from expiac.providers.registry import Providers
from expiac.state import lookup as recorded
from expiac.state.events import Observed
from expiac.state.locking import held, refuse_stale
from expiac.state.model import Record, State
from expiac.state.stores import states
from expiac.util.duration import WEEK
from expiac.util.errors import ExpiacError, UsageError, did_you_mean
from expiac.util.git import provenance, refuse_unpushed


class Session:
    """One command's view of one stack."""

    def __init__(self, project: Project, stack: str, reporter: Reporter, declared: program.Program | None,
                 providers: Mapping[str, Provider] | None) -> None:
        self.project, self.stack = project, stack
        self._program, self._reporter = declared, reporter
        self._providers = Providers(project, providers)
        self._journal = states(project).open(stack, self._program_path)
        self.state: State = self._journal.state
        self.notes: tuple[str, ...] = tuple(self._journal.notes)
        self._look = RefreshResult()
        self._looked_at: int | None = None
        """The number of the last event that was known when we looked."""
        self._engine: Engine | None = None
        self._stopped = threading.Event()
        self._refuse_second_program()

    @classmethod
    def open(
        cls, name: str | None, overrides: Sequence[str] = (), *, reporter: Reporter, declared: bool = True,
        project: Project | None = None, providers: Mapping[str, Provider] | None = None,
    ) -> Self:
        """Opens the stack file or stem `name` (None where the project has only one) with `key=value` overrides.

        `declared=False` opens by the state alone: for destroy, status and logs, which work with a broken program.
        """
        project = project or find(Path.cwd())
        if not declared:
            return cls(project, recorded.stack_of(project, name), reporter, None, providers)
        loaded = program.load(project, name, overrides)
        return cls(project, loaded.stack.name, reporter, loaded, providers)

    @classmethod
    def of(cls, plan: Plan, *, reporter: Reporter, project: Project | None = None,
           providers: Mapping[str, Provider] | None = None) -> Self:
        """Opens the stack of a plan that was made earlier, to carry it out: its program is not read."""
        return cls(project or find(Path.cwd()), plan.stack, reporter, None, providers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._journal.close()

    @property
    def _declared(self) -> program.Program:
        assert self._program is not None, "opened by the state alone"
        return self._program

    @cached_property
    def _wanted(self) -> tuple[Desired, ...]:
        """What the program declares, rendered and composed once."""
        return desired(self._declared.stack, self.project, self._journal.state.records)

    @property
    def _program_path(self) -> str:
        if self._program is None:
            return ""
        path = self._program.path
        return str(path.relative_to(self.project.root)) if path.is_relative_to(self.project.root) else str(path)

    def _refuse_second_program(self) -> None:
        last = self._journal.state.approved
        recorded = last.program if last and last.program else self._journal.header.program
        if not self._program or not recorded or recorded == self._program_path:
            return
        if (self.project.root / recorded).exists():
            raise ExpiacError("Another program has this stack's name", f"{self.stack} belongs to {recorded}, and "
                              f"{self._program_path} gives the same name",
                              "name=another_name, or change the config's name")

    def plan(self, *, refresh: bool = True, wishes: PlanOptions | None = None) -> Plan:
        """What apply would do; writes nothing."""
        declared, wanted = self._declared, self._wanted
        for name in wishes.replace if wishes else ():
            if name not in (known := [want.address for want in wanted]):
                raise UsageError("No such resource", f"{name} is not in {self.stack}", did_you_mean(name, known))
        if ids := previous(wanted, declared.stack.previous_job_ids, self._journal.state):
            adopt = find_jobs(wanted, ids, self._journal.state, self._providers)
            wishes = replace(wishes or PlanOptions(), adopt=adopt)
        made = self._planned(wanted, refresh, wishes)
        made = replace(made, program=self._program_path, overrides=dict(declared.overrides))
        before = self.state.approved
        if before is None or not before.program or dict(before.overrides) == made.overrides:  # a destroy has no program
            return made
        return replace(made, previous_overrides=before.overrides)

    def plan_import(self, address: str, job: str) -> Plan:
        """What adopting a job that was launched by other means would do, and nothing else."""
        declared, wanted = self._declared, self._wanted
        found = find_jobs(wanted, {address: job}, self._journal.state, self._providers)
        made = self._planned(wanted, True, PlanOptions(adopt=found))
        return replace(made, steps=(replace(made[address], after=()),), program=self._program_path,
                       overrides=dict(declared.overrides))

    def confirm(self, plan: Plan) -> None:
        """Looks whether a plan that was made earlier still holds; raises `Stale` where it does not. Writes nothing."""
        refuse_stale(plan, self._journal.state)
        self._look_around()
        refuse_changed_runs(plan, self._look.over(self.state))
        refuse_changed_files(plan, self.project)
        if plan.program:
            Policies(self.project).judged(plan)

    def plan_destroy(self, wishes: PlanOptions | None = None) -> Plan:
        """What destroy would do: planning toward nothing."""
        return self._planned((), True, wishes)

    def _planned(self, wanted: Sequence[Desired], refresh: bool, wishes: PlanOptions | None) -> Plan:
        self.state = self._journal.state
        if refresh:
            self._look_around()
        seen = replace(self._look.over(self.state), serial=self.state.serial)
        made = planner.plan(wanted, seen, wishes)
        if wishes is not None:
            made = select(made, wishes.target, wishes.exclude, wishes.only)
        refuse_protected(made)
        made = warned(made, self._look.duplicates)
        budget = self._program.stack.budget if self._program and wanted else None
        policies = Policies(self.project) if wanted else None
        made = examined(made, self._providers, ask=refresh, budget=budget, all_prices=bool(policies))
        return policies.judged(made) if policies else made

    def apply(self, plan: Plan, *, parallelism: int = 10, wait: bool = False, timeout: float = WEEK) -> Result:
        """Carries out the plan; with `wait`, until every run has ended and every deferred step is done."""
        self._engine = Engine(self._journal, self._providers, self._reporter, parallelism=parallelism,
                              hooks=ShellHooks(self.project.root))
        if self._stopped.is_set():
            self._engine.stop()
        result = Result()
        self._reporter.on_event(Began(plan))
        self._check_git(plan)
        decides = not plan.is_empty or plan.previous_overrides is not None
        if decides or self._is_news():
            with held(self._journal, plan, purpose="apply" if plan.program else "destroy"):
                self._settle(plan)
                if decides:
                    self._journal.append(approved(plan, provenance(
                        self.project.root, self.project.state_folder / "provenance")))
                    result = self._engine.apply(plan)
            self.state = self._journal.state
        if not plan.program:
            result = self._with_left_alone(plan, result)
        if wait:
            stops = self._engine.is_stopping
            result = replace(result, interrupted=True) if stops else self._wait(plan, result, timeout)
        self._reporter.on_event(Finished(result))
        return result

    def _check_git(self, plan: Plan) -> None:
        """Refuses to launch what asks for a committed and pushed tree from one that is not."""
        for step in plan.steps:
            if step.action.launches and step.desired is not None and step.desired.git_check:
                refuse_unpushed(self.project.root, step.address)
                return

    def _with_left_alone(self, plan: Plan, result: Result) -> Result:
        """What a destroy kept because it could not be seen may still run: that is not well."""
        kept = tuple(step for step in plan.steps if step.action is Action.KEEP)
        for step in kept:
            self._reporter.on_event(StepSkipped(step, step.warning))
        return replace(result, skipped=result.skipped + kept)

    def stop(self) -> None:
        """Begin nothing new; let running effects finish. Safe in a signal handler."""
        self._stopped.set()
        if self._engine is not None:
            self._engine.stop()

    def refresh(self) -> tuple[ResourceStatus, ...]:
        """Looks at everything, journals what changed, and says how each resource is."""
        self._look_around()
        if self._is_news():
            with held(self._journal, self.state, purpose="refresh"):
                self._settle()
            self.state = self._journal.state
        return seen(self._look.over(self.state))

    def status(self, *, refresh: bool = True) -> tuple[ResourceStatus, ...]:
        """How each resource is, with its progress; writes nothing."""
        self.state = self._journal.state
        return seen(look(self.state, self._providers).over(self.state) if refresh else self.state)

    def watch(self, *, timeout: float = WEEK) -> Result:
        """Tells how each resource is until every run has ended, or until `stop`; writes nothing."""
        result = Result()
        try:
            for now in looks(self.status, self._stopped, timeout=timeout, stack=self.stack):
                result = Result(seen=now)
                self._reporter.on_event(Waiting(now))
                if not are_under_way(now):
                    return result
            result = replace(result, interrupted=True)
        finally:
            self._reporter.on_event(Finished(result))
        return result

    def logs(self, address: str, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines of a job's output."""
        record = self.state.records.get(address) or _last(self.state.history, address)
        if record is None:
            raise UsageError("No such resource", f"{address} is not in the state of {self.stack}",
                             did_you_mean(address, self.state.records))
        provider = self._providers[record.provider]
        if not isinstance(provider, Logs):
            raise ExpiacError("No logs", f"{record.provider} keeps none for {address}")
        return provider.logs(id_of(record, self.state.lineage), follow=follow, node=node)

    def render(self) -> Mapping[str, Mapping[str, str]]:
        """The rendered texts by address and file name, with `@instance@` in place."""
        return {want.address: want.texts for want in self._wanted}

    def _look_around(self) -> None:
        self._looked_at, self.state = self._journal.number, self._journal.state
        self._look = look(self.state, self._providers)

    def _is_news(self) -> bool:
        return bool(self._look.events or self._look.duplicates or self._holding())

    def _settle(self, plan: Plan | None = None) -> None:
        """Under the lock: writes down what was seen, and mends what ought not to be.

        What was seen before the lock was held is no news where another process wrote meanwhile, or left something open
        that may have happened since: then we look again, and refuse a plan that stands on what is not so any more.
        """
        now = self._journal.state
        is_open = any(record.pending for record in now.records.values())
        if self._looked_at is not None and (is_open or self._looked_at != self._journal.number):
            before = self._look.over(self.state)
            self._look_around()
            if plan is not None:
                refuse_moved_runs(plan, before, self._look.over(now))
        self._write_look()
        end_duplicates(self._look.duplicates, self._journal, self._providers, self._reporter)
        release(self._holding(), self._journal, self._providers, self._reporter)

    def _write_look(self) -> None:
        for event in self._look.events:
            self._journal.append(event, durable=not isinstance(event, Observed))
        self._look = replace(self._look, events=())

    def _holding(self) -> list[Record]:
        return holding(self._journal.state, self._look.unseen)

    def _wait(self, plan: Plan, result: Result, timeout: float) -> Result:
        """Looks until every run has ended, and begins what was deferred as it becomes ready."""

        def look() -> tuple[ResourceStatus, ...]:
            nonlocal result
            self.refresh()
            result = self._begin_ready(plan, result)
            result = replace(result, seen=seen(self._look.over(self.state)))
            return result.seen

        try:
            for now in looks(look, self._stopped, timeout=timeout, stack=self.stack):
                self._reporter.on_event(Waiting(now))
                if not result.deferred and not are_under_way(now):
                    return result
        except ExpiacError:
            self._reporter.on_event(Finished(result))
            raise
        return replace(result, interrupted=True)

    def _begin_ready(self, plan: Plan, result: Result) -> Result:
        assert self._engine is not None
        judged = outlook(result.deferred, plan, self.state)
        for step, why in judged.blocked:
            self._reporter.on_event(StepSkipped(step, why))
        left_out = tuple(step for step, _ in judged.blocked)
        result = replace(result, deferred=judged.waiting, skipped=result.skipped + left_out)
        if not judged.ready:
            return result
        with held(self._journal, self.state, purpose="apply"):
            more = self._engine.apply(replace(plan, steps=judged.ready))
        self.state = self._journal.state
        return replace(result, done=result.done + more.done, failed=result.failed + more.failed,
                       skipped=result.skipped + more.skipped, interrupted=more.interrupted)


def _last(history: Sequence[Record], address: str) -> Record | None:
    return next((record for record in reversed(history) if record.address == address), None)

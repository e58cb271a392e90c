"""Makes the plans of one command: renders, queries, compares, selects, checks. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from expiac.apply.addresses import Addresses
from expiac.apply.archive import ProjectArchive
from expiac.apply.code_size import warn_of_size
from expiac.apply.duplicates import warn_of_duplicates
from expiac.apply.preconditions import (
    refuse_changed_files,
    refuse_changed_runs,
    refuse_lost_runs,
    refuse_unchecked,
)
from expiac.apply.refreshing import Refresher
from expiac.apply.search import Found, Proposals, Searching, with_searches
from expiac.apply.wandb_key import check_keys
from expiac.compile.prepare import desired
from expiac.declare.program import Program
from expiac.declare.project import Project
from expiac.declare.stack import Stack
from expiac.plan import planner
from expiac.plan.adoption import find_jobs, previous_jobs
from expiac.plan.model import Desired, Plan
from expiac.plan.planner import PlanOptions
from expiac.plan.preflight import examine_plan
from expiac.plan.protection import refuse_protected
from expiac.plan.running import bound_running
from expiac.plan.selection import select
from expiac.plan.sweeps import sweep_facts
from expiac.policies.runner import Policies
from expiac.providers.registry import Providers
from expiac.state.locking import refuse_stale
from expiac.state.model import Record
from expiac.util.errors import ExpiacError, UsageError, did_you_mean


class Planning:
    """Plans of one stack; `program` is None where it is known by its state alone."""

    def __init__(self, project: Project, program: Program | None, refresher: Refresher,
                 providers: Providers) -> None:
        self._project, self._program = project, program
        self._refresher, self._providers = refresher, providers
        self._rendered: tuple[Mapping[str, Record], Stack, tuple[Desired, ...]] | None = None
        searching = Searching(program.stack, refresher.sources) if program else None
        self._searching = searching if searching and searching.names else None
        self._found: Found | None = None

    @property
    def desired(self) -> tuple[Desired, ...]:
        """What the program declares, rendered and composed once for each state; of a search, the trials that it has."""
        records = self._refresher.state.records
        stack = self._found.stack if self._found else self._declared.stack
        if self._rendered is None or self._rendered[0] is not records or self._rendered[1] is not stack:
            made = desired(stack, self._project, records, self._providers, Addresses(self._project).resolve)
            noted = self._found.samplers if self._found else {}
            made = tuple(replace(want, sampler=noted.get(want.address, {})) for want in made) if noted else made
            self._rendered = records, stack, made
        return self._rendered[2]

    def search(self, *, asks: bool = True) -> Found | None:
        """What the searches of the stack come to now; None where it has none."""
        self._found = self._searching.look(self._refresher.observed, asks=asks) if self._searching else None
        return self._found

    def plan(self, options: PlanOptions, *, refresh: bool) -> Plan:
        """The plan from the recorded state to what the program declares."""
        self._refresher.reload()
        if self._searching and refresh:
            self._refresher.query()
        self.search(asks=refresh)
        declared, state = self._declared, self._refresher.state
        known = [want.address for want in self.desired]
        for name in (*options.replace, *options.extend):
            if name not in known:
                raise UsageError("No such resource", f"{name} is not in {state.stack}", did_you_mean(name, known))
        if ids := previous_jobs(self.desired, declared.stack.previous_job_ids, state):
            options = replace(options, adopt=find_jobs(self.desired, ids, state, self._providers))
        plan = self._make_plan(self.desired, options, refresh=refresh)
        _refuse_no_extension(plan, options.extend, self._project.metrics.total_steps)
        before = self._refresher.state.approved
        if before is None or not before.program or dict(before.overrides) == plan.overrides:
            return plan  # a destroy has no program
        return replace(plan, previous_overrides=before.overrides)

    @property
    def proposals(self) -> Proposals | None:
        """What the searches want, as results come in; None where the stack has none."""
        return _Proposals(self, self._searching.names) if self._searching else None

    def adopt(self, address: str, job: str) -> Plan:
        """The plan that adopts a job which expiac did not launch, and does nothing else."""
        found = find_jobs(self.desired, {address: job}, self._refresher.state, self._providers)
        plan = self._make_plan(self.desired, PlanOptions(adopt=found))
        return replace(plan, steps=(replace(plan[address], after=()),), moves={})

    def destroy(self, options: PlanOptions) -> Plan:
        """The plan from the recorded state to nothing."""
        return self._make_plan((), replace(options, destroy=True))

    def confirm(self, plan: Plan) -> None:
        """Raises `Stale` if a plan that was made earlier no longer holds."""
        self._refresher.reload()
        refuse_stale(plan, self._refresher.state)
        self._refresher.query()
        refuse_changed_runs(plan, self._refresher.observed)
        refuse_changed_files(plan, self._project)
        refuse_lost_runs(plan, ProjectArchive(self._project, self._refresher.observed, self._providers, plan.program,
                                              any_code=plan.any_code))
        if plan.program:
            Policies(self._project).evaluate(plan)

    def _make_plan(self, wanted: Sequence[Desired], options: PlanOptions, *, refresh: bool = True) -> Plan:
        if refresh:
            self._refresher.query()
        else:
            self._refresher.reload()
        observed = replace(self._refresher.observed, serial=self._refresher.state.serial)
        options = replace(options, total_steps=self._project.metrics.total_steps)
        program = self._program.path_in(self._project) if self._program else ""
        archive = ProjectArchive(self._project, observed, self._providers, program, any_code=options.reuse,
                                 ask=refresh)
        plan = planner.plan(wanted, observed, options, archive)
        plan = select(plan, options.target, options.exclude, options.only)
        plan = plan if options.destroy else bound_running(plan, observed, self._max_running)
        refuse_protected(plan)
        plan = plan if options.destroy else self._with_program(plan)
        plan = warn_of_duplicates(plan, self._refresher.result.duplicates)
        budget = self._program.stack.budget if self._program and wanted else None
        policies = Policies(self._project) if wanted else None
        all_prices = policies is not None and policies.need_prices
        plan = examine_plan(plan, self._providers, ask=refresh, budget=budget, all_prices=all_prices)
        plan = policies.evaluate(plan) if policies else plan
        return self._warn_of_git(_warn_of_access(check_keys(warn_of_size(plan, self._project))))

    @property
    def _max_running(self) -> int | None:
        own = self._declared.stack.max_running
        return own if own is not None else self._project.max_running

    def _warn_of_git(self, plan: Plan) -> Plan:
        """The plan, which says so where `git_check` will keep its apply from launching anything."""
        try:
            refuse_unchecked(plan, self._project)
        except ExpiacError as error:
            return replace(plan, warnings=(*plan.warnings, f"apply will refuse: {error.detail} ({error.hint})"))
        return plan

    def _with_program(self, plan: Plan) -> Plan:
        declared = self._declared
        unread = tuple(f"config field {key} is set, but nothing reads it" for key in declared.unread)
        plan = replace(plan, program=declared.path_in(self._project), overrides=dict(declared.overrides),
                       sweeps=sweep_facts(declared.stack), warnings=(*plan.warnings, *unread))
        if self._found is None or self._searching is None:
            return plan
        return with_searches(plan, self._found, self._searching.digests, self.desired)

    @property
    def _declared(self) -> Program:
        if self._program is None:
            raise ExpiacError("No program", "this stack was opened by its state alone", "name the stack's file")
        return self._program


class _Proposals:
    """What the searches of a stack want to begin and to end."""

    def __init__(self, planning: Planning, names: Collection[str]) -> None:
        self._planning = planning
        self._trials = [f"{name}/*" for name in names]

    def are_due(self) -> bool:
        found = self._planning.search()
        return found is not None and found.has_news

    def plan(self) -> Plan | None:
        return self._planning.plan(PlanOptions(target=self._trials), refresh=True) if self.are_due() else None


def _warn_of_access(plan: Plan) -> Plan:
    """The plan, which says so where missing credentials will keep its apply from launching anything."""
    why = next((step.price_error for step in plan.steps if step.action.launches and step.price_error), "")
    return replace(plan, warnings=(*plan.warnings, f"apply will refuse: {why}")) if why else plan


def _refuse_no_extension(plan: Plan, addresses: Collection[str], total_steps: str) -> None:
    """Raises `UsageError` where a run that was to go on with more steps would not."""
    for step in plan.steps:
        if step.address in addresses and not step.extends:
            key = total_steps or "[tool.expiac.metrics] total_steps"
            why = f"a run goes on with more steps only where {key} alone grows and nothing refers to its result"
            raise UsageError("Nothing to extend", f"{step.address}: {why}", f"expiac plan {plan.stack}")

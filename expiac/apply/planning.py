"""Makes the plans of one command: renders, queries, compares, selects, checks. Writes nothing."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from expiac.apply.archive import ProjectArchive
from expiac.apply.code_size import warn_of_size
from expiac.apply.duplicates import warn_of_duplicates
from expiac.apply.events import Reporter
from expiac.apply.plan_budgets import PlanBudgets
from expiac.apply.preconditions import (
    refuse_changed_files,
    refuse_changed_runs,
    refuse_lost_runs,
    refuse_unchecked,
)
from expiac.apply.refreshing import Refresher
from expiac.apply.reviews import mark_reviewed
from expiac.apply.stack_outputs import changed_references, elsewhere, refuse_changed_references
from expiac.apply.upstream_wait import wait_for_upstream
from expiac.apply.used_by import warn_of_users
from expiac.apply.wandb_key import check_keys
from expiac.compile.prepare import desired
from expiac.declare.program import Program
from expiac.declare.project import Project
from expiac.declare.stack import Stack
from expiac.plan import planner
from expiac.plan.adoption import find_jobs, previous_jobs
from expiac.plan.groups import components_in, members
from expiac.plan.model import Desired, Plan
from expiac.plan.planner import PlanOptions
from expiac.plan.preflight import examine_plan
from expiac.plan.protection import refuse_protected
from expiac.plan.running import bound_running
from expiac.plan.searches import with_searches_to_approve
from expiac.plan.selection import select
from expiac.plan.sweeps import sweep_facts
from expiac.policies.runner import Policies
from expiac.providers.registry import Providers
from expiac.state.events import Json
from expiac.state.facts import ApprovedSearch, Reference
from expiac.state.locking import refuse_stale
from expiac.state.model import Record
from expiac.util.errors import ExpiacError, UsageError, did_you_mean

if TYPE_CHECKING:
    from expiac.apply.search import Found, Proposals, Searching


class Planning:
    """Plans of one stack; `program` is None where it is known by its state alone."""

    def __init__(self, project: Project, program: Program | None, refresher: Refresher,
                 providers: Providers) -> None:
        self._project, self._program = project, program
        self._refresher, self._providers = refresher, providers
        self._rendered: tuple[Mapping[str, Record], Stack, tuple[Desired, ...]] | None = None
        self._searching = _searching(program.stack, refresher) if program else None
        self._found: Found | None = None
        self._options = PlanOptions()
        """How the user chose among the steps of the plan."""
        self._asks = True
        self._kept: tuple[Reference, ...] = ()
        """The outputs of other stacks that stay as they were found: those of a plan that is being carried out."""

    @property
    def desired(self) -> tuple[Desired, ...]:
        """What the program declares, rendered and composed once for each state; of a search, the trials that it has."""
        records = self._refresher.state.records
        stack = self._found.stack if self._found else self._declared.stack
        if self._rendered is None or self._rendered[0] is not records or self._rendered[1] is not stack:
            made = desired(stack, self._project, records, self._providers,
                           elsewhere(self._project, self._kept, asks=self._asks))
            noted = self._found.samplers if self._found else {}
            if self._found is not None:
                made = tuple(replace(want, sampler=_sampler_note(want.address, noted, records)) for want in made)
            self._rendered = records, stack, made
        return self._rendered[2]

    def search(self, *, asks: bool = True, without: Collection[str] = ()) -> Found | None:
        """What the searches of the stack come to now, some of which may propose nothing; None where it has none."""
        self._found = (self._searching.look(self._refresher.observed, asks=asks, without=without)
                       if self._searching else None)
        return self._found

    @property
    def proposed(self) -> Collection[str]:
        """The addresses of the trials that the last look at the searches proposes."""
        return self._found.samplers if self._found else ()

    @property
    def told(self) -> list[str]:
        """The addresses of the trials whose outcomes the last look at the searches found."""
        return [event.address for event in self._found.told] if self._found else []

    @property
    def look(self) -> object:
        """What decides whether a proposal can begin: the runs as they were seen last."""
        return tuple((one.run, one.status) for one in self._refresher.observed.records.values())

    def _look_elsewhere(self, *, again: bool) -> None:
        """Finds outputs of other stacks `again`, where these are others by now; or keeps what was found."""
        wanted = self._rendered[2] if self._rendered else ()
        used = tuple(one for want in wanted for one in want.references)
        self._kept = () if again else used
        if again and used and changed_references(used, self._project):
            self._rendered = None

    def plan(self, options: PlanOptions, *, refresh: bool, goes_on: bool = False,
             without: Collection[str] = ()) -> Plan:
        """The plan from the recorded state to what the program declares; `goes_on` with what outputs of other stacks
        were in the plan before, and `without` proposals of some searches."""
        if not goes_on:
            self._options = options
        self._asks = refresh
        self._refresher.reload()
        self._look_elsewhere(again=not goes_on)
        if self._searching and refresh:
            self._refresher.query()
        self.search(asks=refresh, without=without)
        declared, state = self._declared, self._refresher.state
        known = [want.address for want in self.desired]
        options = replace(options, replace=_addresses(options.replace, known, state.stack),
                          extend=_addresses(options.extend, known, state.stack))
        if ids := previous_jobs(self.desired, declared.stack.previous_job_ids, state):
            options = replace(options, adopt=find_jobs(self.desired, ids, state, self._providers))
        plan = self._make_plan(self.desired, options, refresh=refresh)
        _refuse_no_extension(plan, options.extend, self._project.metrics.total_steps)
        if self._searching:
            to_approve = self._searching.to_approve(self._options)
            plan = with_searches_to_approve(plan, to_approve, self._refresher.state)
        if plan.outputs != (exported := dict(self._refresher.state.outputs)):
            plan = replace(plan, previous_outputs=exported)
        before = self._refresher.state.approved
        if before is None or not before.program or dict(before.overrides) == plan.overrides:
            return plan  # a destroy has no program
        return replace(plan, previous_overrides=before.overrides)

    def wait_for_upstream(self, reporter: Reporter, stopped: threading.Event, *, timeout: float) -> None:
        """Waits until the runs of other stacks whose outputs the program uses have ended."""
        wait_for_upstream(self._declared.stack, self._project, reporter, stopped, timeout=timeout)

    @property
    def awaits_results(self) -> bool:
        """Whether the last look at the searches found trials that have ended, with results that can't be read yet."""
        return self._found is not None and bool(self._found.warnings)

    @property
    def searches(self) -> Mapping[str, ApprovedSearch]:
        """What the program declares of its searches, by their addresses."""
        return self._searching.to_approve(PlanOptions()) if self._searching else {}

    @property
    def proposals(self) -> Proposals | None:
        """What the searches want, as results come in; None where the stack has none."""
        if self._searching is None:
            return None
        from expiac.apply.search.wanted import WantedTrials

        return WantedTrials(self, self._searching.names, self._options)

    def adopt(self, address: str, job: str) -> Plan:
        """The plan that adopts a job which expiac did not launch, and does nothing else."""
        found = find_jobs(self.desired, {address: job}, self._refresher.state, self._providers)
        plan = self._make_plan(self.desired, PlanOptions(adopt=found))
        return replace(plan, steps=(replace(plan[address], after=()),), moves={})

    def destroy(self, options: PlanOptions) -> Plan:
        """The plan from the recorded state to nothing."""
        return warn_of_users(self._make_plan((), replace(options, destroy=True)), self._project)

    def confirm(self, plan: Plan) -> None:
        """Raises `Stale` if a plan that was made earlier no longer holds."""
        self._refresher.reload()
        refuse_stale(plan, self._refresher.state)
        self._refresher.query()
        refuse_changed_runs(plan, self._refresher.observed)
        refuse_changed_files(plan, self._project)
        refuse_changed_references(plan, self._project)
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
        budgets = PlanBudgets(None if options.destroy else self._declared.stack, self._providers)
        plan = budgets.stop(plan, observed)
        plan = select(plan, options.target, options.exclude, options.only)
        if not options.destroy:
            plan = bound_running(budgets.bound(plan, observed), observed, self._max_running)
        refuse_protected(plan)
        plan = plan if options.destroy else self._with_program(plan)
        plan = warn_of_duplicates(plan, self._refresher.result.duplicates)
        budget = self._program.stack.budget if self._program and wanted else None
        policies = Policies(self._project) if wanted else None
        all_prices = policies is not None and (policies.need_prices or budgets.count_dollars)
        plan = examine_plan(plan, self._providers, ask=refresh, budget=budget, all_prices=all_prices)
        plan = policies.evaluate(plan) if policies else plan
        plan = mark_reviewed(plan, self._project, demanded=self._options.reviewed_only)
        plan = budgets.tell(plan, observed)
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
        exported = {name: str(ref) for name, ref in declared.stack.outputs.items()}
        plan = replace(plan, program=declared.path_in(self._project), overrides=dict(declared.overrides),
                       outputs=exported, sweeps=sweep_facts(declared.stack), warnings=(*plan.warnings, *unread))
        if self._found is None or self._searching is None:
            return plan
        from expiac.apply.search import with_searches

        return with_searches(plan, self._found, self._searching.digests, self.desired)

    @property
    def _declared(self) -> Program:
        if self._program is None:
            raise ExpiacError("No program", "this stack was opened by its state alone", "name the stack's file")
        return self._program


def _addresses(names: Collection[str], known: Sequence[str], stack: str) -> tuple[str, ...]:
    """The addresses that names mean: a resource, or every one in a component."""
    found: dict[str, None] = {}
    for name in names:
        if not (meant := members(name, known)):
            raise UsageError("No such resource", f"{name} is not in {stack}",
                             did_you_mean(name, {*known, *components_in(known)}))
        found |= dict.fromkeys(meant)
    return tuple(found)


def _searching(stack: Stack, refresher: Refresher) -> Searching | None:
    """The searches of a stack; None where it has none."""
    if not any(sweep.search for sweep in stack.sweeps):
        return None
    from expiac.apply.search import Searching

    return Searching(stack, refresher.sources)


def _sampler_note(address: str, noted: Mapping[str, Json], records: Mapping[str, Record]) -> Json:
    """What the sampler noted of a trial: when it proposed it now, or when it did before."""
    if address in noted:
        return noted[address]
    return records[address].sampler if address in records else {}


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

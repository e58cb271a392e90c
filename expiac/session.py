"""The composition root: opens the project, the stack, the journal and the providers, for one command.

What plans, applies or prunes is imported by the command that does so: one that only looks waits for none of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from expiac.apply.events import Finished, Reporter, ResourceStatus, Result, SearchLeft, Waiting, Warned
from expiac.apply.notifier import Notifier
from expiac.apply.refresh import id_of
from expiac.apply.refreshing import Refresher
from expiac.declare.project import Project, find_project
from expiac.plan.groups import refuse_component
from expiac.plan.model import Plan
from expiac.plan.sweeps import has_search
from expiac.providers.base import Logs, Provider
from expiac.providers.registry import Providers
from expiac.state import lookup
from expiac.state.looks import Looks
from expiac.state.model import Record, State
from expiac.state.stores import states
from expiac.util.duration import HOUR, WEEK
from expiac.util.errors import ExpiacError, UsageError, did_you_mean
from expiac.util.garbage import without_collection

if TYPE_CHECKING:
    from expiac.apply.applying import Applying
    from expiac.apply.metrics.progress_cache import ProgressCache
    from expiac.apply.planning import Planning
    from expiac.declare import program
    from expiac.plan.planner import PlanOptions
    from expiac.plan.pruning import PruneOptions, Pruning
    from expiac.review.manifest import Manifest


class Session:
    """All that one command needs of one stack."""

    def __init__(self, project: Project, stack: str, reporter: Reporter, declared: program.Program | None,
                 providers: Mapping[str, Provider] | None) -> None:
        self.project, self.stack, self._reporter, self._declared = project, stack, reporter, declared
        self._providers = Providers(project, providers)
        path = declared.path_in(project) if declared else ""
        self._journal = states(project).open(stack, path)
        self.notes = self._journal.notes
        self._refresher = Refresher(self._journal, self._providers, reporter, Looks(project, stack),
                                    Notifier(project, reporter), self._progress_cache)
        self._applying: Applying | None = None
        self._stopped = threading.Event()
        lookup.refuse_second_program(project, self._journal, path)

    @classmethod
    def open(
        cls, name: str | None, overrides: Sequence[str] = (), *, reporter: Reporter, declared: bool = True,
        project: Project | None = None, providers: Mapping[str, Provider] | None = None,
    ) -> Self:
        """Opens the stack file or stem `name` (None if the project has only one) with `key=value` overrides.

        `declared=False` reads only the state, so that destroy, status and logs work with a broken program.
        """
        project = project or find_project(Path.cwd())
        if not declared:
            return cls(project, lookup.stack_of(project, name), reporter, None, providers)
        from expiac.declare import program

        with without_collection():
            loaded = program.load(project, name, overrides)
            return cls(project, loaded.stack.name, reporter, loaded, providers)

    @classmethod
    def of(cls, plan: Plan, *, reporter: Reporter, project: Project | None = None,
           providers: Mapping[str, Provider] | None = None) -> Self:
        """Opens the stack of a plan that was made earlier: its program is not read."""
        return cls(project or find_project(Path.cwd()), plan.stack, reporter, None, providers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._journal.close()

    def _progress_cache(self) -> ProgressCache:
        """What is kept of how far runs were."""
        from expiac.apply.metrics.progress_cache import ProgressCache

        return ProgressCache(self.project.state_folder / "cache" / "progress" / self.stack)

    @cached_property
    def _planning(self) -> Planning:
        from expiac.apply.planning import Planning

        return Planning(self.project, self._declared, self._refresher, self._providers)

    @property
    def state(self) -> State:
        """The recorded state, as this command last read or wrote it."""
        return self._refresher.state

    @property
    def observed(self) -> State:
        """That state, with what the last look found besides."""
        return self._refresher.observed

    def plan(self, *, refresh: bool = True, options: PlanOptions | None = None) -> Plan:
        """What apply would do; writes nothing."""
        from expiac.plan.planner import PlanOptions
        from expiac.tracking.annotations import with_remarks

        with without_collection():
            return with_remarks(self._planning.plan(options or PlanOptions(), refresh=refresh), self.project)

    def wait_for_upstream(self, timeout: float) -> float:
        """Waits until the runs of other stacks that this one uses have ended; gives the seconds that are left."""
        until = time.monotonic() + timeout
        self._planning.wait_for_upstream(self._reporter, self._stopped, timeout=timeout)
        return max(until - time.monotonic(), 0.0)

    def plan_import(self, address: str, job: str) -> Plan:
        """What adopting a job that expiac did not launch would do, and nothing else."""
        return self._planning.adopt(address, job)

    def plan_destroy(self, options: PlanOptions | None = None) -> Plan:
        """What destroy would do: planning toward nothing."""
        from expiac.plan.planner import PlanOptions

        return self._planning.destroy(options or PlanOptions())

    def confirm(self, plan: Plan, *, reviewed_only: bool = False) -> None:
        """Raises `Stale` if a plan that was made earlier no longer holds; writes nothing.

        With `reviewed_only`, raises `ExpiacError` if it launches what was not reviewed.
        """
        from expiac.apply.reviews import mark_reviewed

        self._planning.confirm(plan)
        if reviewed_only:
            mark_reviewed(plan, self.project, demanded=True)

    def apply(self, plan: Plan, *, make_anew: Callable[[], Plan] | None = None, parallelism: int = 10,
              wait: bool = False, timeout: float = WEEK, max_failures: int | None = None) -> Result:
        """Carries out the plan; with `wait`, returns when every run has ended and every deferred step is done.

        With `max_failures`, no further trial of a sweep is begun once more of its trials than that have failed.
        A plan that is stale is refused. Where nobody has approved it, `make_anew` may give another one in its place.
        """
        from expiac.tracking.annotations import tell

        if parallelism < 1:
            raise UsageError("Invalid value", f"parallelism={parallelism}: at least one step at a time",
                             "parallelism=1 or more")
        applying = self._begin_applying(parallelism=parallelism, waits=wait, max_failures=max_failures)
        plan, done = applying.apply(plan, make_anew)
        for warning in tell(done.done, self.state, self.project):
            self._reporter.on_event(Warned(warning))
        result = applying.wait(plan, done, timeout) if wait else done
        self._reporter.on_event(Finished(result))
        return result

    def _begin_applying(self, *, parallelism: int = 10, **how: Any) -> Applying:
        from expiac.apply.applying import Applying
        from expiac.apply.approvals import Approvals

        approvals, proposals = Approvals(self.project, self._journal, **how), self._planning.proposals
        self._applying = Applying(self.project, self._journal, self._refresher, self._providers, self._reporter,
                                  approvals, parallelism=parallelism, proposals=proposals)
        if self._stopped.is_set():
            self._applying.stop()
        return self._applying

    def plan_prune(self, options: PruneOptions) -> Pruning:
        """What a prune would remove from this machine's disk; changes nothing."""
        from expiac.apply.pruning import Pruner

        return Pruner(self.project, self._journal, self._providers).plan(options)

    def prune(self, pruning: Pruning) -> Pruning:
        """Removes what was planned and may still go; returns that."""
        from expiac.apply.pruning import Pruner

        return Pruner(self.project, self._journal, self._providers).carry_out(pruning)

    def stop(self) -> None:
        """Begins nothing new; effects under way finish. Safe in a signal handler."""
        self._stopped.set()
        if self._applying is not None:
            self._applying.stop()

    def refresh(self) -> tuple[ResourceStatus, ...]:
        """Asks about every resource, records what changed, moves queues on, and gives the status of each."""
        return self._with_pages(self._refresher.refresh())

    def status(self, *, refresh: bool = True) -> tuple[ResourceStatus, ...]:
        """The status and progress of each resource; starts and ends nothing.

        What a refresh sees is recorded, where no other command holds the stack's lock and the state can be written.
        """
        if refresh:
            self.look()
        return self._with_pages(self._refresher.status(asks=refresh))

    def _with_pages(self, seen: tuple[ResourceStatus, ...]) -> tuple[ResourceStatus, ...]:
        from expiac.tracking.pages import pages_of

        pages = pages_of(self.observed, self.project)
        return tuple(replace(one, page=pages.get(one.address, "")) for one in seen)

    def look(self) -> None:
        """Asks about every resource, and records what that shows as `status` does; reads no metrics."""
        self._refresher.query()
        self._refresher.record_if_free()

    def watch(self, *, timeout: float = WEEK) -> Result:
        """Reports the status of each resource until every run has ended, or until `stop`; starts and ends nothing."""
        from expiac.apply.wait import are_under_way, poll

        result = Result()
        try:
            for now in poll(self.status, self._stopped, timeout=timeout, stack=self.stack):
                result = Result(seen=now)
                self._reporter.on_event(Waiting(now, self.searches_left))
                if not are_under_way(now):
                    return result
            result = replace(result, interrupted=True)
        finally:
            self._reporter.on_event(Finished(result))
        return result

    def go_on(self, *, timeout: float = WEEK) -> Result:
        """As `watch`, and begins the next trials of searches. Raises `ExpiacError` where they are not as approved."""
        from expiac.apply.continuing import continuation

        plan, since = continuation(self._planning, self.state, self.project.stacks)
        result = self._begin_applying().go_on(plan, since, timeout)
        self._reporter.on_event(Finished(result))
        return result

    @property
    def searches_left(self) -> tuple[SearchLeft, ...]:
        """The searches that would go on, if a command did."""
        if not has_search(self.state):
            return ()
        from expiac.apply.search.remaining import searches_left

        return searches_left(self.state, self.project.stacks)

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The providers of the project, by name."""
        return self._providers

    def logs(self, address: str, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines of a job's output."""
        record = self._latest(self.state, address)
        provider = self._providers[record.provider]
        if not isinstance(provider, Logs):
            raise ExpiacError("No logs", f"{record.provider} keeps none for {address}")
        return provider.logs(id_of(record, self.state.lineage), follow=follow, node=node)

    def fetch(self, address: str, output: str, place: Path | None = None, *, force: bool = False,
              timeout: float = HOUR) -> Path:
        """Copies an output of a run here, whole or not at all; gives the path of the copy."""
        from expiac.apply.fetch import fetch

        record = self._latest(self.observed, address)
        return fetch(record, self.state.lineage, self._providers.get(record.provider), output, place,
                     force=force, timeout=timeout)

    def render(self) -> Mapping[str, Mapping[str, str]]:
        """The rendered texts by address and file name, composed configs among them, with `@instance@` in place."""
        from expiac.review.renderings import reviewed_files

        return {want.address: reviewed_files(want, self.project, self.stack) for want in self._planning.desired}

    def manifest(self, rendered: Mapping[str, Mapping[str, str]]) -> Manifest:
        """The manifest of what the program renders to."""
        from expiac.review.manifest import Manifest, jobs_of
        from expiac.util.git import checkout

        assert self._declared is not None, "rendered"
        commit, dirty = checkout(self.project.root)
        return Manifest(stack=self.stack, program=self._declared.path_in(self.project), commit=commit, dirty=dirty,
                        overrides=dict(self._declared.overrides), jobs=jobs_of(rendered))

    def _latest(self, state: State, address: str) -> Record:
        record = lookup.latest(state, address)
        if record is None:
            refuse_component(address, state.records, "one of it, such as")
            raise UsageError("No such resource", f"{address} is not in the state of {self.stack}",
                             did_you_mean(address, state.records))
        return record

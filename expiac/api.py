"""expiac for other programs: what the main commands do, as functions that print nothing.

    from expiac import api

    plan = api.plan("lr_ab_test", {"gpus": 4})
    if not plan.is_empty:
        result = api.apply(plan, wait=True)
        assert result.is_well, result.failed

You name a stack as on the command line (a file, its stem, or None for the only one), or give a `Stack` that your
program has made. If something goes wrong, the function raises an `ExpiacError`: `Locked`, `Stale`, `UsageError`, … of
`expiac.util.errors`. Match its `code`, which `docs/errors.md` lists, and not its words. A failed step or run raises
nothing; the `Result` tells you. If you give no project, it is that of the working directory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from expiac.analysis import Results
from expiac.analysis.at import at_of
from expiac.analysis.comparing import MetricComparison, compare_results
from expiac.apply.events import Reporter, ResourceStatus, Result, Silent
from expiac.declare.override_words import word_of
from expiac.declare.program import Program
from expiac.declare.project import Project
from expiac.declare.project import find_project as find
from expiac.declare.stack import Stack
from expiac.plan.model import Plan
from expiac.plan.planner import PlanOptions
from expiac.plan.pruning import PruneOptions, Pruning
from expiac.review.changes import Review
from expiac.reviewing import review_of
from expiac.session import Session
from expiac.util.duration import WEEK
from expiac.util.errors import UsageError

__all__ = [
    "MetricComparison", "Plan", "PlanOptions", "PruneOptions", "Pruning", "ResourceStatus", "Result", "Results",
    "Review", "Stack",
    "apply", "compare", "destroy", "find", "plan", "prune", "refresh", "report", "results", "review", "status",
]

_HERE = Path("<python>")
"""The path of the program of a `Stack` that no stack file declares."""


def plan(stack: str | Stack | None = None, overrides: Mapping[str, Any] | None = None, *,
         options: PlanOptions | None = None, refresh: bool = True, project: Project | None = None) -> Plan:
    """What an apply would do; changes nothing. `refresh=False` asks no backend and relies on the state."""
    with _open_declared(stack, overrides, Silent(), project) as session:
        return session.plan(refresh=refresh, options=options)


def apply(what: Plan | str | Stack | None = None, overrides: Mapping[str, Any] | None = None, *,
          options: PlanOptions | None = None, parallelism: int = 10, wait: bool = False, timeout: float = WEEK,
          reporter: Reporter | None = None, project: Project | None = None) -> Result:
    """Carries out a plan that you have made, if it still holds; or plans a stack and carries that out.

    If another command is faster, a plan of yours is refused as stale, and one that is made here is made anew.

    With `wait`, returns when every run has ended and every deferred step is done, or raises after `timeout` seconds.
    The reporter gets every event, from several threads, one at a time.
    """
    reporter = reporter or Silent()
    how: dict[str, Any] = {"parallelism": parallelism, "wait": wait, "timeout": timeout}
    if isinstance(what, Plan):
        if overrides is not None or options is not None:
            raise UsageError("Plan is complete", "apply() takes neither overrides nor options with a plan",
                             "give them to plan(), and apply the plan that it returns")
        with Session.of(what, reporter=reporter, project=project) as session:
            session.confirm(what)
            return session.apply(what, **how)
    with _open_declared(what, overrides, reporter, project) as session:
        if wait:
            how["timeout"] = session.wait_for_upstream(timeout)
        make_plan = partial(session.plan, options=options)
        return session.apply(make_plan(), make_anew=make_plan, **how)


def destroy(stack: str | None = None, *, options: PlanOptions | None = None, parallelism: int = 10,
            reporter: Reporter | None = None, project: Project | None = None) -> Result:
    """Stops every run, verifies that it has stopped, and archives it; needs only the state, not the program."""
    with _open_recorded(stack, reporter or Silent(), project) as session:
        make_plan = partial(session.plan_destroy, options)
        return session.apply(make_plan(), make_anew=make_plan, parallelism=parallelism)


def refresh(stack: str | None = None, *, project: Project | None = None) -> Sequence[ResourceStatus]:
    """Asks the backends about every recorded resource, records what changed, and starts what waits in a queue."""
    with _open_recorded(stack, Silent(), project) as session:
        return session.refresh()


def status(stack: str | None = None, *, refresh: bool = True, project: Project | None = None
           ) -> Sequence[ResourceStatus]:
    """The status and progress of each resource; records what it saw, where the state is free to be written.

    `refresh=False` asks no backend and writes nothing.
    """
    with _open_recorded(stack, Silent(), project) as session:
        return session.status(refresh=refresh)


def results(stack: str | None = None, *, archived: bool = False, at: float | str = "last", refresh: bool = True,
            project: Project | None = None) -> Results:
    """What the runs came to: `runs`, a table of them, and `histories`, one of all that they logged.

    Both are polars DataFrames. `at` says which value of a metric the table has: at a step, or `last`, `best` or `auc`,
    the mean over the steps. `archived` adds the runs of the past. `refresh=False` asks no backend and writes no state.
    """
    with _open_recorded(stack, Silent(), project) as session:
        if refresh:
            session.look()
        return Results(session.observed, session.project, archived=archived, at=at_of(at),
                       providers=session.providers, asks=refresh)


def compare(stack: str | None = None, *, metric: str | None = None, by: Sequence[str] | None = None,
            baseline: str | None = None, sweep: str | None = None, at: float | str = "last", archived: bool = False,
            refresh: bool = True, project: Project | None = None) -> MetricComparison:
    """Compares the arms of a stack over their seeds, at equal steps, by one metric: by default the first of its tables.

    `sweep` is the address of a sweep: only its trials are compared, by default by its own metric.

    The answer has `arms`, `differences` from the `baseline`, `notes`, and `to_polars()`. The baseline is the first
    arm unless you name another, by its letter or as `KEY=VALUE`. `by` names the settings that make an arm, by key
    paths or their ends, in place of all that differ. `at` is as for `results`. Raises an `ExpiacError` if there is
    nothing to compare, and a `UsageError` for a metric, a setting or an arm that there is not.
    """
    return compare_results(results(stack, archived=archived, at=at, refresh=refresh, project=project),
                           metric=metric, by=by, baseline=baseline, sweep=sweep)


def report(stack: str | None = None, *, metric: str | None = None, at: float | str = "last",
           by: Sequence[str] | None = None, baseline: str | None = None, archived: bool = False,
           refresh: bool = True, project: Project | None = None) -> str:
    """A page that reports what the runs came to: HTML that loads nothing. Needs the extra `report`.

    The arguments are those of `compare`. Where there is nothing to compare, the page says why.
    """
    from expiac.report.collect import collect
    from expiac.report.model import Request
    from expiac.report.page import page

    with _open_recorded(stack, Silent(), project) as session:
        if refresh:
            session.look()
        return page(collect(session, Request(metric, at_of(at), by, archived, baseline), asks=refresh)).decode()


def review(stacks: str | Sequence[str] | None = None, overrides: Mapping[str, Any] | None = None, *,
           project: Project | None = None) -> Review:
    """What changed in the rendered files since they were accepted; asks no backend and writes nothing.

    `stacks` names one or several; all if you name none. With overrides, it is one stack under these. `is_clean` says
    that nothing is to be reviewed, `changes` has each job, `alike` groups those that changed alike, and `errors` says
    what could not be rendered. Raises a `UsageError` for a stack that there is not, or overrides without one stack.
    """
    names = [stacks] if isinstance(stacks, str) else list(stacks or ())
    return review_of(project or find(Path.cwd()), names, _override_words(overrides))


def prune(stack: str | None = None, *, options: PruneOptions | None = None, dry_run: bool = False,
          project: Project | None = None) -> Pruning:
    """Deletes what archived runs left on this machine, and returns what that was; with `dry_run`, what it would be."""
    with _open_recorded(stack, Silent(), project) as session:
        planned = session.plan_prune(options or PruneOptions())
        return planned if dry_run else session.prune(planned)


def _open_declared(stack: str | Stack | None, overrides: Mapping[str, Any] | None, reporter: Reporter,
              project: Project | None) -> Session:
    if isinstance(stack, Stack):
        if overrides:
            raise UsageError("Stack is complete", f"{stack.name} is a Stack object; overrides are for stack files",
                             "change what the Stack is made from")
        return Session(project or find(Path.cwd()), stack.name, reporter, Program(_HERE, None, stack), None)
    return Session.open(stack, _override_words(overrides), reporter=reporter, project=project)


def _override_words(overrides: Mapping[str, Any] | None) -> list[str]:
    return [word_of(key, _override_text(value)) for key, value in (overrides or {}).items()]


def _override_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _open_recorded(stack: str | None, reporter: Reporter, project: Project | None) -> Session:
    return Session.open(stack, reporter=reporter, declared=False, project=project)

"""The commands about single runs, whatever their stack. They ask no backend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from expiac.cli import arguments as args
from expiac.cli.exits import DONE

if TYPE_CHECKING:
    from expiac.declare.project import Project
    from expiac.plan.history import PastRun
    from expiac.state.model import State
    from expiac.view import recorded


def runs(
    stacks: args.StacksList = None,
    *,
    where: args.Where = None,
    archived: args.Archived = False,
    sort: args.SortBy = None,
    limit: args.Limit = None,
    json: args.Json = False,
) -> int:
    """List the runs of all stacks, or of those that you name: settings that differ, status, main metric."""
    from expiac.analysis.keys import Keys
    from expiac.analysis.listing import Figures, differing_settings, listed_runs
    from expiac.analysis.matching import matching_runs
    from expiac.analysis.sorting import sorted_runs
    from expiac.cli import runs_output
    from expiac.declare.project import find_project

    project = find_project(Path.cwd())
    states, unread = read_states(project, stacks)
    known = listed_runs(states, archived=archived)
    figures = Figures(states, project)
    keys = Keys(known, figures)
    found, notes = (list(known), []) if where is None else matching_runs(where, known, keys)
    found = sorted_runs(found, sort, keys) if sort is not None and known else found
    runs_output.print_runs(found[:limit], differing_settings(known), figures, states, project.metrics, notes, json=json)
    refuse_unread(unread)
    return DONE


def show(run: args.RunOrPlan, *, verbose: args.Verbose = False, json: args.Json = False,
         markdown: args.Markdown = False) -> int:
    """Show all that is known of a run, or a plan that was saved."""
    from expiac.cli import output, run_output
    from expiac.declare.project import find_project
    from expiac.plan import history, saved
    from expiac.util.errors import UsageError

    args.refuse_two_forms(json=json, markdown=markdown)
    if Path(run).is_file() or run.endswith((".plan", ".json")):
        plan = saved.read(Path(run))
        output.print_plan(plan, plan.program, json=json, markdown=markdown, verbose=verbose)
        return DONE
    if markdown:
        raise UsageError("Conflicting options", "--markdown prints a plan, and not a run", "--json")
    project = find_project(Path.cwd())
    states, _ = read_states(project, None)
    past = history.find_run(states, run)
    (state,) = [one for one in states if one.stack == past.stack]
    run_output.print_run(state, past, project, json=json, verbose=verbose)
    return DONE


def promote(run: args.RunName, *, yes: args.Yes = False, json: args.Json = False) -> int:
    """Make the settings of a run the defaults of its stack's file: shows the patch, asks, and applies it."""
    from expiac.apply.promote import promotion_of
    from expiac.cli import output
    from expiac.declare.project import find_project
    from expiac.plan import formatting, history

    if json:
        output.demand_consent(yes=yes, json=True)
    project = find_project(Path.cwd())
    states, _ = read_states(project, None)
    past = history.find_run(states, run)
    promotion = promotion_of(past, project)
    name = promotion.file.relative_to(project.root).as_posix()
    if json:
        promotion.write()
        output.print_json(_promoted(past, name, promotion.patch(name)))
        return DONE
    if promotion.is_empty:
        print("nothing to change: the run has the defaults")
        return DONE
    print("\n".join(formatting.printable(line) for line in promotion.patch(name).splitlines()))
    output.demand_consent(yes=yes, json=False)
    if not yes:
        output.ask("Apply this patch?")
    promotion.write()
    print(f"\n{name} is changed")
    return DONE


def _promoted(past: PastRun, file: str, patch: str) -> recorded.PromoteDocument:
    from expiac.view import show

    return {"format_version": show.FORMAT, "stack": past.stack, "address": past.record.address,
            "instance": past.record.run.instance, "file": file, "patch": patch}


def read_states(project: Project, stacks: list[str] | None) -> tuple[list[State], list[str]]:
    """The states of the named stacks, of all where none is named; and of those that can't be read, why."""
    from expiac.state import lookup
    from expiac.state.stores import states
    from expiac.util.errors import ExpiacError

    store = states(project)
    names = dict.fromkeys(lookup.stack_of(project, name) for name in stacks) if stacks else store.names()
    known, unread = [], []
    for name in names:
        try:
            known.append(store.read(name).state)
        except ExpiacError as error:
            unread.append(f"{name}: {error.summary}: {error.detail}".rstrip(": "))
    return known, unread


def refuse_unread(unread: list[str]) -> None:
    """Raises where the state of a stack could not be read."""
    from expiac.util.errors import ExpiacError

    if unread:
        raise ExpiacError("Stacks not read", "\n".join(unread), "name one of them: then its error says what to do")

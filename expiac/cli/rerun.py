"""`expiac rerun RUN`: launches a run a second time, from a clean working tree of its commit."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from expiac.cli import arguments as args
from expiac.cli.runs import read_states

if TYPE_CHECKING:
    from expiac.plan.model import Plan


def rerun(
    run: args.RunName,
    *,
    name: args.RerunName = None,
    anyway: args.Anyway = False,
    retry: args.Retry = False,
    yes: args.Yes = False,
    json: args.Json = False,
    wait: args.Wait = False,
) -> int:
    """Launch a run again with the same settings, from a clean tree of its commit, as a run of its own."""
    from expiac.apply import rerun as reruns
    from expiac.cli import execution, output
    from expiac.declare.project import find_project
    from expiac.plan import formatting, history
    from expiac.plan.planner import PlanOptions
    from expiac.util.errors import ExpiacError
    from expiac.util.worktree import worktree

    output.demand_consent(yes=yes, json=json)
    project = find_project(Path.cwd())
    states, _ = read_states(project, None)
    past = history.find_run(states, run)
    with ExitStack() as stack:
        if not anyway:
            tree = stack.enter_context(worktree(project.root, reruns.commit_of(past), project.state_folder / "trees"))
            project = reruns.project_in(tree, project)
        files = () if anyway else reruns.other_code(past, project)
        found = reruns.declare_rerun(past, project, name, any_settings=anyway)
        options = PlanOptions(target=(found.address,), retry=retry)
        changed = tuple(f"not as it was: {one.path}: {formatting.value(one.before)} → {formatting.value(one.after)}"
                        for one in found.differences)
        with execution.open_program(found.program, project, json=json) as (session, reporter):
            def make_plan() -> Plan:
                plan = session.plan(options=options)
                # The other reruns of the stack are not declared here, and none of them is to change.
                return replace(plan, previous_overrides=None, left_out=(), warnings=(*plan.warnings, *files, *changed))

            try:
                return execution.carry_out(session, make_plan(), reporter, program=session.stack, json=json, wait=wait,
                                           question="" if yes else "Launch it again?", make_anew=make_plan)
            except ExpiacError as error:
                if error.code != "apply-incomplete":
                    raise
                raise ExpiacError(error.summary, error.detail, f"expiac rerun {past.record.run.instance}") from error

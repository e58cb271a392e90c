"""The commands. Each opens a stack, plans or reads, and shows; `output` knows what they print."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import typer

from expiac.cli import arguments as args
from expiac.cli import cost, prune, queries, report, rerun, results, review, runs, state, sync, verify, words
from expiac.cli.exits import CHANGES, DONE
from expiac.cli.help import arrange
from expiac.cli.plan_options import plan_options
from expiac.util.duration import WEEK
from expiac.util.errors import UsageError

app = typer.Typer(
    name="expiac",
    help="Infrastructure as code for machine-learning experiments: declare, plan, apply.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback()
def set_common_options(
    context: typer.Context, *, state: args.StateUrl = None, version: args.Version = False,
) -> None:
    """Infrastructure as code for machine-learning experiments: declare, plan, apply."""
    if state is not None:
        args.set_state_url(context, state)


@app.command()
def plan(
    stack: args.StackArg = None,
    overrides: args.OverridesArg = None,
    *,
    sweep: args.Sweep = False,
    verbose: args.Verbose = False,
    json: args.Json = False,
    markdown: args.Markdown = False,
    detailed_exitcode: args.DetailedExitcode = False,
    no_refresh: args.NoRefresh = False,
    target: args.Target = None,
    exclude: args.Exclude = None,
    only: args.Only = None,
    replace: args.Replace = None,
    retry: args.Retry = False,
    extend: args.Extend = None,
    fresh: args.Fresh = False,
    reuse: args.Reuse = False,
    reviewed_only: args.ReviewedOnly = False,
    out: args.Save = None,
) -> int:
    """Show what apply would do, and why. Changes nothing."""
    from expiac.cli import execution, output
    from expiac.util.garbage import without_collection

    args.refuse_two_forms(json=json, markdown=markdown)
    options = plan_options(replace=replace, retry=retry, target=target, exclude=exclude, only=only,
                           extend=extend, fresh=fresh, reuse=reuse, reviewed_only=reviewed_only)
    named = words.stack_and_overrides(stack, overrides, sweep=sweep)
    with without_collection(), execution.open_session(*named, prints_document=json) as (session, _):
        plan = session.plan(refresh=not no_refresh, options=options)
        program = words.program_name(stack, session.stack)
        output.print_plan(plan, program, json=json, markdown=markdown, verbose=verbose)
        if out is not None:
            output.save_plan(plan, out, quiet=json or markdown)
    return CHANGES if detailed_exitcode and not plan.is_empty else DONE


@app.command()
def apply(
    stack: args.StackOrPlan = None,
    overrides: args.OverridesArg = None,
    *,
    sweep: args.Sweep = False,
    yes: args.Yes = False,
    interactive: args.Interactive = False,
    verbose: args.Verbose = False,
    json: args.Json = False,
    parallelism: args.Parallelism = 10,
    wait: args.Wait = False,
    timeout: args.Timeout = WEEK,
    max_failures: args.MaxFailures = None,
    no_refresh: args.NoRefresh = False,
    target: args.Target = None,
    exclude: args.Exclude = None,
    only: args.Only = None,
    replace: args.Replace = None,
    retry: args.Retry = False,
    extend: args.Extend = None,
    fresh: args.Fresh = False,
    reuse: args.Reuse = False,
    reviewed_only: args.ReviewedOnly = False,
) -> int:
    """Plan, ask, and do what the plan says and nothing else; or do what a saved plan says."""
    from expiac.cli import execution, output

    if interactive and (yes or only):
        other = "--yes" if yes else "--only"
        raise UsageError("Conflicting options", f"--interactive asks about each step, and {other} about none",
                         "give one of them")
    if max_failures is not None and not wait:
        raise UsageError("Conflicting options", "--max-failures counts while an apply waits", "--wait")
    consents = yes or only is not None
    output.demand_consent(yes=consents, json=json)
    how: dict[str, Any] = {"json": json, "parallelism": parallelism, "wait": wait, "timeout": timeout,
                           "max_failures": max_failures,
                           "interactive": interactive, "verbose": verbose}
    question = "" if consents else execution.QUESTION
    options = plan_options(replace=replace, retry=retry, target=target, exclude=exclude, only=only,
                           extend=extend, fresh=fresh, reuse=reuse, reviewed_only=reviewed_only)
    if (plan := execution.saved_plan(stack)) is not None:
        if overrides or no_refresh or options != plan_options(reviewed_only=reviewed_only):
            raise UsageError("A saved plan says it all", f"{stack} takes no settings and no choice of steps",
                             "give them to expiac plan, with --out FILE")
        with execution.open_saved(plan, json=json, verbose=verbose, reviewed_only=reviewed_only) as (session, reporter):
            return execution.carry_out(session, plan, reporter, program=plan.program, question=question, **how)
    named = words.stack_and_overrides(stack, overrides, sweep=sweep)
    with execution.open_session(*named, json=json, verbose=verbose) as (session, reporter):
        if wait:
            how["timeout"] = session.wait_for_upstream(timeout)
        make_plan = partial(session.plan, refresh=not no_refresh, options=options)
        program = words.program_name(stack, session.stack)
        return execution.carry_out(session, make_plan(), reporter, program=program, question=question,
                                   make_anew=make_plan, **how)


@app.command()
def destroy(
    stack: args.StackArg = None,
    *,
    yes: args.Yes = False,
    verbose: args.AllRuns = False,
    json: args.Json = False,
    parallelism: args.Parallelism = 10,
    target: args.Target = None,
    exclude: args.Exclude = None,
) -> int:
    """Stop whatever runs, verify that it has stopped, and archive it. Needs only the state, not the program."""
    from expiac.cli import execution, output

    output.demand_consent(yes=yes, json=json)
    with execution.open_session(stack, json=json, declared=False, verbose=verbose) as (session, reporter):
        make_plan = partial(session.plan_destroy, plan_options(target=target, exclude=exclude))
        program = words.program_name(stack, session.stack)
        question = "" if yes else "Destroy all of this?"
        return execution.carry_out(session, make_plan(), reporter, program=program, question=question, json=json,
                                   verbose=verbose, make_anew=make_plan, parallelism=parallelism)


@app.command("import")
def import_(
    stack: args.StackName,
    job: args.ImportedAs,
    job_id: args.JobId,
    overrides: args.OverridesArg = None,
    *,
    sweep: args.Sweep = False,
    yes: args.Yes = False,
    json: args.Json = False,
) -> int:
    """Adopt a job that was launched by other means, after showing what it is. Launches nothing."""
    from expiac.cli import execution, output

    output.demand_consent(yes=yes, json=json)
    with execution.open_session(stack, overrides or [], json=json) as (session, reporter):
        make_plan = partial(session.plan_import, job, job_id)
        question = "" if yes else "Adopt this job?"
        return execution.carry_out(session, make_plan(), reporter, program=stack, question=question, json=json,
                                   make_anew=make_plan)


@app.command()
def refresh(stack: args.StackArg = None, *, json: args.Json = False, verbose: args.AllRuns = False) -> int:
    """Ask about everything that is recorded, write down what changed, start what waits in a queue."""
    from expiac.cli import execution, status_output

    with execution.open_session(stack, prints_document=json, declared=False) as (session, _):
        status_output.print_statuses(session.refresh(), session, json=json, verbose=verbose)
    return DONE


@app.command()
def status(
    stack: args.StacksArg = None,
    *,
    json: args.Json = False,
    verbose: args.AllRuns = False,
    no_refresh: args.NoRefresh = False,
    watch: args.Watch = False,
    goes_on: args.Continue = False,
    timeout: args.Timeout = WEEK,
) -> int:
    """Show how each job is and how far it has come."""
    from expiac.cli import execution, several, status_output

    if watch and no_refresh:
        raise UsageError("Conflicting options", "--watch asks the backends, and --no-refresh asks none",
                         "expiac status --watch")
    if goes_on and not watch:
        raise UsageError("Conflicting options", "--continue begins trials while a watch stays",
                         "expiac status --watch --continue")
    if watch:
        with execution.open_watched(stack, json=json, verbose=verbose, goes_on=goes_on) as (session, reporter):
            return execution.watch(session, reporter, json=json, timeout=timeout, verbose=verbose, goes_on=goes_on)

    def ask(name: str) -> several.Answer:
        with execution.open_session(name, prints_document=json, declared=False) as (session, _):
            return status_output.statuses_answer(session.status(refresh=not no_refresh), session,
                                                 is_asked=not no_refresh, verbose=verbose)

    return several.show_stacks(stack, ask, json=json)


@app.command()
def logs(
    stack: args.StackArg = None, job: args.JobArg = None, *, follow: args.Follow = False, node: args.Node = None
) -> int:
    """Print what a job printed."""
    from expiac.cli import execution, output

    stack, job = words.stack_and_job(stack, job)
    with execution.open_session(stack, declared=False) as (session, _):
        output.print_logs(session, output.job_named(session, job), follow=follow, node=node)
    return DONE


@app.command()
def render(stack: args.StackArg = None, overrides: args.OverridesArg = None, *, sweep: args.Sweep = False,
           out: args.Out = None, eject: args.Eject = False) -> int:
    """Print the task, config and composed config of each job, as they are launched but for the instance's name."""
    from expiac.cli import execution, output
    from expiac.cli.rendered import print_rendered, write_rendered

    if eject:
        output.print_ejected()
        return DONE
    with execution.open_session(*words.stack_and_overrides(stack, overrides, sweep=sweep)) as (session, _):
        if out is None:
            print_rendered(session.render())
        else:
            rendered = session.render()
            write_rendered(rendered, Path(out), session.manifest(rendered))
    return DONE


for command in (queries.stacks, queries.output, queries.fetch, queries.history, queries.diff,
                results.results, results.compare, report.report, runs.runs, runs.show, runs.promote, cost.cost,
                rerun.rerun, review.review, verify.verify):
    app.command()(command)


@app.command()
def new(name: args.NewProject, *, bare: args.Bare = False) -> int:
    """Write a new project, with an example that trains at once. Overwrites nothing."""
    from expiac import scaffold
    from expiac.cli.new import print_new_project

    print_new_project(scaffold.create(name, bare=bare), bare=bare)
    return DONE


@app.command()
def version() -> int:
    """Print the version."""
    args.print_version()
    return DONE


app.command()(prune.prune)
app.command()(sync.sync)
app.add_typer(state.app, name="state")
arrange(app, state.app)

"""The commands that ask what is known of stacks and runs, beside `status`. They launch and end nothing."""

from __future__ import annotations

from pathlib import Path

from expiac.cli import arguments as args
from expiac.cli import state, words
from expiac.cli.exits import DONE
from expiac.util.duration import HOUR


def stacks(*, json: args.Json = False) -> int:
    """List the stacks of the project: their files, how many of their jobs are live, and when they were last applied."""
    from expiac.cli import records
    from expiac.declare.project import find_project
    from expiac.state.overview import summaries

    records.print_stacks(summaries(find_project(Path.cwd())), json=json)
    return DONE


def output(
    stack: args.StackArg = None,
    job: args.OutputsOf = None,
    name: args.OutputName = None,
    *,
    json: args.Json = False,
    no_refresh: args.NoRefresh = False,
) -> int:
    """Show the outputs of runs; of one output, or one that the stack exports, its value alone, for scripts."""
    from expiac.cli import execution, outputs

    with execution.open_session(stack, prints_document=json or name is not None, declared=False) as (session, _):
        if not no_refresh:
            session.look()
        exported = outputs.find_exported(session.observed, job) if name is None else None
        if exported is not None:
            outputs.print_exported(session.observed, exported, json=json)
            return DONE
        found = outputs.find(session.observed, job, name)
        outputs.print_outputs(session.observed, found, of=job, raw=name is not None, json=json)
        if no_refresh:
            outputs.print_age(session.stack, found)
    return DONE


def fetch(
    stack: args.StackName,
    job: args.FetchedJob,
    name: args.FetchedOutput,
    to: args.Destination = None,
    *,
    json: args.Json = False,
    force: args.Overwrite = False,
    timeout: args.FetchTimeout = HOUR,
) -> int:
    """Copy an output of a run here, a file or a folder. Overwrites nothing unless forced."""
    from expiac.cli import execution, outputs

    with execution.open_session(stack, prints_document=json, declared=False) as (session, _):
        session.look()
        (found,) = outputs.find(session.observed, job, name)
        outputs.warn_if_live(found)
        outputs.print_fetched(session, found, session.fetch(job, name, to, force=force, timeout=timeout), json=json)
    return DONE


def history(stack: args.StacksArg = None, serial: args.Serial = None, *, json: args.Json = False) -> int:
    """Show what was applied when, by whom and from which commit; of one of them, its plan."""
    from expiac.cli import records, several
    from expiac.plan import history as histories

    stack, serial = words.stack_and_serial(stack, serial)
    if serial is not None:
        with state.open_journal(stack) as journal:
            approval = histories.approval(journal.state, serial)
            several.print_answer(records.approval_answer(journal.state, approval), json=json)
        return DONE

    def ask(name: str) -> several.Answer:
        with state.open_journal(name) as journal:
            return records.approvals_answer(journal.state)

    return several.show_stacks(stack, ask, json=json)


def diff(runs: args.RunNames, *, json: args.Json = False) -> int:
    """Show how runs differ: their settings, their code, their results."""
    from expiac.apply.metrics.sources import sources_of
    from expiac.cli import difference_output, records
    from expiac.declare.project import find_project
    from expiac.plan import history
    from expiac.providers.registry import Providers
    from expiac.state.stores import states
    from expiac.util.errors import UsageError

    if len(runs) < 2:
        raise UsageError("Value missing", "diff compares two runs or more", f"expiac diff {runs[0]} RUN")
    project = find_project(Path.cwd())
    store, sources = states(project), sources_of(Providers(project))
    known = [store.read(name).state for name in store.names()]
    found = [history.find_run(known, word) for word in runs]
    if len(found) == 2:
        before, after = found
        records.print_difference(before, after, history.compare(before, after), sources, json=json)
    else:
        difference_output.print_differences(found, sources, json=json)
    return DONE

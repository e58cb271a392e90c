"""The commands that say what the runs of a stack came to: `results` and `compare`. They launch and end nothing."""

from __future__ import annotations

from expiac.cli import arguments as args
from expiac.cli.exits import DONE
from expiac.util.errors import UsageError


def results(
    stack: args.StackArg = None,
    *,
    format: args.ResultsFormat = "table",
    json: args.Json = False,
    archived: args.Archived = False,
    at: args.At = "last",
    histories: args.Histories = False,
    no_refresh: args.NoRefresh = False,
) -> int:
    """Show the results of the runs in one table: settings that differ, seed, metrics, time, cost and status."""
    from expiac.analysis import Results
    from expiac.analysis.at import at_of
    from expiac.cli import execution, results_output

    form = args.results_format(format, json=json)
    if histories and form not in ("csv", "parquet"):
        raise UsageError("Conflicting options", f"--histories is a long table, and --format {form} is not for that",
                         "--format csv or --format parquet")
    with execution.open_session(stack, prints_document=form != "table", declared=False) as (session, _):
        if not no_refresh:
            session.look()
        found = Results(session.observed, session.project, archived=archived, at=at_of(at),
                        providers=session.providers, asks=not no_refresh)
        results_output.print_results(session.observed, found, form=form, histories=histories, is_asked=not no_refresh)
    return DONE


def compare(
    stack: args.StackArg = None,
    *,
    metric: args.MetricName = None,
    at: args.At = "last",
    by: args.By = None,
    baseline: args.Baseline = None,
    json: args.Json = False,
    archived: args.Archived = False,
    no_refresh: args.NoRefresh = False,
) -> int:
    """Compare the arms of an experiment over their seeds: means, intervals, differences, and how clear these are."""
    from expiac.analysis import Results
    from expiac.analysis.at import at_of
    from expiac.analysis.comparing import compare_results
    from expiac.analysis.ranking import rankings_of
    from expiac.cli import ages, comparison_output, execution

    with execution.open_session(stack, prints_document=json, declared=False) as (session, _):
        if not no_refresh:
            session.look()
        state = session.observed
        found = Results(state, session.project, archived=archived, at=at_of(at),
                        providers=session.providers, asks=not no_refresh)
        compared = compare_results(found, metric=metric, by=by, baseline=baseline)
        as_of = ages.as_of(state.stack, state.records.values()) if no_refresh else ""
        comparison_output.print_comparison(state, compared, rankings_of(found, compared, metric=metric, by=by),
                                           as_of=as_of, age=ages.sentence(state.stack, as_of), json=json)
    return DONE

"""The command `report`: writes the page or the notebook of a stack, or serves the page while runs go on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from expiac.cli import arguments as args
from expiac.cli.exits import DONE
from expiac.util.errors import UsageError

if TYPE_CHECKING:
    from expiac.report.model import Request
    from expiac.state.model import State
    from expiac.view import compared


def report(
    stack: args.StackArg = None,
    *,
    output: args.ReportFile = None,
    notebook: args.NotebookFile = None,
    serve: args.Serve = False,
    port: args.Port = 8765,
    metric: args.MetricName = None,
    at: args.At = "last",
    by: args.By = None,
    baseline: args.Baseline = None,
    archived: args.Archived = False,
    force: args.Overwrite = False,
    json: args.Json = False,
    no_refresh: args.NoRefresh = False,
) -> int:
    """Write a page on a stack that needs no network: curves, comparison, logs of failed runs, replays, provenance."""
    from expiac.analysis.at import at_of
    from expiac.report.model import Request

    request = Request(metric, at_of(at), by, archived, baseline)
    if serve:
        if output or notebook:
            raise UsageError("Conflicting options", "--serve writes no file", "leave out --serve, -o or --notebook")
        return _serve(stack, request, port, json=json, refresh=not no_refresh)
    return _write(stack, request, output, notebook, force=force, json=json, refresh=not no_refresh)


def _write(stack: str | None, request: Request, output: Path | None, notebook: Path | None, *, force: bool, json: bool,
           refresh: bool) -> int:
    from expiac.analysis.runs import runs_of
    from expiac.cli import ages, execution
    from expiac.cli.output import print_json, print_notes
    from expiac.report import charts, files
    from expiac.report.collect import collect
    from expiac.report.notebook import notebook as notebook_of
    from expiac.report.page import page
    from expiac.view.console import console

    with execution.open_session(stack, prints_document=json, declared=False) as (session, _):
        if output is None and notebook is None:
            output = Path(f"{session.stack}.html")
        if notebook is not None:
            files.check_place(notebook, force=force, may_replace_page=False)
        if output is not None:
            files.check_place(output, force=force)
            charts.require("altair", "vl_convert")
        if output is not None:
            if refresh:
                session.look()
            at = "" if refresh else ages.as_of(session.stack, session.observed.records.values())
            found = collect(session, request, asks=refresh, age=ages.sentence(session.stack, at))
            files.write(output, page(found))
            print_notes([*found.notes, *found.replay_notes])
        if notebook is not None:
            runs = runs_of(session.observed, archived=request.archived)
            sweeps = dict.fromkeys(run.trial.sweep for run in runs if run.trial.sweep)
            files.write(notebook, notebook_of(session.stack, request, [*sweeps]))
        if json:
            print_json(_document(session.state, output, notebook))
        else:
            for file in filter(None, (output, notebook)):
                console().print(f"Written: {shlex.quote(str(file))}", soft_wrap=True)
    return DONE


def _serve(stack: str | None, request: Request, port: int, *, json: bool, refresh: bool) -> int:
    from expiac.cli import execution
    from expiac.cli.output import print_json
    from expiac.report import charts
    from expiac.report.following import follow
    from expiac.report.server import Server
    from expiac.view.console import console

    charts.require("altair", "vl_convert")
    with execution.open_session(stack, declared=False) as (session, _):
        state, project = session.state, session.project
    live = follow(state.stack, request, project, refresh=refresh)
    live.page()
    with Server(live, port) as server:
        if json:
            print_json(_document(state, None, None, server.url))
        else:
            console().print(f"{state.stack} is shown at {server.url} until you press ^C", soft_wrap=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return DONE
    return DONE


def _document(state: State, page: Path | None, notebook: Path | None, url: str | None = None
              ) -> compared.ReportDocument:
    from expiac.cli.output import head

    return {**head(state), "page": str(page) if page else None, "notebook": str(notebook) if notebook else None,
            "url": url}

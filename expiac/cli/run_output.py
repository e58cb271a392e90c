"""Prints all that is known of one run: as text, or as JSON. Decides nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from expiac.analysis import Results
from expiac.analysis.runs import all_settings, run_of
from expiac.apply.refresh import id_of
from expiac.cli import ages, output
from expiac.cli.invocation import with_command_name
from expiac.cli.records import reviewed_text
from expiac.cli.runs_output import setting_value
from expiac.cli.tables import local_time, table
from expiac.declare.metrics import Metric
from expiac.declare.override_words import words_of
from expiac.declare.project import Project
from expiac.plan import formatting, history
from expiac.plan.cost import dollars
from expiac.plan.exported import exported_by
from expiac.plan.history import PastRun
from expiac.plan.references import inputs_of
from expiac.providers.base import Logs
from expiac.providers.registry import Providers
from expiac.state.model import Record, State
from expiac.util.errors import ExpiacError
from expiac.view import runs
from expiac.view.console import console
from expiac.view.show import references

_MOST_SETTINGS = 40
_LONGEST = 200
"""Characters of a value, unless all is to be shown."""


def print_run(state: State, past: PastRun, project: Project, *, json: bool, verbose: bool) -> None:
    """Prints the run; `verbose` shows every setting, and values in full."""
    record = past.record
    at = ages.as_of(state.stack, [record])
    found = Results(state, project, known=[run_of(record)])
    shown = _document(state, past, project, found)
    if json:
        document: runs.RunDocument = {**output.head(state), "as_of": at or None, "run": shown}
        output.print_json(document)
        return
    out = console()
    detail = f": {_inert(record.detail)}" if record.detail else ""
    out.print(f"{record.run.instance}   {record.status.value}{detail}", soft_wrap=True)
    longest = _LONGEST if not verbose else 1 << 40
    out.print()
    _print_pairs({**_facts(state.stack, past, shown), "exported as": ", ".join(_exported_as(state, record))})
    settings = list(shown["settings"].items())
    most = len(settings) if verbose else _MOST_SETTINGS
    _print_part("settings", {path: setting_value(value, longest) for path, value in settings[:most]})
    if len(settings) > most:
        out.print(f"  and {len(settings) - most} more: --verbose", style="dim")
    elsewhere = {".".join((one["stack"], one["address"], one["output"])): f"{one['instance']}: {one['value']}"
                 for one in shown["references"]}
    _print_part("inputs from", {**shown["upstream"], **elsewhere})
    _print_part("outputs", {name: setting_value(value, longest) for name, value in shown["outputs"].items()})
    _print_metrics(shown, found)
    output.print_age(ages.sentence(state.stack, at))
    output.print_notes(found.notes)


def _document(state: State, past: PastRun, project: Project, found: Results) -> runs.ShownRun:
    record, run = past.record, found.known[0]
    best = Results(state, project, known=found.known, at="best")
    return {
        "address": record.address, "type": record.type, "provider": record.provider, "instance": record.run.instance,
        "attempt": record.run.attempt, "launch": record.run.launch, "status": record.status, "detail": record.detail,
        "launched_at": record.at, "archived_at": record.ended_at, "pruned_at": record.pruned_at,
        "rendered": history.rendered_digest(past) or None,
        "reviewed": history.rendered_digest(past) if history.reviewed_set(past) else None,
        "seconds": record.seconds, "approval": _approval(past, project), "seed": run.seed,
        "settings": all_settings(inputs_of(record)), "upstream": dict(record.upstream),
        "references": references(record.references), "outputs": dict(record.outputs),
        "last": dict(found.figures(run)), "best": dict(best.figures(run)), "cost": run.cost,
        "logs": [str(file) for file in _log_files(state, record, project)], "wandb_id": record.run.instance}


def _approval(past: PastRun, project: Project) -> runs.LaunchedBy | None:
    if past.approval is None:
        return None
    approved = past.approval.approved
    diff = approved.provenance.get("diff")
    file = project.state_folder / "provenance" / f"{diff}.diff"
    return {"serial": past.approval.serial, "program": approved.program, "overrides": dict(approved.overrides),
            "provenance": dict(approved.provenance), "diff_file": str(file) if diff and file.is_file() else ""}


def _log_files(state: State, record: Record, project: Project) -> Sequence[Path]:
    try:
        provider: object = Providers(project)[record.provider]
        return provider.log_files(id_of(record, state.lineage)) if isinstance(provider, Logs) else ()
    except (ExpiacError, KeyError):
        return ()


def _facts(stack: str, past: PastRun, shown: runs.ShownRun) -> Mapping[str, str]:
    """What there is to say, by its name; what is not known is left out."""
    record, approval = past.record, shown["approval"]
    provenance: Mapping[str, Any] = approval["provenance"] if approval else {}
    place = f" on {record.provider}"
    launches = f", launch {record.run.launch}" if record.run.launch > 1 else ""
    who = f" by {history.approver(past.approval)}" if past.approval else ""
    command = f"{approval['program'] or 'destroy'} {shlex.join(words_of(approval['overrides']))}" if approval else ""
    pruned = f", pruned {local_time(record.pruned_at)}" if record.pruned_at else ""
    log = "" if record.ended_at else f"expiac logs {stack} {record.address}"
    return {
        "job": f"{record.address} of {stack}",
        "launched": f"{local_time(record.at)}{launches}{who}{place}" if record.at else "",
        "plan": f"serial {approval['serial']}, {command}".rstrip() if approval else "",
        "commit": _commit(provenance, approval["diff_file"] if approval else ""),
        "files": _review(past),
        "time": formatting.duration(record.seconds) if record.seconds else "",
        "archived": f"{local_time(record.ended_at)}{pruned}" if record.ended_at else "",
        "seed": "" if shown["seed"] is None else setting_value(shown["seed"]),
        "cost": "" if shown["cost"] is None else dollars(shown["cost"]),
        "logs": "\n".join(shown["logs"]) or with_command_name(log),
        "W&B id": shown["wandb_id"],
    }


def _review(past: PastRun) -> str:
    """From which reviewed snapshots it was launched, if any."""
    told = reviewed_text(past)
    return f"{told} ({which})" if (which := history.reviewed_set(past)) else told


def _exported_as(state: State, record: Record) -> list[str]:
    """Which of its outputs the stack exports, while the run stands at its address."""
    return [f"{one.output} as {one.name}" for one in exported_by(state)
            if one.address == record.address and not record.ended_at]


def _commit(provenance: Mapping[str, Any], diff_file: str) -> str:
    if not (commit := str(provenance.get("commit", ""))):
        return ""
    if not provenance.get("dirty"):
        return commit if "dirty" in provenance else f"{commit}; whether the tree had changes is not known"
    return f"{commit}, and changes that were not committed" + (f":\n{diff_file}" if diff_file else "")


def _print_part(title: str, values: Mapping[str, str]) -> None:
    if values:
        console().print(f"\n{title}")
        _print_pairs(values, indent="  ")


def _print_pairs(values: Mapping[str, str], indent: str = "") -> None:
    known = {_inert(name): text for name, text in values.items() if text}
    width = max(map(len, known), default=0)
    for name, text in known.items():
        first, *others = text.split("\n")
        console().print(f"{indent}{name:<{width}}  {_inert(first)}", soft_wrap=True)
        for other in others:
            console().print(f"{indent}{'':<{width}}  {_inert(other)}", soft_wrap=True)


def _print_metrics(shown: runs.ShownRun, found: Results) -> None:
    if not shown["last"]:
        return
    known = {metric.name: metric for metric in found.metrics.show}
    rows = table("metric", "last", *(["best"] if shown["best"] else []))
    for name, last in shown["last"].items():
        form = known.get(name, Metric(name)).format
        best = shown["best"].get(name)
        rows.add_row(_inert(name), format(last, form),
                     *(["" if best is None else format(best, form)] if shown["best"] else []))
    console().print()
    console().print(rows)


def _inert(text: str) -> str:
    return formatting.printable(text)

"""Prints a comparison of arms: tables and plain sentences, or JSON. Decides nothing."""

from __future__ import annotations

from dataclasses import replace

from rich.table import Table

from expiac.analysis import wording
from expiac.analysis.comparing import MetricComparison
from expiac.analysis.comparison import Arm, Difference
from expiac.cli import output, tables
from expiac.cli.results_output import heading, setting_text
from expiac.plan.formatting import printable
from expiac.state.model import State
from expiac.view import compared
from expiac.view.console import console

_FIGURES = ("arm", "n", "mean", "IQM", "95 %")
_TITLE = 60
"""As many characters of a metric's name are shown."""


def print_comparison(state: State, found: MetricComparison, *, as_of: str, age: str, json: bool) -> None:
    """Prints the comparison."""
    if json:
        output.print_json(_document(state, found, as_of))
        return
    out = console()
    out.print(f"{printable(_heading(found))}\n", highlight=False)
    arms = tables.narrow(_table(_arm_rows(found)), out, keep=_FIGURES)
    out.print(tables.rendered(arms, out))
    if left := len(found.by) - (len(arms.columns) - len(_FIGURES)):
        out.print(f"not shown: {left} settings by which the arms differ; --json has them all", style="dim")
    if found.comparison.differences:
        out.print()
        out.print(tables.fit(_table(wording.difference_rows(found)), out))
        out.print()
    else:
        out.print(f"\n{wording.ONE_ARM}")
    for difference in found.comparison.differences:
        out.print(wording.sentence(difference), highlight=False)
    for note in found.comparison.notes:
        out.print(f"! {printable(note)}", highlight=False)
    output.print_age(age)


def _heading(found: MetricComparison) -> str:
    title = printable(found.metric.title, room=_TITLE)
    return wording.heading(replace(found, metric=replace(found.metric, label=title)))


def _arm_rows(found: MetricComparison) -> wording.Rows:
    """The arms, with heads and settings as the table of results has them."""
    head, *rows = wording.arm_rows(found)
    end = 1 + len(found.by)
    return [[head[0], *(heading(name, _FIGURES) for name in head[1:end]), *head[end:]],
            *([row[0], *(setting_text(text) for text in row[1:end]), *row[end:]] for row in rows)]


def _document(state: State, found: MetricComparison, as_of: str) -> compared.ComparisonDocument:
    return {**output.head(state), "as_of": as_of or None, "metric": found.metric.name,
            "direction": found.metric.direction, "at": found.at, "step": found.step,
            "arms": [_arm_document(arm) for arm in found.comparison.arms],
            "differences": [_difference_document(one) for one in found.comparison.differences],
            "notes": list(found.comparison.notes)}


def _table(rows: wording.Rows) -> Table:
    table = tables.table(*rows[0])
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _arm_document(arm: Arm) -> compared.Arm:
    return {"name": arm.name, "settings": dict(arm.settings),
            "runs": {run.instance: value for run, value in arm.runs}, "n": len(arm.runs), "mean": arm.mean,
            "interquartile_mean": arm.interquartile_mean, "interval": list(arm.interval) if arm.interval else None}


def _difference_document(one: Difference) -> compared.DifferenceOfArms:
    return {"arm": one.arm, "baseline": one.baseline, "pairs": one.pairs, "mean": one.mean,
            "interval": list(one.interval) if one.interval else None, "effect_size": one.effect_size,
            "probability_of_improvement": one.probability_of_improvement, "p": one.p, "p_holm": one.p_holm,
            "verdict": one.verdict, "seeds_needed": one.seeds_needed}

"""Prints a comparison of arms: tables and plain sentences, or JSON. Decides nothing."""

from __future__ import annotations

from rich.table import Table

from expiac.analysis import wording
from expiac.analysis.comparing import MetricComparison
from expiac.analysis.comparison import Arm, Difference
from expiac.cli import output, tables
from expiac.state.model import State
from expiac.view import compared
from expiac.view.console import console


def print_comparison(state: State, found: MetricComparison, *, as_of: str, age: str, json: bool) -> None:
    """Prints the comparison."""
    if json:
        output.print_json(_document(state, found, as_of))
        return
    out = console()
    out.print(f"{wording.heading(found)}\n", highlight=False)
    out.print(tables.fit(_table(wording.arm_rows(found)), out))
    if found.comparison.differences:
        out.print()
        out.print(tables.fit(_table(wording.difference_rows(found)), out))
        out.print()
    else:
        out.print(f"\n{wording.ONE_ARM}")
    for difference in found.comparison.differences:
        out.print(wording.sentence(difference), highlight=False)
    for note in found.comparison.notes:
        out.print(f"! {note}", highlight=False)
    output.print_age(age)


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

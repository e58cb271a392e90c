"""Prints a comparison of arms: tables and plain sentences, or JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from expiac.analysis import wording
from expiac.analysis.again import command_again
from expiac.analysis.comparing import MetricComparison
from expiac.analysis.comparison import Arm, Difference
from expiac.analysis.ranking import Ranking, is_ranked
from expiac.cli import output, ranking_output, tables
from expiac.cli.results_output import heading, setting_text
from expiac.plan.formatting import printable
from expiac.state.model import State
from expiac.view import compared
from expiac.view.console import console

_FIGURES = ("arm", "n", "mean", "IQM", "95 %")
_TITLE = 60
"""As many characters of a metric's name are shown."""


def print_comparison(state: State, found: MetricComparison, rankings: Sequence[Ranking] = (), *, as_of: str, age: str,
                     json: bool) -> None:
    """Prints the comparison; of many arms, the rankings in its place."""
    if json:
        output.print_json(_document(state, found, rankings, as_of))
    elif is_ranked(found) and rankings:
        for ranking in rankings:
            best = ranking.arms[0].runs[0][0].instance
            ranking_output.print_ranking(ranking, _heading(ranking.compared), command_again(state, best))
        output.print_age(age)
    else:
        _print_arms(found, age)


def _print_arms(found: MetricComparison, age: str) -> None:
    out = console()
    out.print(f"{printable(_heading(found))}\n", highlight=False)
    arms = tables.narrow(tables.of_rows(_arm_rows(found)), out, keep=_FIGURES)
    out.print(tables.rendered(arms, out))
    if left := len(found.by) - (len(arms.columns) - len(_FIGURES)):
        out.print(f"not shown: {left} settings by which the arms differ; --json has them all", style="dim")
    if found.comparison.differences:
        out.print()
        out.print(tables.fit(tables.of_rows(wording.difference_rows(found)), out))
        out.print()
    else:
        out.print(f"\n{printable(wording.one_arm(found))}")
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


def _document(state: State, found: MetricComparison, rankings: Sequence[Ranking], as_of: str
              ) -> compared.ComparisonDocument:
    return {**output.head(state), "as_of": as_of or None, "metric": found.metric.name,
            "direction": found.metric.direction, "at": found.at, "step": found.step,
            "arms": [_arm_document(arm) for arm in found.comparison.arms],
            "differences": [_difference_document(one) for one in found.comparison.differences],
            "rankings": [ranking_output.document(one) for one in rankings],
            "notes": list(found.comparison.notes)}


def _arm_document(arm: Arm) -> compared.Arm:
    return {"name": arm.name, "settings": dict(arm.settings),
            "runs": {run.instance: value for run, value in arm.runs}, "n": len(arm.runs), "mean": arm.mean,
            "interquartile_mean": arm.interquartile_mean, "interval": list(arm.interval) if arm.interval else None}


def _difference_document(one: Difference) -> compared.DifferenceOfArms:
    return {"arm": one.arm, "baseline": one.baseline, "pairs": one.pairs, "mean": one.mean,
            "interval": list(one.interval) if one.interval else None, "effect_size": one.effect_size,
            "probability_of_improvement": one.probability_of_improvement, "p": one.p, "p_holm": one.p_holm,
            "verdict": one.verdict, "seeds_needed": one.seeds_needed}

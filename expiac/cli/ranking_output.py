"""Prints a ranking of arms: the best ones and what mattered, or JSON values. Decides nothing."""

from __future__ import annotations

from expiac.analysis import ranking_words
from expiac.analysis.again import Again
from expiac.analysis.comparison import Arm
from expiac.analysis.ranking import Ranking, swept_values
from expiac.cli import tables
from expiac.cli.results_output import heading, setting_text
from expiac.plan.formatting import printable
from expiac.view import compared
from expiac.view.console import console


def print_ranking(found: Ranking, metric: str, again: Again) -> None:
    """Prints the ranking below a heading that says of which metric it is, and how to launch the best one again."""
    out = console()
    out.print(f"{printable(ranking_words.title(found))}\n{printable(metric)}\n", highlight=False)
    best = tables.narrow(tables.of_rows(_rows(found)), out, keep=ranking_words.FIGURES)
    out.print(tables.rendered(best, out))
    if left := len(found.compared.by) - (len(best.columns) - len(ranking_words.FIGURES)):
        out.print(f"not shown: {left} settings by which the trials differ; --json has them all", style="dim")
    out.print()
    if shares := ranking_words.importance_rows(found):
        out.print(tables.rendered(tables.of_rows(shares), out))
    for sentence in ranking_words.importance_sentences(found):
        out.print(printable(sentence), highlight=False)
    for note in ranking_words.notes(found):
        out.print(f"! {printable(note)}", highlight=False)
    out.print(f"\nLaunch the best one again:\n  {again.command}", highlight=False, soft_wrap=True)
    if again.note:
        out.print(printable(again.note), style="dim")
    out.print()


def document(found: Ranking) -> compared.Ranking:
    """The ranking as JSON values."""
    one = found.importance
    return {"sweep": found.sweep or None, "metric": found.compared.metric.name,
            "direction": found.compared.metric.direction, "step": found.compared.step,
            "ranking": [_arm(rank, arm, found) for rank, arm in enumerate(found.arms, 1)],
            "importance": {"shares": dict(one.shares), "predicted": one.predicted, "of_logarithm": one.is_of_logarithm,
                           "why_not": one.why_not},
            "notes": list(found.compared.notes)}


def _arm(rank: int, arm: Arm, found: Ranking) -> compared.RankedArm:
    return {"rank": rank, "address": arm.runs[0][0].job, "settings": swept_values(arm, found.compared.by),
            "runs": {run.instance: value for run, value in arm.runs}, "n": len(arm.runs), "mean": arm.mean,
            "interval": list(arm.interval) if arm.interval else None}


def _rows(found: Ranking) -> list[list[str]]:
    """With heads and settings as the table of results has them."""
    head, *rows = ranking_words.best_rows(found)
    end = 2 + len(found.compared.by)
    return [[*head[:2], *(heading(name, ranking_words.FIGURES) for name in head[2:end]), *head[end:]],
            *([*row[:2], *(setting_text(text) for text in row[2:end]), *row[end:]] for row in rows)]

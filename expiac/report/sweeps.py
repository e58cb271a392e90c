"""What a report shows of each sweep: its best trials, what mattered, and what is drawn."""

from __future__ import annotations

from expiac.analysis import ranking_words, wording
from expiac.analysis.again import Again, command_again
from expiac.analysis.axes import MOST_TRIALS, drawn
from expiac.analysis.comparing import MetricComparison
from expiac.analysis.ranking import Ranking, rankings_of
from expiac.analysis.results import Results
from expiac.report.model import Request, SweepOfReport
from expiac.state.model import State

MOST_SWEEPS = 6
"""As many have a section on a page."""


def sweeps_of_report(state: State, found: Results, compared: MetricComparison, request: Request
                     ) -> tuple[tuple[SweepOfReport, ...], tuple[str, ...]]:
    """A section for each sweep that has something to compare, or for all arms if they are many; and notes."""
    rankings = rankings_of(found, compared, metric=request.metric, by=request.by)
    left = [ranking.sweep for ranking in rankings[MOST_SWEEPS:]]
    notes = (f"{len(left)} more sweeps have no section: {', '.join(left[:10])}",) if left else ()
    return tuple(_section(state, ranking) for ranking in rankings[:MOST_SWEEPS]), notes


def _section(state: State, ranking: Ranking) -> SweepOfReport:
    shown = drawn(ranking)
    left = [f"{len(shown.trials)} of {len(ranking.arms)} trials are drawn, at equal distances in the ranking, since a "
            f"page has room for {MOST_TRIALS}"] if shown.left_out else []
    again: Again = command_again(state, ranking.arms[0].runs[0][0].instance)
    return SweepOfReport(
        ranking_words.title(ranking), wording.heading(ranking.compared), ranking_words.best_rows(ranking),
        again.command, again.note, ranking_words.importance_sentences(ranking), shown,
        (*ranking_words.notes(ranking), *left))

"""Prints a comparison of arms: tables and plain sentences, or JSON. Decides nothing."""

from __future__ import annotations

from typing import Any

from expiac.analysis.comparing import MetricComparison
from expiac.analysis.comparison import Arm, Difference
from expiac.analysis.labels import short_names
from expiac.cli import output, tables
from expiac.cli.results_output import heading, setting_text
from expiac.state.model import State
from expiac.view import compared
from expiac.view.console import console
from expiac.view.figures import count
from expiac.view.printable import printable

_AT = {"last": "the last value", "best": "the best value", "auc": "the mean over the steps"}
_FIGURES = ("arm", "n", "mean", "IQM", "95 %")
_TITLE = 60
"""As many characters of a metric's name are shown."""
_BETTER = {"max": "more is better", "min": "less is better", "": "no direction is set"}


def print_comparison(state: State, found: MetricComparison, *, as_of: str, age: str, json: bool) -> None:
    """Prints the comparison."""
    if json:
        output.print_json(_document(state, found, as_of))
        return
    out = console()
    runs = sum(len(arm.runs) for arm in found.arms)
    which = _AT.get(str(found.at), "the value")
    title = printable(found.metric.title, room=_TITLE)
    out.print(f"{title} ({_BETTER[found.metric.direction]}): {which} up to step {count(found.step)}, "
              f"which all of these {runs} runs have reached\n", highlight=False)
    arms = tables.narrow(_arms(found), out, keep=_FIGURES)
    out.print(tables.rendered(arms, out))
    if left := len(found.by) - (len(arms.columns) - len(_FIGURES)):
        out.print(f"not shown: {left} settings by which the arms differ; --json has them all", style="dim")
    if found.differences:
        out.print()
        out.print(tables.fit(_differences(found), out))
        out.print()
    else:
        out.print("\nThere is one arm: the settings of these runs differ in the seed at most.")
    for difference in found.differences:
        out.print(sentence(difference), highlight=False)
    for note in found.notes:
        out.print(f"! {printable(note)}", highlight=False)
    output.print_age(age)


def _document(state: State, found: MetricComparison, as_of: str) -> compared.ComparisonDocument:
    return {**output.head(state), "as_of": as_of or None, "metric": found.metric.name,
            "direction": found.metric.direction, "at": found.at, "step": found.step,
            "arms": [_arm_document(arm) for arm in found.arms],
            "differences": [_difference_document(one) for one in found.differences],
            "notes": list(found.notes)}


def sentence(one: Difference) -> str:
    """What a comparison of two arms comes to, in plain words."""
    if one.verdict not in ("unclear", "too few seeds"):
        return f"{one.arm} is {one.verdict} than {one.baseline}."
    if one.verdict == "too few seeds":
        return f"{one.arm} and {one.baseline}: too few seeds to tell; an arm of one run has no spread. Begin with 5."
    if one.p is None:
        return f"{one.arm} and {one.baseline}: can't tell, since the seeds make no difference within an arm."
    if one.seeds_needed is None:
        return f"{one.arm} and {one.baseline}: can't tell; for a difference this small, 1000 seeds would not do."
    return (f"{one.arm} and {one.baseline}: too few seeds to tell; if the difference and the spread are as seen, about "
            f"{one.seeds_needed} seeds an arm would do.")


def _arms(found: MetricComparison) -> Any:
    names = {path: heading(name, _FIGURES) for path, name in short_names(found.by).items()}
    rows = tables.table("arm", *names.values(), *_FIGURES[1:])
    for arm in found.arms:
        figures = [format(figure, found.metric.format) for figure in (arm.mean, arm.interquartile_mean)]
        rows.add_row(arm.name, *(setting_text(arm.settings[path]) for path in names), str(len(arm.runs)), *figures,
                     _interval(arm.interval, found.metric.format))
    return rows


def _differences(found: MetricComparison) -> Any:
    is_corrected = len(found.differences) > 1
    rows = tables.table("arms", "difference", "95 %", "effect", "P(better)", "p (Holm)" if is_corrected else "p",
                        "pairs")
    for one in found.differences:
        rows.add_row(f"{one.arm} − {one.baseline}", format(one.mean, f"+{found.metric.format.lstrip('+')}"),
                     _interval(one.interval, found.metric.format), _figure(one.effect_size, "+.2f"),
                     _figure(one.probability_of_improvement, ".0%"), _p(one.p_holm), str(one.pairs or "none"))
    return rows


def _interval(ends: tuple[float, float] | None, form: str) -> str:
    return " … ".join(format(end, form) for end in ends) if ends else ""


def _figure(figure: float | None, form: str) -> str:
    return "" if figure is None else format(figure, form)


def _p(p: float | None) -> str:
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _arm_document(arm: Arm) -> compared.Arm:
    return {"name": arm.name, "settings": dict(arm.settings),
            "runs": {run.instance: value for run, value in arm.runs}, "n": len(arm.runs), "mean": arm.mean,
            "interquartile_mean": arm.interquartile_mean, "interval": list(arm.interval) if arm.interval else None}


def _difference_document(one: Difference) -> compared.DifferenceOfArms:
    return {"arm": one.arm, "baseline": one.baseline, "pairs": one.pairs, "mean": one.mean,
            "interval": list(one.interval) if one.interval else None, "effect_size": one.effect_size,
            "probability_of_improvement": one.probability_of_improvement, "p": one.p, "p_holm": one.p_holm,
            "verdict": one.verdict, "seeds_needed": one.seeds_needed}

"""A comparison of arms in plain sentences and in the cells of two tables, for the terminal and for reports. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from expiac.analysis.labels import short_names
from expiac.plan import formatting
from expiac.view.figures import count

if TYPE_CHECKING:
    from expiac.analysis.comparing import MetricComparison
    from expiac.analysis.comparison import Difference

_AT = {"last": "the last value", "best": "the best value", "auc": "the mean over the steps"}
_BETTER = {"max": "more is better", "min": "less is better", "": "no direction is set"}
Rows = Sequence[Sequence[str]]
"""The cells of a table; its head is the first row."""


def heading(found: MetricComparison) -> str:
    """Which values are compared, and up to which step."""
    runs = sum(len(arm.runs) for arm in found.comparison.arms)
    which = _AT.get(str(found.at), "the value")
    return (f"{found.metric.title} ({_BETTER[found.metric.direction]}): {which} up to step {count(found.step)}, "
            f"which all of these {runs} runs have reached")


def sentence(one: Difference) -> str:
    """What a comparison of two arms comes to, in plain words."""
    if one.verdict not in ("unclear", "too few seeds"):
        return f"{one.arm} is {one.verdict} than {one.baseline}."
    if one.verdict == "too few seeds":
        return (f"{one.arm} and {one.baseline}: too few seeds to tell; an arm of one run has no spread. "
                "Begin with 5 seeds an arm.")
    if one.p is None:
        return f"{one.arm} and {one.baseline}: can't tell, since the seeds make no difference within an arm."
    if one.seeds_needed is None:
        return f"{one.arm} and {one.baseline}: can't tell; for a difference this small, 1000 seeds would not do."
    return (f"{one.arm} and {one.baseline}: too few seeds to tell; if the difference and the spread are as seen, about "
            f"{one.seeds_needed} seeds an arm would do.")


def one_arm(found: MetricComparison) -> str:
    """Why there is nothing to compare."""
    if not found.by:
        return "There is one arm: the settings of these runs differ in the seed at most."
    return f"There is one arm: all of these runs have the same {' and '.join(short_names(found.by).values())}."


def arm_rows(found: MetricComparison) -> Rows:
    """The arms: their settings, how many runs, and what they came to."""
    names = short_names(found.comparison.by)
    rows = [["arm", *names.values(), "n", "mean", "IQM", "95 %"]]
    for arm in found.comparison.arms:
        figures = [format(figure, found.metric.format) for figure in (arm.mean, arm.interquartile_mean)]
        rows.append([arm.name, *(setting_text(arm.settings[path]) for path in names), str(len(arm.runs)), *figures,
                     interval_text(arm.interval, found.metric.format)])
    return rows


def difference_rows(found: MetricComparison) -> Rows:
    """How each arm differs from the first one."""
    is_corrected = len(found.comparison.differences) > 1
    rows = [["arms", "difference", "95 %", "effect", "P(better)", "p (Holm)" if is_corrected else "p", "pairs"]]
    for one in found.comparison.differences:
        rows.append([f"{one.arm} − {one.baseline}", format(one.mean, f"+{found.metric.format.lstrip('+')}"),
                     interval_text(one.interval, found.metric.format), _figure(one.effect_size, "+.2f"),
                     _figure(one.probability_of_improvement, ".0%"), _p(one.p_holm), str(one.pairs or "none")])
    return rows


def setting_text(thing: Any) -> str:
    """A setting in a table."""
    return "" if thing is None else thing if isinstance(thing, str) else formatting.value(thing)


def short_text(text: str, longest: int) -> str:
    """A text on one line, cut to a length."""
    line, _, rest = text.strip().partition("\n")
    return f"{line[:longest - 1]}…" if rest or len(line) > longest else line


def interval_text(ends: tuple[float, float] | None, form: str) -> str:
    """The two ends of an interval; nothing where there is none."""
    return " … ".join(format(end, form) for end in ends) if ends else ""


def _figure(figure: float | None, form: str) -> str:
    return "" if figure is None else format(figure, form)


def _p(p: float | None) -> str:
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"

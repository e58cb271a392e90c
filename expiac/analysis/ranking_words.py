"""A ranking in plain sentences and in the cells of tables, for the terminal and for reports. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expiac.analysis import wording
from expiac.analysis.comparison import FEW
from expiac.analysis.labels import short_names
from expiac.analysis.ranking import Ranking
from expiac.analysis.wording import Rows

FIGURES = ("rank", "trial", "n", "mean", "95 %")
DIGITS = 6
"""Significant ones of a setting that is a number."""
MOST_NOTES = 8
_BAR = 20


def title(found: Ranking) -> str:
    """Which arms are ranked, and how many are shown."""
    shown, known = len(found.best), len(found.arms)
    unit = "trials" if found.sweep else "arms"
    what = f"The best {shown} of {known} {unit}" if shown < known else f"All {known} {unit}"
    return f"{what} of the sweep {found.sweep}" if found.sweep else what


def best_rows(found: Ranking) -> Rows:
    """The best arms: the address of the first run of each, its settings, and what it came to."""
    names, form = short_names(found.compared.by), found.compared.metric.format
    rows = [["rank", "trial", *names.values(), "n", "mean", "95 %"]]
    for rank, arm in enumerate(found.best, 1):
        rows.append([str(rank), arm.runs[0][0].job, *(number_text(arm.settings[path]) for path in names),
                     str(len(arm.runs)), format(arm.mean, form), wording.interval_text(arm.interval, form)])
    return rows


def importance_rows(found: Ranking) -> Rows:
    """What each setting explains, with a bar; nothing where that can't be told."""
    names, shares = short_names(found.compared.by), found.importance.shares
    rows = [[names[path], f"{share:.0%}", "█" * round(share * _BAR)] for path, share in shares.items()]
    return [["setting", "explains", ""], *rows] if rows else []


def importance_sentences(found: Ranking) -> tuple[str, ...]:
    """How the shares are to be read, or why there are none."""
    one = found.importance
    if one.why_not:
        return (f"{one.why_not[0].upper()}{one.why_not[1:]}.",)
    what = f"the logarithm of {found.compared.metric.title}" if one.is_of_logarithm else found.compared.metric.title
    rest = max(0.0, 1 - sum(one.shares.values()))
    return (f"Shares of the variance of {what} over the trials (fANOVA), each setting by itself; "
            f"{rest:.0%} is of settings together.",
            f"From the settings, {one.predicted or 0:.0%} of the variance of trials that were left out is predicted; "
            "the rest is of seeds and of what is not swept, or takes more trials to learn.")


def notes(found: Ranking) -> tuple[str, ...]:
    """What to mind: that the best of many is lucky too; and what the comparison warns of."""
    few = found.best and min(len(arm.runs) for arm in found.best) < FEW
    lucky = [f"the best of {len(found.arms)} is in part the luckiest: launch it with {FEW} seeds or more before you "
             "rely on it"] if few and len(found.arms) > 1 else []
    others = [note for note in found.compared.notes if not note.startswith(f"fewer than {FEW} seeds")]
    left = [f"{len(others) - MOST_NOTES} more; --json has them all"] if len(others) > MOST_NOTES else []
    return (*lucky, *others[:MOST_NOTES], *left)


def number_text(value: Any) -> str:
    """A setting, with as many digits as tell trials apart."""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else wording.setting_text(_short_number(value))


def settings_text(values: Mapping[str, Any], paths: Sequence[str]) -> str:
    """`lr 0.0003, width 64`."""
    names = short_names(tuple(paths))
    return ", ".join(f"{names[path]} {number_text(values.get(path))}" for path in paths)


def _short_number(value: Any) -> Any:
    """A number of many digits that an environment variable has as a text."""
    if isinstance(value, str) and len(value) > DIGITS + 2:
        try:
            return f"{float(value):.{DIGITS}g}"
        except ValueError:
            return value
    return value

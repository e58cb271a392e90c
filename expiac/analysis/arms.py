"""Which arm each run of a stack belongs to, also those that a comparison leaves out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expiac.analysis.comparison import Comparison, arm_name, key_of
from expiac.analysis.labels import short_names
from expiac.analysis.runs import Run, differing
from expiac.analysis.wording import setting_text, short_text

_MOST = 4
_LONGEST = 24


@dataclass(frozen=True, slots=True)
class RunsOfArm:
    """The runs whose settings are equal but for the seed."""

    name: str
    settings: Mapping[str, Any]
    """Those by which the arms differ."""
    runs: tuple[Run, ...]

    @property
    def label(self) -> str:
        """`A: learning_rate 0.001`; the name alone where nothing differs. Long values and many settings are cut."""
        names = short_names(tuple(self.settings))
        words = [f"{names[path]} {short_text(setting_text(value), _LONGEST)}".strip()
                 for path, value in [*self.settings.items()][:_MOST]]
        more = ["…"] if len(self.settings) > _MOST else []
        return f"{self.name}: {', '.join(words + more)}" if words else self.name


def arms_of(runs: Sequence[Run], compared: Comparison | None, *, by: Sequence[str] | None) -> tuple[RunsOfArm, ...]:
    """Every arm of these runs, named as in the comparison where there is one; further arms after those of it.

    `by` has the key paths that make an arm; if it is None, all settings do in which the runs differ.
    """
    keys = differing(runs) if by is None else tuple(by)
    groups: dict[str, list[Run]] = {}
    for arm in compared.arms if compared else ():
        groups[key_of(arm.runs[0][0], keys)] = []
    for run in runs:
        groups.setdefault(key_of(run, keys), []).append(run)
    return tuple(RunsOfArm(arm_name(place), {path: members[0].settings.get(path) for path in keys}, tuple(members))
                 for place, members in enumerate(groups.values()))

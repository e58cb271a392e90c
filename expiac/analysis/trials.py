"""Which runs are trials of a sweep, and where among their settings the swept ones stand. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from expiac.declare.component import SEPARATOR
from expiac.state.facts import SweepFacts
from expiac.state.model import Record, State
from expiac.util.hashing import canonical

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrialOf:
    """What a run has to do with a sweep."""

    sweep: str = ""
    """The address of the sweep; empty where the run is of none."""
    job: str = ""
    """Which job of its trial it is; empty where the trial is one job."""
    swept: Settings = field(default_factory=dict)
    """The values that the sweep gave it, by the key paths of its settings."""
    is_pruned: bool = False
    """Its search ended it early."""


def sweeps_of(state: State) -> Mapping[str, SweepFacts]:
    """What the last approval that declares it says of each sweep, by address."""
    found: dict[str, SweepFacts] = {}
    for approval in state.approvals:
        found |= approval.approved.sweeps
    return found


def trial_of(record: Record, settings: Settings, sweeps: Iterable[str]) -> TrialOf:
    """The trial that a record is of, among these sweeps; its key paths are those of the settings where these agree."""
    if not record.trial:
        return NO_TRIAL
    holders = [sweep for sweep in sweeps if record.address.startswith(f"{sweep}{SEPARATOR}")]
    sweep = max(holders, key=len, default=record.address.rpartition(SEPARATOR)[0])
    inside = record.address.removeprefix(f"{sweep}{SEPARATOR}")
    swept = {path_of(key, value, settings): value for key, value in record.trial.items()}
    is_pruned = record.outcome is not None and record.outcome.state == "pruned"
    return TrialOf(sweep, inside.partition(SEPARATOR)[2], swept, is_pruned)


def path_of(key: str, value: Any, settings: Settings) -> str:
    """The key path of the setting that a key of a sweep means: the only one that has its name and its value.

    The key itself where there is none, such as that of a field which a program makes a command of.
    """
    meant = [path for path in settings if f".{path}".endswith(f".{key}") or f".{key}".endswith(f".{path}")]
    agreeing = [path for path in meant if _is_same(settings[path], value)]
    return agreeing[0] if len(agreeing) == 1 else key


def _is_same(setting: Any, value: Any) -> bool:
    """Also as a text: an environment variable has no other."""
    if canonical(setting) == canonical(value):
        return True
    texts = [one if isinstance(one, str) else canonical(one) for one in (setting, value)]
    try:
        return texts[0] == texts[1] or float(texts[0]) == float(texts[1])
    except ValueError:
        return texts[0].lower() == texts[1].lower()


NO_TRIAL = TrialOf()

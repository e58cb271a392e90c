"""The settings in which several runs differ. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expiac.analysis.runs import all_settings
from expiac.plan.history import PastRun, code_settings
from expiac.plan.references import inputs_of
from expiac.util.hashing import canonical

_ABSENT = "absent"
"""No value has this text in canonical form: a text has quotes."""


def differences(runs: Sequence[PastRun]) -> Mapping[str, Mapping[str, Any]]:
    """By key path the value of each run that has one, by instance; of settings of every kind, and of the code."""
    known = {past.record.run.instance: {**all_settings(inputs_of(past.record)), **code_settings(past)} for past in runs}
    paths = dict.fromkeys(path for settings in known.values() for path in settings)
    by_path = {path: {instance: settings[path] for instance, settings in known.items() if path in settings}
               for path in paths}
    return {path: values for path, values in by_path.items() if _differ(values, len(known))}


def _differ(values: Mapping[str, Any], count: int) -> bool:
    texts = {canonical(value) for value in values.values()} | ({_ABSENT} if len(values) < count else set())
    return len(texts) > 1

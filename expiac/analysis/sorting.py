"""Sorts runs by what a key means. Those without a value come last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expiac.analysis.keys import Keys, UnclearKey
from expiac.analysis.listing import ListedRun
from expiac.util.errors import UsageError
from expiac.util.hashing import canonical


def sorted_runs(runs: Sequence[ListedRun], key: str, keys: Keys) -> list[ListedRun]:
    """The runs by this key, the least first; the greatest first where a `-` stands before it."""
    name, is_turned = (key[1:], True) if key.startswith("-") else (key, False)
    try:
        meaning = keys.meaning(name)
    except UnclearKey as error:
        raise UsageError(error.summary, f"--sort {key}: {error.why}", error.hint) from None
    values = [(one, meaning.read(one)) for one in runs]
    present = sorted(((one, value) for one, value in values if value is not None),
                     key=lambda pair: _order(pair[1]), reverse=is_turned)
    return [one for one, _ in present] + [one for one, value in values if value is None]


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers by their size, also where they are texts; then everything else by its text."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 1, 0.0, value if isinstance(value, str) else canonical(value)
    return (0, number, "") if number == number else (1, 0.0, "nan")

"""What is expected of a run's metrics: bounds such as `>= 12`. Knows nothing of where metrics are read."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import AfterValidator

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "==": operator.eq}
_BOUND = re.compile(r"\s*(>=|<=|==|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*", re.ASCII)


def meets(value: float, bound: str) -> bool:
    """Whether a value is within a bound; NaN is within none."""
    sign, number = _parts(bound)
    return _OPERATORS[sign](value, number)


def check_bound(bound: str | None) -> str | None:
    """The bound, where it is one; ValueError where not. None says that there is none."""
    if bound is not None:
        _parts(bound)
    return bound


def _parts(bound: str) -> tuple[str, float]:
    match = _BOUND.fullmatch(bound)
    if match is None:
        raise ValueError(f"{bound!r} is no bound; use such as '>= 12', with >=, >, <=, < or ==")
    return match[1], float(match[2])


def _check(expect: Mapping[str, str]) -> Mapping[str, str]:
    for metric, bound in expect.items():
        if not metric:
            raise ValueError("a bound needs the name of a metric")
        _parts(bound)
    return expect


Expectations = Annotated[Mapping[str, str], AfterValidator(_check)]
"""Name of a metric → the bound that its last value has to meet."""

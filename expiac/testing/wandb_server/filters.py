"""Which runs a query means: filters as MongoDB has them, and orders, over the fields that W&B documents. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from expiac.testing.wandb_server.stored import StoredRun

_MISSING = object()


def matches(run: StoredRun, filters: Mapping[str, Any]) -> bool:
    """Whether a run is what filters ask for. Raises ValueError for an operator or field that W&B does not have."""
    return all(_matches_one(run, key, wanted) for key, wanted in filters.items())


def ordered(runs: Iterable[StoredRun], order: str | None) -> list[StoredRun]:
    """Runs by an order such as `-created_at` or `+summary_metrics.loss`; runs without the value come last."""
    order = order or "+created_at"
    descending = order.startswith("-")
    key = order.lstrip("+-")
    known: list[tuple[StoredRun, Any]] = []
    unknown: list[tuple[StoredRun, Any]] = []
    for run in runs:
        value = _value(run, key)
        (unknown if value is _MISSING or value is None else known).append((run, value))
    known.sort(key=lambda pair: pair[1], reverse=descending)
    return [run for run, _ in (*known, *unknown)]


def _matches_one(run: StoredRun, key: str, wanted: Any) -> bool:
    match key:
        case "$and":
            return all(matches(run, part) for part in wanted)
        case "$or":
            return any(matches(run, part) for part in wanted)
        case "$nor":
            return not any(matches(run, part) for part in wanted)
    value = _value(run, key)
    conditions = wanted if _is_condition(wanted) else {"$eq": wanted}
    return all(_holds(operator, value, operand) for operator, operand in conditions.items())


def _is_condition(wanted: Any) -> bool:
    return isinstance(wanted, Mapping) and bool(wanted) and all(key.startswith("$") for key in wanted)


def _holds(operator: str, value: Any, operand: Any) -> bool:
    match operator:
        case "$eq":
            return _equals(value, operand)
        case "$ne":
            return not _equals(value, operand)
        case "$in":
            return any(_equals(value, one) for one in operand)
        case "$nin":
            return not any(_equals(value, one) for one in operand)
        case "$exists":
            return (value is not _MISSING) == bool(operand)
        case "$regex":
            return isinstance(value, str) and re.search(operand, value) is not None
        case "$not":
            return not all(_holds(inner, value, one) for inner, one in operand.items())
        case "$gt" | "$gte" | "$lt" | "$lte":
            return _compares(operator, value, operand)
    raise ValueError(f"unknown operator: {operator}")


def _equals(value: Any, operand: Any) -> bool:
    """MongoDB's equality: a list equals what it contains, and a missing field equals null."""
    if value is _MISSING:
        return operand is None
    return value == operand or (isinstance(value, list) and operand in value)


def _compares(operator: str, value: Any, operand: Any) -> bool:
    compare: dict[str, Callable[[Any, Any], bool]] = {
        "$gt": lambda one, other: one > other, "$gte": lambda one, other: one >= other,
        "$lt": lambda one, other: one < other, "$lte": lambda one, other: one <= other}
    left, right = _comparable(value), _comparable(operand)
    return type(left) is type(right) and left is not None and compare[operator](left, right)


def _comparable(value: Any) -> Any:
    """Numbers as floats, times as times: what may be compared has one type. None for all else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return value
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _value(run: StoredRun, key: str) -> Any:
    section, _, rest = key.partition(".")
    if section == "config" and rest:
        return _nested({name: entry.get("value") for name, entry in run.config.items()}, rest.removesuffix(".value"))
    if section == "summary_metrics" and rest:
        return _nested(run.summary, rest)
    if key not in _FIELDS:
        raise ValueError(f"unknown field: {key}")
    return _FIELDS[key](run)


def _nested(values: Any, path: str) -> Any:
    if isinstance(values, Mapping) and path in values:
        return values[path]
    head, _, rest = path.partition(".")
    if not isinstance(values, Mapping) or head not in values or not rest:
        return _MISSING
    return _nested(values[head], rest)


_FIELDS: Mapping[str, Callable[[StoredRun], Any]] = {
    "name": lambda run: run.name,
    "displayName": lambda run: run.display_name,
    "display_name": lambda run: run.display_name,
    "state": lambda run: run.state,
    "group": lambda run: run.group,
    "jobType": lambda run: run.job_type,
    "job_type": lambda run: run.job_type,
    "tags": lambda run: run.tags,
    "username": lambda run: run.username,
    "host": lambda run: run.host,
    "createdAt": lambda run: run.created_at,
    "created_at": lambda run: run.created_at,
    "heartbeatAt": lambda run: run.heartbeat_at,
    "heartbeat_at": lambda run: run.heartbeat_at,
}

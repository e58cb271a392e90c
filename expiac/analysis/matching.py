"""Which runs a condition holds for. A comparison with a value that a run does not have is false."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

from expiac.analysis.keys import Keys, Meaning, UnclearKey
from expiac.analysis.listing import ListedRun
from expiac.analysis.where import Both, Compare, Condition, Either, Not, comparisons, condition_error, parse_condition
from expiac.state.status import Status
from expiac.util import duration
from expiac.util.errors import UsageError, did_you_mean
from expiac.util.hashing import canonical

Test = Callable[[Any], bool]
"""Whether a comparison holds for a value that is there."""
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other, "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other, "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other, ">=": lambda one, other: one >= other}
_AGE = re.compile(r"\d+[smhd]")


def matching_runs(text: str, runs: Sequence[ListedRun], keys: Keys) -> tuple[list[ListedRun], list[str]]:
    """The runs for which the condition holds, and notes, such as that no run has a value of a key.

    Raises `UsageError`, which points at the place, where the condition can't be read or a key means nothing; without
    runs, no key means anything, and none is refused.
    """
    condition = parse_condition(text)
    if not runs:
        return [], []
    tests = {compare: _read_comparison(compare, text, keys) for compare in comparisons(condition)}
    absent = dict.fromkeys(meaning.name for meaning, _ in tests.values()
                           if all(meaning.read(one) is None for one in runs))
    notes = [f"no run here has a value of {name}, so that every comparison with it is false" for name in absent]

    def holds(part: Condition, one: ListedRun) -> bool:
        match part:
            case Compare():
                meaning, test = tests[part]
                value = meaning.read(one)
                return value is not None and test(value)
            case Not(inner):
                return not holds(inner, one)
            case Both(first, second):
                return holds(first, one) and holds(second, one)
            case Either(first, second):
                return holds(first, one) or holds(second, one)

    return [one for one in runs if holds(condition, one)], notes


def _read_comparison(compare: Compare, text: str, keys: Keys) -> tuple[Meaning, Test]:
    try:
        meaning = keys.meaning(compare.key.text)
    except UnclearKey as error:
        raise condition_error(error.summary, text, compare.key.place, error.why, error.hint) from None

    def refuse(why: str, hint: str = "") -> UsageError:
        return condition_error("Invalid condition", text, compare.value.place, why, hint)

    word, operator = compare.value.text, compare.operator
    if operator == "~":
        return meaning, _pattern(word)
    match meaning.sort:
        case "status":
            return meaning, _status_test(word, operator, refuse)
        case "time":
            return meaning, _time_test(word, operator, refuse)
        case "span":
            return meaning, _span_test(word, operator, refuse)
        case "text" | "any":
            return meaning, _value_test(word, operator, refuse)


def _pattern(word: str) -> Test:
    """A glob where it has a sign of one, else a part of the value."""
    if any(sign in word for sign in "*?["):
        return lambda value: fnmatchcase(_text(value), word)
    return lambda value: word in _text(value)


def _status_test(word: str, operator: str, refuse: Callable[..., UsageError]) -> Test:
    known = [status.value for status in Status]
    if operator not in ("=", "!="):
        raise refuse("a status is = or != another one")
    if word not in known:
        raise refuse("this is no status", did_you_mean(word, known))
    return lambda value: _ORDERS[operator](value, word)


def _time_test(word: str, operator: str, refuse: Callable[..., UsageError]) -> Test:
    """Days are compared as days, in this machine's time zone."""
    if _AGE.fullmatch(word):
        raise refuse("this is a length of time", f"age{_turned(operator)}{word}, or launched{operator}2026-01-31")
    try:
        if len(word) == len("2026-01-31"):
            day = date.fromisoformat(word)
            return lambda value: _ORDERS[operator](datetime.fromisoformat(value).astimezone().date(), day)
        moment = datetime.fromisoformat(word).astimezone()
    except ValueError:
        raise refuse("this is no date", "2026-01-31 or 2026-01-31T14:30") from None
    return lambda value: _ORDERS[operator](datetime.fromisoformat(value), moment)


def _turned(operator: str) -> str:
    """What was launched earlier is older."""
    return operator.translate(str.maketrans("<>", "><"))


def _span_test(word: str, operator: str, refuse: Callable[..., UsageError]) -> Test:
    seconds = _number(word)
    if seconds is None and _AGE.fullmatch(word):
        seconds = float(duration.seconds(word))
    if seconds is None:
        raise refuse("this is no length of time", "seconds, or such as 90m, 12h, 2d")
    return lambda value: _ORDERS[operator](value, seconds)


def _value_test(word: str, operator: str, refuse: Callable[..., UsageError]) -> Test:
    number = _number(word)
    if operator in ("=", "!="):
        return lambda value: is_equal(value, word) is (operator == "=")
    if number is None:
        raise refuse(f"{operator} compares numbers")

    def test(value: Any) -> bool:
        own = _number(value)
        return own is not None and _ORDERS[operator](own, number)

    return test


def is_equal(value: Any, word: str) -> bool:
    """Whether a value is what a word of the command line says: as a number, as a text, or as JSON."""
    number = _number(word)
    if number is not None and (own := _number(value)) is not None:
        return own == number
    if _text(value) == word:
        return True
    try:
        return canonical(value) == canonical(json.loads(word))
    except ValueError:
        return False


def _number(value: Any) -> float | None:
    """The number that a value is or says; a truth value is none, nor is what is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)

"""What counts as a change: the value that a trainer would read, not the way in which it is written down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expiac.declare.fields import Kind
from expiac.plan.diff import diff
from expiac.plan.model import MISSING, Change
from expiac.util.hashing import canonical

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def rewritten(value: Any) -> Any:
    """The same value, with each mapping's keys in reversed order and a tuple in place of each list."""
    if isinstance(value, dict):
        return {key: rewritten(inner) for key, inner in reversed(value.items())}
    return tuple(rewritten(inner) for inner in value) if isinstance(value, list) else value


@given(VALUES)
def test_the_order_of_keys_and_the_kind_of_sequence_are_no_change(value: Any) -> None:
    assert diff({"x": value}, {"x": rewritten(value)}, {}) == ()


@given(VALUES, VALUES)
def test_a_change_is_what_a_reader_of_the_json_would_notice(before: Any, after: Any) -> None:
    """No difference is made up, and none is missed."""
    read_differently = _typed(before) != _typed(after)
    assert bool(diff({"x": before}, {"x": after}, {})) == read_differently


def test_an_option_of_any_of_with_its_keys_in_another_order_is_no_change() -> None:
    """Seen: this relaunched a live run."""
    before = {"any_of": [{"cloud": "aws", "region": "eu-west-1"}, {"cloud": "gcp"}]}
    after = {"any_of": [{"region": "eu-west-1", "cloud": "aws"}, {"cloud": "gcp"}]}
    assert diff(before, after, {"any_of": Kind.PLACEMENT}) == ()


@pytest.mark.parametrize(("before", "after"), [(1, 1.0), (1, True), (0, False), (1, "1"), (None, "null"), ([1], [1.0]),
                                               ({"a": [1, {"b": 1}]}, {"a": [1, {"b": True}]}), ([], {}), ("", None)])
def test_values_that_a_trainer_reads_differently_are_a_change(before: Any, after: Any) -> None:
    assert diff({"x": before}, {"x": after}, {}) != ()


def test_the_order_of_a_list_is_a_change() -> None:
    assert diff({"x": [1, 2]}, {"x": [2, 1]}, {}) == (Change("x", [1, 2], [2, 1], Kind.IDENTITY),)


def test_a_value_that_is_none_is_not_a_value_that_is_missing() -> None:
    assert diff({"x": None}, {}, {}) == (Change("x", None, MISSING, Kind.IDENTITY),)


def _typed(value: Any) -> Any:
    """The value with each scalar beside its type, as it is after a trip through JSON."""
    read = json.loads(canonical(value))

    def with_types(inner: Any) -> Any:
        match inner:
            case dict():
                return {key: with_types(value) for key, value in inner.items()}
            case list():
                return [with_types(value) for value in inner]
            case _:
                return type(inner).__name__, repr(inner)

    return with_types(read)

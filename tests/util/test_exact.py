"""Bytes that tell values apart as exactly as their `repr` does."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from expiac.declare.resource import Ref
from expiac.util.hashing import exact

NUMBERS = st.sampled_from((0, 1, 2, 0.0, -0.0, 1.0, True, False, None, 10**30, 1e300))
TEXTS = st.sampled_from(("", "1", "a", "é", "\ud800", "${ref:a.b}", "(", "1.0"))
VALUES = st.recursive(NUMBERS | TEXTS | st.floats(allow_nan=False), lambda inner: (
    st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(TEXTS, inner, max_size=3)))


@given(one=VALUES, other=VALUES)
def test_two_values_have_the_same_bytes_where_they_have_the_same_repr(one, other):
    """Numbers of two types, a list and a tuple, and two orders of keys are told apart."""
    assert (exact(one) == exact(other)) == (repr(one) == repr(other))


@given(value=VALUES)
def test_which_parts_are_one_object_does_not_count(value):
    """A config that two jobs share is as two equal ones."""
    again = pickle.loads(pickle.dumps(value))  # without an object in common
    assert exact([value, value]) == exact([value, again])


@given(value=VALUES, other=VALUES)
def test_a_value_of_another_type_is_told_by_its_repr(value, other):
    """Neither fails, nor is taken for a text."""
    ref = Ref("a", "b")
    assert exact([ref, value]) == exact([Ref("a", "b"), value])
    assert (exact([ref, value]) == exact([ref, other])) == (repr(value) == repr(other))
    assert exact(ref) != exact(repr(ref))


def test_a_text_is_found_in_the_bytes():
    """As it was written."""
    assert b"expiac://lab/a@best" in exact({"uri": ["expiac://lab/a@best"]})
    assert "é".encode() in exact({"é": 1})


def test_a_value_that_is_nested_deeply_is_told_apart_too():
    """marshal refuses it."""
    values = {number: [number] for number in (1, 2)}
    for number in values:
        for _ in range(900):
            values[number] = [values[number]]
    assert exact(values[1]) == exact(values[1])
    assert exact(values[1]) != exact(values[2])

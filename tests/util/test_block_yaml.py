"""The fast way to write YAML writes what the other one writes."""

from __future__ import annotations

from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expiac.util.block_yaml import block_yaml
from expiac.util.render import to_yaml

TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(
    ["", "''", "off", "1e3", "a b", "two\nlines", "${oc.env:HOME}", "-", "- a", "a: b", "#", "x" * 200, "é", "\t",
     "null", "...", "?", "{}", "[]", "None", "0", "False", "-0.0"]))
LEAVES = st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.none())
VALUES = st.recursive(LEAVES, lambda parts: st.one_of(st.lists(parts, max_size=3),
                                                      st.dictionaries(TEXTS, parts, max_size=3)), max_leaves=12)


class Word(str, Enum):
    """A text that is none to JSON's reader."""

    A = "a"


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
@settings(max_examples=300, deadline=None)
def test_both_ways_write_the_same(value):
    """Whatever the value: 1, 1.0 and True, empty parts, texts that look like something else."""
    assert block_yaml(value) in (None, str(to_yaml(value)))


@pytest.mark.parametrize("value", [
    {"a": 1, "b": 1.0, "c": True, "d": 0, "e": 0.0, "f": -0.0, "g": False, "h": "", "i": {}, "j": [], "k": None},
    {"a": [{"b": [[1, [2.5]], {}], "c": [{"d": None}]}, [], False, 0, 0.0, -0.0, ""], "x": {"y": [[]]}},
    {"a": ["''", "{}", "[]", "None", "0", "0.0", "False"], "": 1, "off": {"on": "yes"}},
    {},
])
def test_equal_values_of_other_types_are_written_as_what_they_are(value):
    assert block_yaml(value) == str(to_yaml(value))


@pytest.mark.parametrize("value", [{"a": "two\nlines"}, {1: 2}, {"a": (1,)}, {"a": ()}, {"a": Word.A},
                                   {"a": "x" * 200}])
def test_what_is_unusual_is_left_to_the_other_way(value):
    assert block_yaml(value) is None

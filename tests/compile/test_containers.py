"""Composed configs as data and objects: what OmegaConf's own conversions give, value by value and type by type."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from expiac.compile.containers import as_object, plain


class Color(Enum):
    red = 1
    blue = 2


@dataclass
class Part:
    size: int = 1
    rate: float | None = 0.5
    color: Color = Color.red
    folder: Path = Path("a")
    doubled: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size")


@dataclass
class Whole:
    name: str = "n"
    either: int | str = 1
    part: Part = field(default_factory=Part)
    none: Part | None = None
    parts: list[Part] = field(default_factory=lambda: [Part(2), Part(3)])
    named: dict[str, Part] = field(default_factory=lambda: {"a": Part(4)})
    colors: dict[Color, int] = field(default_factory=lambda: {Color.blue: 7})
    free: dict[str, Any] = field(default_factory=dict)
    raw: bytes = b"x"


def config(**values: Any) -> Any:
    node = OmegaConf.structured(Whole)
    for key, value in values.items():
        OmegaConf.update(node, key, value, merge=node[key] is not None)
    return node


def both(node: Any) -> None:
    assert repr(plain(node)) == repr(OmegaConf.to_container(node, resolve=False, enum_to_str=True))
    assert repr(as_object(node)) == repr(OmegaConf.to_object(node))


@pytest.mark.parametrize("values", [
    {},
    {"none": Part(5), "either": "word"},
    {"name": "${part.size}-${part.color}", "either": "${part.size}"},
    {"none": "${part}", "free": {"copy": "${parts}", "one": "${parts[0].size}", "deep": [{"x": [None, True, 1.0, 1]}]}},
    {"free": {"some": "${either}", "text": r"\${no}", "own": "${.text}"}},
    {"parts": [], "named": {"b": {"color": "blue", "rate": None}}},
    {"parts": "${free.list}", "free": {"list": [{"size": 9}]}},
])
def test_values_and_types_are_those_of_omegaconf(values: dict[str, Any]):
    both(config(**values))


def test_a_plain_config_has_plain_parts():
    both(OmegaConf.create({"a": [1, {"b": "${a[0]}"}], "c": None, "d": {}}))


@pytest.mark.parametrize("values", [
    {"name": "${nowhere}"}, {"part": {"size": -1}}, {"free": {"x": MISSING}},
    {"name": "${part.size}", "part": {"size": "${name}"}}])
def test_what_omegaconf_refuses_is_refused(values: dict[str, Any]):
    refused(config(**values))


@pytest.mark.parametrize("path", ["name", "either", "part", "part.size", "none", "parts", "named.a.folder"])
def test_a_missing_value_is_refused(path: str):
    node = config()
    OmegaConf.update(node, path, MISSING)
    refused(node)


def refused(node: Any) -> None:
    assert repr(plain(node)) == repr(OmegaConf.to_container(node, resolve=False, enum_to_str=True))
    for convert in (as_object, OmegaConf.to_object):
        with pytest.raises((OmegaConfBaseException, ValueError, RecursionError)):
            convert(node)


WORDS = st.text("ab.", max_size=4)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), WORDS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner,
                                                                         max_size=3), max_leaves=9)


@settings(max_examples=60, deadline=None)
@given(free=st.dictionaries(st.sampled_from("pqrs"), VALUES, max_size=4), size=st.integers(0, 9),
       rate=st.none() | st.floats(0, 1), color=st.sampled_from(list(Color)))
def test_random_values(free: dict[str, Any], size: int, rate: float | None, color: Color):
    part = {"size": size, "rate": rate, "color": color}
    both(config(free=free, part=part, parts=[{"size": size}], either="${part.size}"))

"""Interpolations resolve to the same with OmegaConf's parser and without."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from expiac.compile.interpolations import parsed_once

PARTS = st.sampled_from((
    "${a}", "${b.c}", "${.c}", "${..a}", "${...a}", "${b}", "${list}", "${none}", "${missing}", "${self}", "${true}",
    "${null}", "${b.c.d}", "${b.on}", "${list.0}", "${list[0]}", "${b[c]}", "${ a }", "${a-b}", "${oc.env:NOPE,x}",
    "${oc.env:HOME}", "${nope}", "${${key}}",
    "\\", "\\\\", "\\${a}", "$", "$$", "{", "}", "${", " ", "é", "\n", ".", "x",
    "${NULL}", "${_x}", "${inf}", "${nan_}", "${b.true}", "${.}", "${a.}", "${a}${a}", "${oc.decode:${a}}", "${é}"))
TEXTS = st.lists(PARTS, min_size=1, max_size=4).map("".join)


def resolved(config: dict[str, Any]) -> list[Any]:
    """What each text of it resolves to: the value with its type, or the error."""
    try:
        made = OmegaConf.create(config)
    except OmegaConfBaseException as error:
        return [str(error)]
    found = []
    for path in ("x", "b.x", "y"):
        try:
            value = OmegaConf.select(made, path, throw_on_missing=True)
            found.append((type(value).__name__, repr(value)))
        except OmegaConfBaseException as error:
            found.append((type(error).__name__, str(error)))
    return found


@given(x=TEXTS, inner=TEXTS, y=TEXTS)
@example(x="${a}", inner="${.c}", y="${b}")
@example(x="${x}", inner="a${..y}", y="${b.x}")
@example(x="${self}", inner="${b}", y="n-${a}-${b.c}")
def test_a_text_resolves_to_what_omegaconf_says(x, inner, y):
    """The value, its type, or the error."""
    config = {"a": 1, "b": {"c": 2.5, "on": True, "x": inner}, "list": [1, "${a}"], "none": None, "missing": "???",
              "self": "${self}", "key": "a", "true": "yes", "_x": "_", "x": x, "y": y}
    theirs = resolved(config)
    with parsed_once():
        assert resolved(config) == theirs
        assert resolved(config) == theirs

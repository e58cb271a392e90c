"""The variables that a config reads, as its text says."""

from __future__ import annotations

import pytest

from expiac.compile.environment import digest_of_variable, variables_in


@pytest.mark.parametrize(("text", "names"), [
    ("lr: 1", set()),
    ("a: ${oc.env:LOGS}", {"LOGS"}),
    ("a: ${oc.env:LOGS,./logs}\nb: x/${oc.env: HOME }/${seed}", {"LOGS", "HOME"}),
    ("a: ${oc.decode:${oc.env:SEED,null}}", {"SEED"}),
    ("a: ${oc.env:A,${oc.env:B}}", {"A", "B"}),
    ("a: ${ oc.env : 'A' }", {"A"}),
    ("a: ${oc.env:DATA_DIR,.} ${oc.env:EXPIAC_REF_BASE_CHECKPOINT} ${oc.env:DATA_DIRS}", {"DATA_DIRS"}),
    ("a: ${oc.env:${name}}", None),
    ("a: ${oc.env:X_${name}}", None),
])
def test_names(text, names):
    """None where the name is computed."""
    assert variables_in(text) == names


def test_an_empty_variable_is_not_a_missing_one(monkeypatch):
    monkeypatch.setenv("NAMED", "")
    empty = digest_of_variable("NAMED")
    monkeypatch.setenv("NAMED", "x")
    other = digest_of_variable("NAMED")
    monkeypatch.delenv("NAMED")
    assert len({empty, other, digest_of_variable("NAMED")}) == 3

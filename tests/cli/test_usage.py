"""Wrong command lines: exit 64, and a hint that can be pasted."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("words", "err"), [
    (["pln"], "Usage error\n  No such command 'pln'. Did you mean 'plan'?\n  Hint: expiac --help\n"),
    (["plan", "--jsn"], "Usage error\n  No such option: --jsn (Possible options: --json)\n"),
    (["plan", "lab", "stray"], "Not an override\n  'stray' is not of the form key=value\n  Hint: stray=…\n"),
    (["plan", "la"], "No such stack\n  la is neither a file nor one of stacks\n  Hint: did you mean lab?\n"),
    (["plan", "word=x"], "Unknown key\n  word is no field of Lab\n  Hint: did you mean words?\n"),
    (["apply", "--parallelism", "none"], "Usage error"),
    (["apply", "--parallelism", "0"], "Usage error"),
    (["destroy", "lab", "words=x", "--yes"], "Usage error"),
    (["logs", "lab", "--node", "-1"], "Usage error"),
])
def test_usage_errors(expiac, words, err):
    """2 keeps its one meaning, and nothing is done."""
    said = expiac(*words)
    assert (said.code, said.out) == (64, "")
    assert said.err.startswith(err)


def test_a_wrong_value_is_an_error_and_no_usage_error(expiac):
    """The command line was understood; the value is out of bounds or of another type."""
    said = expiac("plan", "jobs=many", "seconds=x")
    assert said.code == 1
    assert [line.split(":")[0].strip() for line in said.err.splitlines()] == ["Invalid value", "jobs=many", "seconds=x"]


def test_outside_of_a_project(expiac, tmp_path_factory, monkeypatch):
    """It says what a project is."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    said = expiac("plan")
    assert said.code == 1
    assert said.err.startswith("No project here\n")


def test_our_own_mistakes_keep_their_traceback(expiac, monkeypatch):
    """What is not an ExpiacError is a bug, and is not dressed up."""
    monkeypatch.setattr("expiac.session.Session.plan", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        expiac("plan")

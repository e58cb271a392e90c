"""`--state URL` and `[tool.expiac] state`: a stack that a team shares, from the command line."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from expiac.util.lock import Holder


@pytest.fixture
def store(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def shared(project: Path, store: Path, expiac):
    """The project keeps its states in the store."""
    (project / "pyproject.toml").write_text(f'[tool.expiac]\nstate = "file://{store}"\n')
    yield expiac
    expiac("destroy", "lab", "--yes")


def test_a_colleague_sees_what_runs_and_leaves_it_alone(shared, project, tmp_path_factory, monkeypatch):
    """The same stack from another checkout: nothing is launched again, whatever it cannot see."""
    assert shared("apply", "lab", "seconds=60", "--yes").code == 0
    assert not list((project / ".expiac").glob("*.jsonl"))
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(project, other, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".expiac"))
    monkeypatch.chdir(other)
    assert "say_0" in shared("state", "list", "lab").out
    assert "seconds=60" in shared("history", "lab").out
    for words in (("plan",), ("apply", "--yes")):
        said = shared(words[0], "lab", "seconds=60", *words[1:])
        assert (said.code, "left alone: it was launched on" in said.out) == (0, True), said
    said = shared("logs", "lab", "say_0")
    assert (said.code, "On another machine" in said.err) == (1, True)
    said = shared("destroy", "lab", "--yes")
    assert (said.code, "not done: say_0" in said.err) == (1, True)
    monkeypatch.chdir(project)
    assert "no changes" in shared("plan", "lab", "seconds=60").out


def test_the_option_wins_over_the_project(project, store, expiac):
    """For one command; the next one is where it was."""
    assert expiac("--state", f"file://{store}/own", "apply", "lab", "--yes").code == 0
    assert (store / "own" / "lab").is_dir()
    assert "No such stack" in expiac("status", "lab").err
    assert expiac("--state", f"file://{store}/own", "status", "lab").code == 0


def test_a_lock_whose_holder_is_gone_is_taken_by_hand(shared, store):
    """The error names the holder and the command."""
    assert shared("apply", "lab", "--yes", "--wait").code == 0
    gone = Holder("apply", "ada", "gpu1", 4242, "2026-11-25T20:00:00+00:00")
    (store / "lab" / "lock.json").write_text(json.dumps(asdict(gone)))
    said = shared("apply", "lab", "words=bye", "--yes")
    assert (said.code, "by ada@gpu1" in said.err, "expiac state unlock lab" in said.err) == (1, True, True)
    assert "ada@gpu1" in shared("state", "unlock", "lab", "--yes").out
    assert shared("apply", "lab", "words=bye", "--yes").code == 0
    assert "is not locked" in shared("state", "unlock", "lab").out


def test_a_shared_state_is_listed_pulled_pushed_and_compacted(shared, project, store):
    """The verbs for a state do not care where it is."""
    assert shared("apply", "lab", "--yes", "--wait").code == 0
    before = shared("state", "list", "lab", "--json").out
    (project / "pulled").write_text(shared("state", "pull", "lab").out)
    assert shared("state", "compact", "lab").code == 0
    assert len(list((store / "lab").iterdir())) == 1
    assert shared("state", "mv", "lab", "say_0", "said").code == 0
    assert shared("state", "push", "pulled", "--force", "--yes").code == 0
    assert shared("state", "list", "lab", "--json").out == before
    assert "is whole" in shared("state", "repair", "lab").out
    assert shared("destroy", "lab", "--yes").code == 0

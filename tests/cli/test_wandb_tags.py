"""Changed tags reach the W&B run where it can be reached; otherwise the plan says that they are recorded only."""

from __future__ import annotations

import pytest

from expiac.testing.wandb_server import Failure
from tests.cli.test_sync import server, train  # noqa: F401  a fixture

pytest.importorskip("wandb")
pytestmark = pytest.mark.slow


def tag(project, tags: str) -> None:
    file = project / "stacks" / "lab.py"
    text = file.read_text().partition(", tags=")[0].removesuffix(")])\n")
    file.write_text(f'{text}, tags={tags}, notes="why")])\n')


def test_tags_and_notes_of_an_online_run_reach_it(project, expiac, server):  # noqa: F811
    instance = train(project, expiac, "online")
    tag(project, '("fast",)')
    assert "recorded only" not in expiac("plan", "lab").out
    assert expiac("apply", "lab", "--yes").code == 0
    run = server.run("ants", instance)
    assert (run.tags, run.notes) == (["fast"], "why")


def test_a_server_that_fails_is_a_warning(project, expiac, server, monkeypatch):  # noqa: F811
    train(project, expiac, "online")
    tag(project, '("fast",)')
    monkeypatch.setattr("expiac.tracking.annotations.TIMEOUT", 3.0)
    server.fail(Failure(status=500))
    said = expiac("apply", "lab", "--yes")
    assert said.code == 0
    assert "! train: tags and notes are recorded, and did not reach W&B: no answer in 3 seconds" in said.out + said.err


def test_tags_of_an_offline_run_are_recorded_only(project, expiac, server):  # noqa: F811
    train(project, expiac, "offline")
    tag(project, '("fast",)')
    assert "recorded only" in expiac("plan", "lab").out
    assert expiac("apply", "lab", "--yes").code == 0
    assert server.requests == []

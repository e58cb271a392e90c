"""`apply --wait` asks in one call how the jobs are, and seldom how far they are: that is a call for each of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from expiac.apply import wait
from expiac.apply.events import Silent
from expiac.apply.wait import OnceIn
from expiac.declare.project import Project
from expiac.providers.skypilot import SkypilotProvider
from expiac.session import Session
from expiac.testing.sky import FakeSky, Server

STACK = """
from expiac import Job, SkypilotJobConfig, Stack

where = SkypilotJobConfig(workdir=None, infra="slurm/loop", gpus=0, git_check=False)
many = Stack("many", [Job(f"job{number}", run="lasts", skypilot=where) for number in range(JOBS)])
"""
LOOKS = 7


class Ending(FakeSky):
    """Its jobs succeed once they were looked at so often."""

    def jobs(self):
        if self.server.asked.count("jobs") >= LOOKS:
            self.server.jobs = {id: _succeeding(job) for id, job in self.server.jobs.items()}
        return super().jobs()


def _succeeding(job):
    return dataclasses.replace(job, task=job.task.replace("run: lasts", "run: succeeds"))


@pytest.mark.parametrize("jobs", [1, 12])
def test_logs_are_read_at_first_and_at_the_end(tmp_path, monkeypatch, jobs):
    monkeypatch.setattr(wait, "_SHORTEST_PAUSE", 0.01)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "many.py").write_text(STACK.replace("JOBS", str(jobs)))
    (tmp_path / "templates").symlink_to(Path(__file__).parents[2] / "templates")
    server = Server()
    provider = SkypilotProvider(tmp_path, sky=Ending(server), timeout=5, pause=0.01)
    with Session.open("many", reporter=Silent(), project=Project(root=tmp_path), providers={"skypilot": provider}
                      ) as session:
        result = session.apply(session.plan(), wait=True, timeout=60)
    assert {(one.status.value, one.detail) for one in result.seen} == {("succeeded", "")}
    assert LOOKS <= server.asked.count("jobs") <= LOOKS + 3 + jobs // 10
    assert server.asked.count("lines") <= 2 * jobs


def test_once_in_a_while_is_now_and_not_again_soon():
    seldom, always = OnceIn(3600), OnceIn(0)
    assert [seldom(), seldom(), seldom()] == [True, False, False]
    assert [always(), always()] == [True, True]

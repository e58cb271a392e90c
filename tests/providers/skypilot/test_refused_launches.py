"""A launch that the server refuses is made again, after a look; and none is made twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from expiac.providers.base import Id, Inputs, Presence
from expiac.providers.skypilot import SkypilotProvider
from expiac.providers.skypilot.refusal import Refused
from expiac.testing.sky import BUSY, FakeSky, Server
from expiac.util.backoff import Backoff
from expiac.util.errors import Stale, Unavailable, Uncertain

A = Id("lineage-a", "stack.job.0a1b2c3d", 1)


def inputs_of(id, **values):
    return Inputs(values, {"task.yaml": yaml.safe_dump({"name": id.instance, "run": "lasts"})})


@pytest.fixture
def server():
    return Server()


def provider(root, server, total=5.0, sky=FakeSky):
    return SkypilotProvider(root, sky=sky(server), timeout=5, pause=0.01,
                            backoff=Backoff(first=0.001, most=0.01, total=total))


@pytest.mark.parametrize("values", [{}, {"managed": False}])
def test_it_is_launched_once_it_is_taken(tmp_path, server, values):
    server.refusals = {"launch": 3}
    provider(tmp_path, server).create(A, inputs_of(A, **values), lambda _: None)
    assert (server.asked.count("launch"), server.launches) == (4, 1)


def test_before_each_attempt_it_is_looked_for(tmp_path, server):
    """Whoever answered in the server's place may not have known what the server did."""
    server.refusals = {"launch": 1}
    provider(tmp_path, server).create(A, inputs_of(A), lambda _: None)
    assert server.asked == ["where", "requests", "jobs", "launch"] * 2 + ["await_launch"]


class Mistaken(FakeSky):
    """Something on the way says that the server is busy, and the server took the request."""

    def launch(self, task, cluster=""):
        super().launch(task, cluster)
        raise BUSY


def test_a_refusal_that_was_none_launches_nothing_twice(tmp_path, server):
    seen = provider(tmp_path, server, sky=Mistaken).create(A, inputs_of(A), lambda _: None)
    assert (seen.outputs["job_id"], server.launches) == (1, 1)


def test_many_that_are_refused_are_all_launched_once(tmp_path, server):
    """By a server that takes every third."""
    ids = [Id("lineage-a", f"stack.job{number}.{number:08x}", 1) for number in range(30)]
    server.refusals = {"launch": 60}
    ours = provider(tmp_path, server, total=30)
    with ThreadPoolExecutor(10) as pool:
        jobs = list(pool.map(lambda id: ours.create(id, inputs_of(id), lambda _: None).outputs["job_id"], ids))
    assert (len(set(jobs)), server.launches, server.asked.count("launch")) == (30, 30, 90)


def test_a_server_that_refuses_for_too_long_has_launched_nothing(tmp_path, server):
    """That is known, so the next apply launches it."""
    server.refusals = {"launch": 10_000}
    with pytest.raises(Refused) as refused:
        provider(tmp_path, server, total=0.05).create(A, inputs_of(A), lambda _: None)
    assert not isinstance(refused.value, Uncertain)
    server.refusals = {}
    assert provider(tmp_path, server).read_many([A])[A].presence is Presence.ABSENT
    provider(tmp_path, server).create(A, inputs_of(A), lambda _: None)
    assert server.launches == 1


def test_whoever_lost_the_stack_meanwhile_does_not_launch(tmp_path, server):
    """It is asked again before each attempt."""
    server.refusals, notes = {"launch": 1}, []

    def note(handle):
        notes.append(handle)
        if len(notes) == 2:
            raise Stale("State taken over", "by ada@two")

    with pytest.raises(Stale):
        provider(tmp_path, server).create(A, inputs_of(A), note)
    assert (server.launches, server.asked.count("launch")) == (0, 1)


@pytest.mark.parametrize("call", ["where", "requests", "jobs", "await_launch"])
def test_a_server_that_restarts_is_waited_for(tmp_path, server, call):
    """It was there a moment ago."""
    ours = provider(tmp_path, server)
    ours.create(A, inputs_of(A), lambda _: None)
    server.refusals = {call: 3}
    other = Id("lineage-a", "stack.other.0a1b2c3d", 1)
    assert ours.create(other, inputs_of(other), lambda _: None).presence is Presence.PRESENT
    assert server.launches == 2


def test_a_server_that_never_was_there_is_named_at_once(tmp_path, server):
    server.refusals = {"where": 10_000}
    with pytest.raises(Unavailable):
        provider(tmp_path, server, total=60).create(A, inputs_of(A), lambda _: None)
    assert server.asked == ["where"]


def test_a_look_at_a_server_that_is_away_does_not_wait(tmp_path, server):
    """`status` and `plan` say so."""
    ours = provider(tmp_path, server, total=60)
    ours.create(A, inputs_of(A), lambda _: None)
    server.refusals = {"jobs": 1}
    with pytest.raises(Unavailable):
        ours.read_many([A])

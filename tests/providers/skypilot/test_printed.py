"""The metrics that jobs print are read from their logs, at most once a look, and outlive the logs."""

from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from expiac.providers.base import Extent, Id, Inputs
from expiac.providers.skypilot import SkypilotProvider, printed
from expiac.providers.skypilot.snapshot import SkyJob
from expiac.status import Status
from expiac.testing.bench import wait_until
from expiac.testing.sky import FakeSky, Server

NAME = "stack.job.0a1b2c3d"
ROWS = [f'{{"step": {step}, "reward": {step}.5}}' for step in range(5)]


def launched(provider, values=None, name=NAME, run="lasts"):
    """The id of a launch that runs, with all that was noted of it."""
    id, noted = Id("lineage-a", name, 1), {}
    provider.create(id, Inputs(values or {}, {"task.yaml": f"name: {name}\nrun: {run}\n"}), noted.update)
    id = dataclasses.replace(id, handle=noted)
    wanted = Status.RUNNING if run == "lasts" else Status.SUCCEEDED
    wait_until(lambda: provider.read_many([id])[id].status is wanted, 5)
    return id


def told(provider, id, extent, timeout=5.0):
    """The rows that a provider gives, and its note."""
    seen = provider.metrics({id: extent}, timeout=timeout)[id]
    return [row for file in seen.files for row in file.read_text().splitlines()], seen.note


@pytest.fixture
def server():
    return Server(printed={NAME: ["hello", *ROWS[:3]]})


@pytest.fixture
def provider(tmp_path, server):
    return SkypilotProvider(tmp_path, sky=FakeSky(server), timeout=5, pause=0.01)


@pytest.mark.parametrize("values", [{}, {"managed": False}])
def test_what_a_job_prints_is_told_while_it_runs(provider, server, values):
    """Each look reads its log once, and adds what is new."""
    id = launched(provider, values)
    assert told(provider, id, Extent.NEWEST) == (ROWS[:3], "")
    server.printed[NAME] += ["in between", *ROWS[3:]]
    assert told(provider, id, Extent.KEPT) == (ROWS[:3], "")
    assert told(provider, id, Extent.NEWEST) == (ROWS, "")
    assert server.asked.count("lines") == 2


def test_a_long_log_is_read_from_its_end(provider, server, monkeypatch):
    """Whoever asks for everything gets what lies between, too, each row once."""
    id = launched(provider)
    told(provider, id, Extent.NEWEST)
    server.printed[NAME] = [*ROWS, *["noise"] * 5, '{"step": 9}']
    monkeypatch.setattr(printed, "LAST_LINES", 3)
    assert told(provider, id, Extent.NEWEST)[0] == [*ROWS[:3], '{"step": 9}']
    assert told(provider, id, Extent.ALL)[0] == [*ROWS, '{"step": 9}']


def test_the_end_of_a_log_that_is_too_long_is_read(provider, server, monkeypatch):
    server.printed[NAME] = [*ROWS, *["noise" * 20] * 50, '{"step": 9}']
    monkeypatch.setattr(printed, "LONGEST", 300)
    monkeypatch.setattr(printed, "LAST_LINES", 2)
    id = launched(provider, run="succeeds")
    assert told(provider, id, Extent.FINAL)[0] == [*ROWS, '{"step": 9}']


def test_of_a_job_that_has_ended_the_log_is_read_once(tmp_path, provider, server):
    """Other processes have its metrics without asking, also after its log is gone."""
    id = launched(provider, run="succeeds")
    assert told(provider, id, Extent.FINAL) == (ROWS[:3], "")
    del server.printed[NAME]
    before = len(server.asked)
    later = SkypilotProvider(tmp_path, sky=FakeSky(server, loses="all"))
    assert told(later, id, Extent.FINAL) == told(later, id, Extent.ALL) == (ROWS[:3], "")
    assert len(server.asked) == before


def test_a_log_that_skypilot_has_not_fetched_yet_is_read_again(provider, server):
    """A managed job has succeeded before its log is there."""
    server.printed[NAME] = []
    id = launched(provider, run="succeeds")
    assert told(provider, id, Extent.FINAL)[0] == []
    server.printed[NAME] = ROWS[:3]
    assert told(provider, id, Extent.FINAL) == (ROWS[:3], "")


def test_nor_is_what_was_kept_before_taken_for_all_of_it(provider, server):
    server.printed[NAME] = ROWS[:2]
    id = launched(provider, run="succeeds")
    assert told(provider, id, Extent.NEWEST)[0] == ROWS[:2]
    server.printed[NAME] = []
    assert told(provider, id, Extent.FINAL)[0] == ROWS[:2]
    server.printed[NAME] = ROWS
    assert told(provider, id, Extent.FINAL) == (ROWS, "")


@pytest.mark.parametrize("way", ["release", "delete"])
def test_what_a_cluster_printed_outlives_it(provider, server, way):
    """Its log goes with it; nobody has looked before."""
    id = launched(provider, {"managed": False}, run="succeeds")
    getattr(provider, way)(id)
    assert not server.clusters
    assert told(provider, id, Extent.FINAL) == (ROWS[:3], "")


def test_a_recovered_job_begins_another_log(provider, server):
    """What it printed before is still there."""
    id = launched(provider)
    told(provider, id, Extent.NEWEST)
    server.printed[NAME] = ['{"step": 2, "reward": 7}']
    assert told(provider, id, Extent.ALL)[0] == [*ROWS[:3], '{"step": 2, "reward": 7}']


def test_a_later_launch_goes_on_from_what_the_earlier_one_told(provider):
    first = launched(provider)
    told(provider, first, Extent.NEWEST)
    second = dataclasses.replace(first, launch=2)
    assert told(provider, second, Extent.KEPT)[0] == ROWS[:3]


def test_a_server_that_is_away_costs_a_note(tmp_path, provider, server):
    """And what was read before is still told."""
    id = launched(provider)
    told(provider, id, Extent.NEWEST)
    later = SkypilotProvider(tmp_path, sky=FakeSky(server, loses="where"))
    rows, note = told(later, id, Extent.NEWEST)
    assert (rows, "does not answer" in note) == (ROWS[:3], True)


def test_a_log_that_does_not_come_in_time_costs_a_note(tmp_path, server, provider):
    """The others are told; nobody reads the same log twice at a time."""
    id, other = launched(provider), launched(provider, name="stack.other.4e5f6a7b")
    server.printed["stack.other.4e5f6a7b"] = ROWS[:1]
    slow = SlowSky(server, job=server.launched[id.handle["request"]])
    later = SkypilotProvider(tmp_path, sky=slow)
    try:
        for _ in range(2):
            seen = later.metrics({id: Extent.NEWEST, other: Extent.NEWEST}, timeout=0.3)
            assert (seen[id].files, "no answer" in seen[id].note, len(seen[other].files)) == ((), True, 1)
        assert slow.reads == 1
    finally:
        slow.go.set()


def test_metrics_through_another_server_are_not_asked_for(tmp_path, provider, server):
    """Its job of the same number is another one."""
    id = launched(provider)
    server.where = dataclasses.replace(server.where, user="eve")
    rows, note = told(SkypilotProvider(tmp_path, sky=FakeSky(server)), id, Extent.NEWEST)
    assert (rows, "launched by SkyPilot's user ada" in note, "lines" in server.asked) == ([], True, False)


def test_a_hundred_jobs_cost_a_log_each_and_no_more(provider, server):
    """And one question where the server is, however many there are."""
    handles = [{"endpoint": server.where.endpoint, "user": "ada", "job": number} for number in range(1, 101)]
    ids = [Id("lineage-a", f"stack.job{handle['job']}.0a1b2c3d", 1, handle) for handle in handles]
    server.jobs = {id.handle["job"]: SkyJob(id.handle["job"], id.instance, "RUNNING", "") for id in ids}
    server.printed = {id.instance: ROWS for id in ids}
    seen = provider.metrics(dict.fromkeys(ids, Extent.NEWEST), timeout=60)
    assert all(one.files and not one.note for one in seen.values())
    assert sorted(server.asked) == ["lines"] * 100 + ["where"]


class SlowSky(FakeSky):
    """One job's log comes when it is let go."""

    def __init__(self, server, *, job):
        import threading

        super().__init__(server)
        self.job, self.go, self.reads = job, threading.Event(), 0

    def lines(self, job, **words):
        if job == self.job:
            self.reads += 1
            self.go.wait(30)
        return super().lines(job, **words)


class Slow(FakeSky):
    """A server that takes a moment to say that it is there, once `asked` is there to be set."""

    asked = None

    def where(self):
        if self.asked is not None:
            self.asked.set()
            time.sleep(0.2)
        return super().where()


def test_two_who_look_at_the_same_time_are_both_answered(tmp_path, server):
    """As when two jobs on clusters end at once, and their logs with them."""
    sky = Slow(server)
    provider = SkypilotProvider(tmp_path, sky=sky, timeout=5, pause=0.01)
    ids = [launched(provider, name=f"stack.job{number}.0a1b2c3d") for number in range(2)]
    server.printed = {id.instance: ROWS for id in ids}
    sky.asked = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(told, provider, ids[0], Extent.ALL)
        assert sky.asked.wait(5)
        assert [told(provider, ids[1], Extent.ALL), first.result(5)] == [(ROWS, "")] * 2


def test_of_very_many_logs_each_has_its_turn(tmp_path, server, monkeypatch):
    """Where a look comes to a few only, the next one begins with the others."""
    monkeypatch.setattr(printed, "AT_ONCE", 1)
    read = []

    class OneByOne(FakeSky):
        def lines(self, job, **how):
            read.append(job)
            if len(read) % 2 == 0:
                time.sleep(0.3)  # the time of the look is over
            return super().lines(job, **how)

    provider = SkypilotProvider(tmp_path, sky=OneByOne(server), timeout=5, pause=0.01)
    ids = [launched(provider, name=f"stack.job{number}.0a1b2c3d") for number in range(4)]
    for _ in range(20):
        provider.metrics(dict.fromkeys(ids, Extent.NEWEST), timeout=0.2)
        time.sleep(0.3)
        if len(read) >= 4:
            break
    assert sorted(read[:4]) == [1, 2, 3, 4]

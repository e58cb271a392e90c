"""Many jobs are ended in one cancel call; each is verified, and none is ended or left unseen on behalf of another."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from expiac.providers.base import Extent, Id, Inputs
from expiac.providers.skypilot import SkypilotProvider
from expiac.state.status import Status
from expiac.testing.sky import GONE, FakeSky, Server
from expiac.util.backoff import Backoff
from expiac.util.errors import ExpiacError, Uncertain

SOON = Backoff(first=0.001, most=0.01, total=1)


class Many:
    """Launches of many jobs."""

    def __init__(self, root, values=None, **tells):
        self.server, self.root = Server(), root
        self.provider = self.client()
        self.ids = [self.launch(number, values or {}) for number in range(tells.pop("jobs", 5))]
        for _ in range(3):
            self.server.proceed()
        self.server.asked.clear()

    def client(self, **tells):
        limit = 0.5 if self.server.passed_over else 20  # where an end is waited for that does not come
        return SkypilotProvider(self.root, sky=FakeSky(self.server, **tells), timeout=limit, pause=0.01, backoff=SOON)

    def launch(self, number, values):
        id, noted = Id("lineage-a", f"stack.job{number}.{number:08x}", 1), {}
        self.provider.create(id, Inputs(values, {"task.yaml": yaml.safe_dump({"name": id.instance, "run": "lasts"})}),
                             noted.update)
        return dataclasses.replace(id, handle=noted)

    def delete(self, **tells):
        """How each has ended, by the number of its job; the summary of an error."""
        ended = list(self.client(**tells).delete_many(self.ids))
        assert len(ended) == len(dict(ended)) == len(self.ids)
        return [one.summary if isinstance(one, ExpiacError) else one.status for one in map(dict(ended).get, self.ids)]

    def live(self):
        jobs = [*self.server.jobs.values(), *(job for jobs in self.server.clusters.values() for job in jobs)]
        return [job.id for job in jobs if job.status != "CANCELLED"]


def calls(server):
    return {name: server.asked.count(name) for name in ("cancel", "down", "jobs", "clusters", "requests")}


@pytest.mark.parametrize("jobs", [1, 10, 200])
def test_however_many_they_are_the_calls_are_as_many(tmp_path, jobs):
    many = Many(tmp_path, jobs=jobs)
    assert set(many.delete()) == {Status.CANCELLED}
    assert calls(many.server) == {"cancel": 1, "down": 0, "jobs": 2, "clusters": 0, "requests": 2}
    assert many.live() == []


def test_clusters_are_looked_at_together_and_taken_down_each(tmp_path):
    """SkyPilot takes one cluster a call."""
    many = Many(tmp_path, {"managed": False}, jobs=20)
    assert set(many.delete()) == {Status.CANCELLED}
    assert calls(many.server) == {"cancel": 0, "down": 20, "jobs": 0, "clusters": 2, "requests": 2}
    assert not many.server.clusters


def test_what_jobs_on_clusters_have_printed_is_kept_of_each(tmp_path):
    """Their logs go with their clusters."""
    many = Many(tmp_path, {"managed": False}, jobs=12)
    many.server.printed = {id.instance: [f'{{"step": {number}}}'] for number, id in enumerate(many.ids)}
    many.delete()
    told = many.provider.metrics(dict.fromkeys(many.ids, Extent.KEPT), timeout=0)
    rows = [told[id].files[0].read_text().strip() for id in many.ids]
    assert rows == [f'{{"step": {number}}}' for number in range(12)]


def test_managed_jobs_and_clusters_at_once(tmp_path):
    many = Many(tmp_path, jobs=3)
    many.ids += [many.launch(number, {"managed": False}) for number in range(3, 6)]
    assert set(many.delete()) == {Status.CANCELLED}
    assert (many.live(), many.server.clusters) == ([], {})


def test_a_job_that_cannot_be_cancelled_keeps_no_other(tmp_path):
    """SkyPilot fails the whole call; each job is then asked for alone, and the error is told of the one alone."""
    many = Many(tmp_path)
    many.server.stubborn = {3: ExpiacError("SkyPilot does not permit this", "job 3")}
    cancelled = Status.CANCELLED
    assert many.delete() == [cancelled, cancelled, "SkyPilot does not permit this", cancelled, cancelled]
    assert many.live() == [3]


def test_a_job_that_is_passed_over_is_not_taken_for_ended(tmp_path):
    """SkyPilot skips jobs, such as those of another workspace, and says nothing."""
    many = Many(tmp_path)
    many.server.passed_over = {2}
    with pytest.raises(Uncertain, match=r"(?s)still ending.*SkyPilot says RUNNING"):
        many.client().delete(many.ids[1])
    assert many.delete().count(Status.CANCELLED) == 4
    assert many.live() == [2]


@pytest.mark.parametrize("call", ["cancel", "jobs"])
def test_a_lost_answer_leaves_them_open_and_the_next_time_all_end(tmp_path, call):
    many = Many(tmp_path)
    told = many.delete(loses=call)
    assert set(told) == {"Not known whether it was cancelled" if call == "cancel" else GONE.summary}
    assert set(many.delete()) == {Status.CANCELLED}
    assert many.live() == []


def test_an_end_that_cannot_be_seen_leaves_them_open(tmp_path):
    """The answers stop after the cancel."""

    class Ailing(FakeSky):
        def jobs(self):
            if "cancel" in self.server.asked:
                raise GONE
            return super().jobs()

    many = Many(tmp_path)
    provider = SkypilotProvider(tmp_path, sky=Ailing(many.server), timeout=1, pause=0.01)
    told = [one for _, one in provider.delete_many(many.ids)]
    assert {(type(one), one.summary) for one in told} == {(Uncertain, "Not known whether it has ended")}


def test_launches_under_way_are_awaited_first(tmp_path):
    """Some have no job yet."""
    many = Many(tmp_path, jobs=3)
    for number in range(3, 6):
        with pytest.raises(Uncertain):
            many.client(loses="await_launch").create(
                id := Id("lineage-a", f"stack.job{number}.{number:08x}", 1),
                Inputs({}, {"task.yaml": f"name: {id.instance}\nrun: lasts\n"}), lambda _: None)
        many.ids.append(id)
    many.server.asked.clear()
    assert set(many.delete()) == {Status.CANCELLED}
    assert (many.live(), many.server.asked.count("cancel")) == ([], 1)


def test_what_another_user_launched_is_not_cancelled(tmp_path):
    many = Many(tmp_path)
    many.ids[0] = dataclasses.replace(many.ids[0], handle={**many.ids[0].handle, "user": "grace"})
    assert many.delete() == ["Another SkyPilot", *[Status.CANCELLED] * 4]
    assert many.live() == [1]


def test_who_deletes_at_the_same_time_shares_the_call(tmp_path):
    """As the steps of an apply do that replace runs."""
    many = Many(tmp_path, jobs=10)
    with ThreadPoolExecutor(10) as pool:
        assert {one.status for one in pool.map(many.provider.delete, many.ids)} == {Status.CANCELLED}
    assert many.server.asked.count("cancel") <= 3  # one, where the machine lets all ten begin in a tenth of a second
    assert many.live() == []


def test_a_busy_server_is_asked_again(tmp_path):
    many = Many(tmp_path)
    many.server.refusals = {"cancel": 2, "jobs": 1}
    many.provider.read_many(many.ids[:0])
    assert set(many.delete()) <= {Status.CANCELLED, "SkyPilot's API server takes no more calls"}
    assert set(many.delete()) == {Status.CANCELLED}
    assert many.live() == []

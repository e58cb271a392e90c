"""No call waits longer than it may, and many who ask at once are answered by one look."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from expiac.providers.base import Id, Inputs
from expiac.providers.skypilot import SkypilotProvider
from expiac.providers.skypilot.coalesce import CoalescedCall
from expiac.providers.skypilot.time_limit import within
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import ExpiacError, Unavailable, Uncertain


def test_a_call_that_hangs_is_left_behind():
    """A 503 makes the SDK retry for ten minutes."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match="does not answer in time"):
        within(0.1, threading.Event().wait, "asking")
    assert time.monotonic() - began < 5


def test_an_error_of_ours_stays_as_it_is():
    def refuse():
        raise Uncertain("Not known")

    with pytest.raises(Uncertain):
        within(5, refuse, "asking")
    with pytest.raises(ExpiacError) as raised:
        within(5, {}.popitem, "asking")
    assert isinstance(raised.value.__cause__, KeyError)


def test_an_answer_is_never_older_than_its_question():
    """Who asks while a look is under way gets the next one."""
    looking, go_on, looks = threading.Event(), threading.Event(), []

    def look(_):
        looks.append(mine := len(looks))
        looking.set()
        go_on.wait(5)
        return mine

    together = CoalescedCall(look, gather=0)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(together)
        assert looking.wait(5)
        second = pool.submit(together)
        time.sleep(0.05)
        go_on.set()
        assert (first.result(5), second.result(5)) == (0, 1)
    assert len(looks) == 2


def test_ten_jobs_at_once_cost_one_queue_call(tmp_path):
    server = Server()
    provider = SkypilotProvider(tmp_path, sky=FakeSky(server))

    def create(number):
        id = Id("lineage-a", f"stack.job.{number:08x}", 1)
        task = {"name": id.instance, "run": "lasts"}
        return provider.create(id, Inputs({}, {"task.yaml": yaml.safe_dump(task)}), lambda note: None)

    with ThreadPoolExecutor(10) as pool:
        assert len({one.outputs["job_id"] for one in pool.map(create, range(10))}) == 10
    assert server.asked.count("jobs") <= 2  # one, where the machine lets all ten begin in a tenth of a second

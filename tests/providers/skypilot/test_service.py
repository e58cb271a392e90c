"""Jobs by their ids, whoever launched them."""

from __future__ import annotations

import pytest

from expiac.providers.skypilot.service import SkypilotService
from expiac.providers.skypilot.snapshot import SkyJob
from expiac.state.status import Status
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import ExpiacError

TASK = """name: a.b.0a1b2c3d
---
name: a.b.0a1b2c3d
resources: {infra: slurm/loop}
num_nodes: 2
envs: {EXPIAC_INSTANCE: a.b.0a1b2c3d}
run: lasts
"""


@pytest.fixture
def service():
    jobs = [SkyJob(7, "a.b.0a1b2c3d", "RUNNING", TASK, seconds=5400.0), SkyJob(8, "theirs", "SUCCEEDED", "run: lasts"),
            SkyJob(9, "many", "RUNNING", "name: many\n---\nrun: lasts\n---\nrun: lasts", seconds=60.0),
            SkyJob(10, "odd", "DANCING", "[")]
    return SkypilotService(FakeSky(Server(jobs={job.id: job for job in jobs})))


def test_listed_with_the_newest_first(service):
    assert [job.id for job in service.list()] == [10, 9, 8, 7]


def test_a_status_in_our_words(service):
    assert (service.get_job_status(7), service.get_job_status("8")) == (Status.RUNNING, Status.SUCCEEDED)
    with pytest.raises(ExpiacError, match="Unknown status"):
        service.get_job_status(10)


def test_the_run_of_a_job(service):
    """Told by its environment, or by nothing."""
    assert service.get_wandb_run_name_from_sky_job(7) == "a.b.0a1b2c3d"
    assert service.get_wandb_run_name_from_sky_job(8) is None


@pytest.mark.parametrize(("job", "dollars"), [(7, 3.0), (8, None), (9, None), (10, None)])
def test_the_cost_so_far(service, job, dollars):
    """The price of an hour for as long as it ran; nothing is made up where there is no price."""
    assert service.cost(job) == dollars


def test_its_lines_and_its_end(service):
    assert list(service.logs(7)) == ["node-0 | hello", "node-1 | hello", "node-0 | bye"]
    service.cancel(7)
    assert service.list()[-1].status == "CANCELLED"


def test_an_id_that_is_none(service):
    with pytest.raises(ExpiacError, match="No such job"):
        service.cost(70)

"""Launched once: whatever dies or is lost between the request and the answer."""

from __future__ import annotations

import dataclasses

import pytest

from expiac.providers.base import Id, Inputs, Presence
from expiac.providers.skypilot import SkypilotProvider
from expiac.providers.skypilot.snapshot import SkyJob, Where
from expiac.state.status import Status
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import ExpiacError, Stale, Unavailable, Uncertain

A = Id("lineage-a", "stack.job.0a1b2c3d", 1)
TASK = Inputs({}, {"task.yaml": "name: stack.job.0a1b2c3d\nrun: lasts\n"}, env={"WANDB_RUN_ID": "stack.job.0a1b2c3d"})


class Trial:
    def __init__(self, root):
        self.root, self.server, self.handle = root, Server(), {}

    def provider(self, **tells):
        return SkypilotProvider(self.root, sky=FakeSky(self.server, **tells), timeout=1, pause=0.01)

    def create(self, **tells):
        return self.provider(**tells).create(A, TASK, self.handle.update)

    def read(self, **tells):
        id = dataclasses.replace(A, handle=self.handle)
        return self.provider(**tells).read_many([id])[id]

    @property
    def launches(self):
        return self.server.asked.count("launch")


@pytest.fixture
def trial(tmp_path):
    return Trial(tmp_path)


def test_everything_is_noted_on_the_way(trial):
    """Where it is asked for, before the request; the request before its answer; the job at last."""
    steps = []
    trial.provider().create(A, TASK, steps.append)
    assert steps == [{"endpoint": "http://127.0.0.1:1", "user": "ada"}, {"request": "request-1"}, {"job": 1}]


def test_an_answer_that_was_lost_is_found_again(trial):
    """The request arrived, and its id never came back."""
    with pytest.raises(Uncertain):
        trial.create(loses="launch")
    assert (trial.read().presence, trial.read().status) == (Presence.PRESENT, Status.PENDING)
    assert trial.create().outputs == {"job_id": 1, "recoveries": 0}
    assert trial.launches == 1


def test_a_job_that_was_born_without_a_task_is_cancelled(trial):
    """The server died between its row and its task: it never begins, and tells nobody whose it is."""
    trial.server.jobs[7] = SkyJob(7, A.instance, "PENDING", "")
    trial.server.launches = 7
    assert trial.create().outputs["job_id"] == 8
    assert trial.read().outputs["job_id"] == 8
    assert trial.server.jobs[7].status in ("CANCELLING", "CANCELLED")


def test_a_running_job_of_this_name_is_left_alone(trial):
    """Whatever it is: nothing is launched beside it."""
    trial.server.jobs[7] = SkyJob(7, A.instance, "RUNNING", "")
    with pytest.raises(Uncertain, match="managed job 7"):
        trial.create()
    assert (trial.launches, trial.server.asked.count("cancel")) == (0, 0)


def test_a_launch_under_way_is_waited_for(trial):
    """We died between the request and its answer."""
    with pytest.raises(Uncertain):
        trial.create(loses="await_launch")
    assert trial.handle["request"] == "request-1"
    assert trial.create().outputs == {"job_id": 1, "recoveries": 0}
    assert (trial.launches, trial.handle["job"]) == (1, 1)


def test_a_job_that_was_born_meanwhile_is_adopted(trial):
    with pytest.raises(Uncertain):
        trial.create(loses="await_launch")
    trial.server.settle()
    assert trial.create().presence is Presence.PRESENT
    assert trial.launches == 1


def test_a_refused_launch_did_not_start(trial):
    """And so may be tried again."""
    with pytest.raises(ExpiacError, match="No such resources") as raised:
        trial.create(refuses=ExpiacError("No such resources", "8 of H900"))
    assert not isinstance(raised.value, Uncertain)
    assert trial.read().presence is Presence.ABSENT


def test_a_server_that_is_away_launches_nothing(trial):
    """Known at the first question, before anything is asked for."""
    with pytest.raises(Unavailable):
        trial.create(loses="where")
    assert trial.launches == 0
    with pytest.raises(Unavailable):
        trial.read(loses="jobs")


@pytest.mark.parametrize("other", [Where("http://127.0.0.1:2", "ada"), Where("http://127.0.0.1:1", "grace")])
def test_another_server_or_user_says_nothing_of_it(trial, other):
    """Its complete answer does not make a run lost, and nothing is cancelled there."""
    trial.create()
    here, trial.server.where, trial.server.jobs = trial.server.where, other, {}
    assert trial.read().presence is Presence.UNKNOWN
    assert "and this is" in trial.read().detail
    with pytest.raises(ExpiacError, match="Another SkyPilot"):
        trial.provider().delete(dataclasses.replace(A, handle=trial.handle))
    trial.server.where = here
    assert trial.read().presence is Presence.ABSENT


def test_names_are_compared_exactly(trial):
    """SkyPilot's own match is one of substrings, and a name is not a launch."""
    trial.create()
    longer = Id(A.lineage, A.instance + "e", 1)
    assert trial.provider().read_many([longer])[longer].presence is Presence.ABSENT


def test_a_stop_waits_for_the_launch_under_way(trial):
    with pytest.raises(Uncertain):
        trial.create(loses="await_launch")
    assert trial.provider().delete(dataclasses.replace(A, handle=trial.handle)).status is Status.CANCELLED


def test_a_stop_whose_end_is_not_seen_stays_open(trial):
    trial.create()
    with pytest.raises(Uncertain):
        trial.provider(loses="cancel").delete(A)


def test_reading_many_is_one_queue_call(trial):
    """However many they are; requests come first, and only where something has no job yet."""
    ids = [Id("lineage-a", f"stack.job.{number:08x}", 1) for number in range(50)]
    trial.provider().read_many(ids)
    assert trial.server.asked == ["where", "requests", "jobs"]
    trial.server.asked.clear()
    trial.provider().read_many([dataclasses.replace(id, handle={"job": 7}) for id in ids])
    assert trial.server.asked == ["where", "jobs"]


def test_jobs_alike_are_priced_once(trial):
    """A thousand of them cost one question."""
    provider = trial.provider()
    task = Inputs({}, {"task.yaml": "name: a\nrun: true\nnum_nodes: 2\nresources: {infra: slurm/loop}\n"})
    other = Inputs({}, {"task.yaml": "name: b\nrun: true\nresources: {infra: k8s}\n"})
    assert [provider.estimate(one) for one in (task, task, other)] == [2.0, 2.0, None]
    assert trial.server.asked.count("price") == 2


class TakenOver:
    """A note that another process's work makes stale at one of its turns."""

    def __init__(self, at: int, meanwhile=lambda: None) -> None:
        self.at, self.meanwhile, self.notes = at, meanwhile, []

    def __call__(self, handle) -> None:
        self.notes.append(handle)
        if len(self.notes) == self.at:
            self.meanwhile()
            raise Stale("State taken over", "stack in s3://bucket was taken over by ada@two, process 7")


def test_whoever_lost_the_stack_does_not_launch(trial):
    """It is asked right before the request."""
    with pytest.raises(Stale):
        trial.provider().create(A, TASK, TakenOver(1))
    assert trial.launches == 0


@pytest.mark.parametrize("values", [{}, {"managed": False}])
def test_whoever_lost_the_stack_while_it_launched_ends_the_later_launch(trial, values):
    """The other one was first; whoever comes second says what it ended."""
    inputs = dataclasses.replace(TASK, values=values)
    trial.provider().create(A, inputs, trial.handle.update)
    late = Blind(trial.server)
    with pytest.raises(Stale, match=r"launched twice, and (managed job 2|job 2 of stack.job.0a1b2c3d-1) was ended"):
        SkypilotProvider(trial.root / "late", sky=late, timeout=1, pause=0.01).create(A, inputs, TakenOver(2))
    assert trial.read().outputs["job_id"] == 1
    assert (trial.read().duplicates, trial.launches) == ((), 2)


class Blind(FakeSky):
    """One whose first look shows nothing of what there is: it is older than the launch of the other process."""

    looked = False

    def jobs(self):
        found, self.looked = (super().jobs() if self.looked else []), True
        return found

    def clusters(self, names):
        found, self.looked = (super().clusters(names) if self.looked else []), True
        return found


@pytest.mark.parametrize("values", [{}, {"managed": False}])
def test_two_births_are_seen_and_the_later_one_is_ended(trial, values):
    """By whoever looks next; the earliest goes on, and results are its own."""
    inputs = dataclasses.replace(TASK, values=values)
    trial.provider().create(A, inputs, trial.handle.update)
    late = Blind(trial.server, loses="await_launch")  # it never hears of its own launch, and adopts the other one
    SkypilotProvider(trial.root / "late", sky=late, timeout=1).create(A, inputs, lambda _: None)
    trial.server.settle()
    seen = trial.read()
    assert (seen.outputs["job_id"], len(seen.duplicates), "launched twice" in seen.detail) == (1, 1, True)
    id = dataclasses.replace(A, handle=trial.handle)
    assert trial.provider().end_duplicates(id) == list(seen.duplicates)
    assert (trial.read().duplicates, trial.read().outputs["job_id"]) == ((), 1)
    assert trial.read().status.is_live
    assert trial.provider().end_duplicates(id) == []


def test_destroy_ends_every_launch(trial):
    """Whether anybody has seen that there are two or not."""
    trial.provider().create(A, TASK, trial.handle.update)
    late = Blind(trial.server, loses="await_launch")
    SkypilotProvider(trial.root / "late", sky=late, timeout=1).create(A, TASK, lambda _: None)
    trial.server.settle()
    trial.provider().delete(dataclasses.replace(A, handle=trial.handle))
    assert {job.status for job in trial.server.jobs.values()} == {"CANCELLED"}


def test_a_look_is_never_older_than_the_launch_that_it_decides(trial):
    """Another process launched it after this provider was made, and looked at something else."""
    late = trial.provider()
    late.create(dataclasses.replace(A, instance="stack.other.0a1b2c3d"), TASK, lambda _: None)
    trial.create()
    assert late.create(A, TASK, trial.handle.update).outputs["job_id"] == 2
    assert trial.launches == 2

"""What stands in SkyPilot's answers, read as values."""

from __future__ import annotations

import pytest

from expiac.providers.base import Id
from expiac.providers.skypilot.error_translation import translate_error
from expiac.providers.skypilot.snapshot import SkyJob, Snapshot, Where, envs
from expiac.providers.skypilot.statuses import STATUSES, observation
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Unavailable

TASK = """\
name: a.b.c
---
name: a.b.c
envs:
  EXPIAC_LINEAGE: l
  EXPIAC_INSTANCE: a.b.c
  EXPIAC_LAUNCH: '2'
secrets:
  TOKEN: <redacted>
"""


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "envs: 3", "just words"])
def test_what_others_wrote_is_nothing_of_ours(text):
    """Any job may stand in the queue."""
    assert envs(text) == {}


def test_a_launch_is_known_by_all_three_names():
    jobs = [SkyJob(3, "a.b.c", "RUNNING", TASK), SkyJob(4, "a.b.c", "RUNNING", "name: a.b.c")]
    snapshot = Snapshot(Where("u", "v"), (), jobs)
    assert snapshot.job(Id("l", "a.b.c", 2)).id == 3
    assert snapshot.job(Id("l", "a.b.c", 1)) is None
    assert snapshot.job(Id("m", "a.b.c", 2)) is None


@pytest.mark.parametrize(("status", "seconds"), [("SUCCEEDED", 90.0), ("RUNNING", None)])
def test_how_long_a_job_ran_is_known_at_its_end(status, seconds):
    """Over all its recoveries."""
    assert observation(SkyJob(3, "a.b.c", status, TASK, seconds=90.0)).seconds == seconds


def test_every_status_of_the_sdk_is_known():
    """A new release that adds one is heard of here."""
    state = pytest.importorskip("sky.jobs.state", reason="SkyPilot is not installed")
    for status in state.ManagedJobStatus:
        assert STATUSES[status.name].is_over == status.is_terminal(), status
    assert {s.name for s in state.ManagedJobStatus if STATUSES[s.name] is Status.FAILED} == {
        s.name for s in state.ManagedJobStatus if s.is_failed()}


def test_a_status_of_a_newer_server_is_unknown():
    assert observation(SkyJob(1, "a", "DREAMING", "")).detail.startswith("job 1: SkyPilot says DREAMING")


@pytest.mark.parametrize(("job", "detail"), [
    (SkyJob(1, "a", "FAILED", "", "Job exited with\n exit code 3"), "Job exited with exit code 3"),
    (SkyJob(1, "a", "FAILED_NO_RESOURCE", "", "\x1b[31mnone left\x1b[0m"), "failed no resource: none left"),
    (SkyJob(1, "a", "RUNNING", "", recoveries=2), "recovered 2 times"),
    (SkyJob(1, "a", "CANCELLING", ""), "being cancelled"),
    (SkyJob(1, "a", "RUNNING", ""), ""),
])
def test_the_detail_is_in_skypilots_words(job, detail):
    assert observation(job).detail == detail


@pytest.mark.parametrize(("name", "args", "summary", "hint"), [
    ("NoCloudAccessError", ("none",), "No cloud is enabled in SkyPilot", "sky check"),
    ("ResourcesUnavailableError", ("Quota exceeded for H100",), "The cloud's quota is used up", "more quota"),
    ("ResourcesUnavailableError", ("no candidates",), "No such resources", "sky gpus list"),
    ("InvalidSkyPilotConfigError", ("bad key",), "SkyPilot refuses the task", "expiac render"),
    ("NotSupportedError", ("spot",), "SkyPilot can't do this there", "infra"),
])
def test_a_refusal_says_what_to_do(name, args, summary, hint):
    exceptions = pytest.importorskip("sky.exceptions", reason="SkyPilot is not installed")
    error = translate_error(getattr(exceptions, name)(*args), "launching a.b.c")
    assert (error.summary, hint in error.hint, isinstance(error, Unavailable)) == (summary, True, False)
    assert args[0] in error.detail


@pytest.mark.parametrize("error", [TimeoutError("late"), ConnectionError("refused"), KeyError("what is this")])
def test_what_leaves_it_open_is_no_answer(error):
    """An unknown error too: it may have left anything behind."""
    assert isinstance(translate_error(error, "asking"), Unavailable)


@pytest.mark.parametrize("words", [
    "Cluster nowhere not found in Slurm config", "Partition 'none' not found in cluster 'loop'",
    "Invalid resources YAML: 'nowhere' does not match '^(?:(?i:(aws|azure|slurm))(?:/[^/]+(?:/[^/]+)?)?)$'"])
def test_an_unknown_place_is_named(words):
    error = translate_error(ValueError(words), "launching")
    assert (error.summary, type(error)) == ("SkyPilot does not know the place", ExpiacError)
    assert "(?:" not in error.detail

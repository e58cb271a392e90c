"""A run is seen and ended where it was launched; everywhere else it is unknown, by what was noted before its launch."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable

import pytest

from expiac.providers.base import Id, Presence, Stored
from expiac.providers.local.place import PLACE
from expiac.state.status import Status
from expiac.testing.contract import Course
from expiac.util.errors import ExpiacError

JOB = Id("lineage", "job.one.00000001", 1)


@pytest.fixture
def noted(local) -> Id:
    """A job that was launched in project `one`, as its record names it."""
    handle: dict[str, object] = {}
    local.provider("one").create(JOB, local.inputs(Course.LASTS, JOB), handle.update)
    return Id(JOB.lineage, JOB.instance, JOB.launch, handle)


def test_a_job_of_another_checkout_is_not_here(local, noted):
    """It is unknown and neither absent nor ours to end, and the reason says where to go."""
    other = local.provider("two")
    seen = other.read_many([noted])[noted]
    where = f"it was launched on {socket.gethostname()} in {local.root / 'one' / '.expiac' / 'local'}"
    assert (seen.presence, seen.detail) == (Presence.UNKNOWN, where)
    refused: list[Callable[[], object]] = [
        lambda: other.delete(noted), lambda: other.logs(noted),
        lambda: other.create(noted, local.inputs(Course.LASTS, noted), lambda _: None)]
    for call in refused:
        with pytest.raises(ExpiacError, match="On another machine"):
            call()
    assert other.stored([noted]) == {}
    assert local.starts(noted) <= 1
    assert local.provider("one").delete(noted).status is Status.CANCELLED


def test_a_job_of_another_machine_is_not_here(local, noted):
    """In a folder of the same name."""
    there = Id(JOB.lineage, "job.other.00000002", 1, {PLACE: f"elsewhere:{local.root / 'one' / '.expiac' / 'local'}"})
    seen = local.provider("one").read_many([there])[there]
    assert seen.presence is Presence.UNKNOWN
    assert "on elsewhere in " in seen.detail


def test_a_record_of_an_earlier_version_is_read_as_before(local, noted):
    assert local.provider("two").read_many([JOB])[JOB].presence is Presence.ABSENT


def test_a_copied_checkout_does_not_take_the_job_for_its_own(local, noted):
    """Neither while it waits nor while it runs."""
    shutil.copytree(local.root / "one", local.root / "copy")
    assert local.provider("copy").read_many([noted])[noted].presence is Presence.UNKNOWN
    with pytest.raises(ExpiacError, match="On another machine"):
        local.provider("copy").delete(noted)


def test_a_copied_checkout_has_what_had_ended(local, noted):
    local.provider("one").delete(noted)
    shutil.copytree(local.root / "one", local.root / "copy")
    copy = local.provider("copy")
    assert copy.read_many([noted])[noted].status is Status.CANCELLED
    assert noted in copy.stored([noted])


def test_a_checkout_that_was_moved_has_its_jobs(local, noted):
    """And one that is reached by another name."""
    (local.root / "link").symlink_to(local.root / "one")
    assert local.provider("link").read_many([noted])[noted].presence is Presence.PRESENT
    (local.root / "one").rename(local.root / "moved")
    moved = local.provider("moved")
    assert moved.read_many([noted])[noted].presence is Presence.PRESENT
    assert isinstance(moved.stored([noted])[noted], Stored)
    assert moved.delete(noted).status is Status.CANCELLED

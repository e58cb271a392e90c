"""Launched once, also by two: one of two appliers of a shared state is stopped (SIGSTOP) at every instant of its apply.

An instant is right before or right after each call of SkyPilot, each effect of the local backend and each change of
the store. Meanwhile the other one goes on: on another host it seizes the lock, since the first was thought to be gone;
on the same one it has planned already, and waits for the lock until the first is killed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from rivals import LocalBackend, Rivals, SkyBackend, is_job_alive, stop

from expiac.testing.instants import die


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store."""
    return f"file://{tmp_path}/store" if kind == "file" else request.getfixturevalue("bucket")


@pytest.fixture(autouse=True)
def no_job_is_left(tmp_path: Path) -> Iterator[None]:
    """Ends the local jobs of scenes that nobody destroyed."""
    yield
    for file in tmp_path.rglob("births"):
        for line in file.read_text().splitlines():
            pid = int(line.split()[-1])
            if is_job_alive(pid):
                os.kill(pid, signal.SIGKILL)


STORES = pytest.mark.parametrize(("kind", "every"), [  # of so many instants one is tried
    ("file", 1), ("s3", 7), pytest.param("s3", 1, marks=pytest.mark.soak)])
BACKENDS = pytest.mark.parametrize("backend", [SkyBackend, LocalBackend])


@pytest.mark.slow
@STORES
@BACKENDS
def test_whoever_was_thought_gone_launches_nothing_twice(tmp_path, url, backend, every):
    """Stopped at any instant; the other one seizes the lock and launches; then the first wakes."""
    count = Rivals(tmp_path / "whole", f"{url}/whole", backend).instants()
    for at in range(1, count + 1, every):
        rivals = Rivals(tmp_path / str(at), f"{url}/{at}", backend)
        first = rivals.command("one", deeds={at: stop})
        if not first.until_stopped():
            continue
        second = rivals.command("two", seizes=True).ended()
        first.wake()
        moment = f"stopped at {at} of {count}; the second said: {second}; the first: {first.ended()}"
        rivals.assert_single(moment)
        rivals.assert_converges("one" if backend is LocalBackend else "two")
        rivals.destroy()


@pytest.mark.slow
@STORES
@BACKENDS
def test_whoever_has_planned_and_waits_launches_nothing_twice(tmp_path, url, backend, every):
    """It has looked at everything; the first goes on to the next instant and is killed; nothing is born twice."""
    count = Rivals(tmp_path / "whole", f"{url}/whole", backend).instants()
    for at in range(1, count, every):
        rivals = Rivals(tmp_path / str(at), f"{url}/{at}", backend)
        first = rivals.command("one", deeds={at: stop, at + 1: die})
        if not first.until_stopped():
            continue
        second = rivals.command("two", host="one")
        second.until_planned()
        first.wake()
        first.ended()
        said = second.ended()
        born = rivals.backend.born()
        assert len(born) == len(set(born)), f"stopped at {at} of {count}, killed at the next: {born}; {said}"
        rivals.assert_converges("one")
        rivals.destroy(host="one")

"""Two commands at once: one waits or is refused, and the lock of a killed one is free."""

from __future__ import annotations

from throwaway import Folder, until

SLOW = '''
import os, sys, time
from pathlib import Path
from expiac import Resource
from expiac.providers.base import ABSENT, Observation, Presence
from expiac.state.status import Status

class Slow(Resource):
    type = "slow"

class SlowProvider:
    """Takes its time: until somebody makes the file `go`."""

    def __init__(self, root): self.root = root
    def read_many(self, ids): return {id: ABSENT for id in ids}
    def create(self, id, inputs, note):
        (self.root / "begun").touch()
        while not (self.root / "go").exists(): time.sleep(0.05)
        return Observation(Presence.PRESENT, Status.READY, {})

slow = Stack("slow", [Slow("it")])
'''


def test_a_second_apply_while_one_holds_the_lock(project: Folder):
    """It says who holds it, since when and for what."""
    slow(project, SLOW)
    first = project.begin("apply", "slow", "--yes")
    try:
        until(lambda: (project.root / "begun").exists() or first.poll() is not None, "the first apply holds the lock")
        before = project.state
        others = [project.begin("apply", "slow", "--yes"), project.begin("destroy", "slow", "--yes")]
        for other in others:
            said = other.communicate(timeout=60)[1]
            assert (other.returncode, "Traceback" in said) == (1, False)
            assert "Locked\n  apply of slow by " in said
            assert f", process {first.pid}, since 20" in said
            assert f"ps -fp {first.pid}" in said
        assert project.state == before
    finally:
        (project.root / "go").touch()
        out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err


COUNTING = SLOW + '''
class CountingProvider(SlowProvider):
    """Writes down each creation, and sees what was created."""

    def read_many(self, ids):
        is_created = (self.root / "creations").exists()
        return {id: Observation(Presence.PRESENT, Status.READY, {}) if is_created else ABSENT for id in ids}

    def create(self, id, inputs, note):
        with open(self.root / "creations", "a") as creations: print(id.instance, file=creations)
        return super().create(id, inputs, note)
'''


def test_two_first_applies_at_once(project: Folder):
    """One waits for the other, and then finds that its plan is stale or that all is done: never both."""
    slow(project, COUNTING, "CountingProvider")
    (project.root / "go").touch()
    both = [project.begin("apply", "slow", "--yes") for _ in range(2)]
    said = sorted((begun.communicate(timeout=60)[1], begun.returncode) for begun in both)
    assert len((project.root / "creations").read_text().split()) == 1, said
    for err, code in said:
        assert code == 0 or "Stale plan" in err or "State taken over" in err, err
    assert 0 in [code for _, code in said]


def test_the_lock_of_a_killed_apply_is_taken_over(project: Folder):
    """By itself: nobody has to remove anything, and what was begun is finished."""
    slow(project, SLOW)
    first = project.begin("apply", "slow", "--yes")
    until(lambda: (project.root / "begun").exists() or first.poll() is not None, "the first apply holds the lock")
    first.kill()
    first.communicate(timeout=60)
    (project.root / "go").touch()
    project.output("apply", "slow", "--yes")
    assert [record["status"] for record in project.said("status", "slow", "--no-refresh")["resources"]] == ["ready"]


def slow(project: Folder, text: str, provider: str = "SlowProvider") -> None:
    """A stack whose one resource is made by this provider of the text."""
    project.stack(text, name="slow")
    file = project.root / "pyproject.toml"
    file.write_text(f'{file.read_text()}\n[tool.expiac.providers]\nslow = "stacks.slow:{provider}"\n')

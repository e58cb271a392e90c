"""The files of one stack and its backend, in which processes come, act and are killed; and the killing of them."""

from __future__ import annotations

import os
import re
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from backend import Backend
from chapters import Chapter, chapters

from expiac.apply.fetch import fetch
from expiac.apply.pruning import Pruner
from expiac.declare.project import Project
from expiac.plan.pruning import PruneOptions
from expiac.providers.base import Fetches, Id, Prunes, Stored
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.model import State
from expiac.state.status import Status
from expiac.testing import World
from expiac.testing.instants import Instants, WatchedDisk, WatchedProvider
from expiac.testing.integrity import flaws

AGAIN = 0.15
"""How likely each of three more applies is killed too."""


class _WatchedStore(Fetches, Prunes):
    """The backend's store, with an instant before and after each effect."""

    def __init__(self, backend: Backend, instants: Instants) -> None:
        self._backend, self._instants = backend, instants

    def stored(self, ids: Sequence[Id]) -> Mapping[Id, Stored]:
        return self._backend.stored(ids)

    def freed_bytes(self, ids: Sequence[Id]) -> int:
        return self._backend.freed_bytes(ids)

    def set_aside(self, ids: Sequence[Id]) -> None:
        self._instants.around(lambda: self._backend.set_aside(ids))

    def delete_aside(self) -> None:
        self._instants.around(self._backend.delete_aside)

    def fetch(self, id: Id, path: str, target: Path, *, timeout: float) -> None:
        self._instants.around(lambda: self._backend.fetch(id, path, target, timeout=timeout))


class Scene:
    """One stack's state file and one backend, both files of a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.journal, self.backend = folder / "ppo.jsonl", Backend(folder / "jobs")

    def apply(self, chapter: Chapter, die_at: int = 0) -> int:
        """Does what the user does in the chapter; how many instants it took."""
        instants = Instants(die_at)
        backend = Backend(self.folder / "jobs", chapter.refuses)
        world = World(self.folder, others={"memory": WatchedProvider(backend, instants)}, disk=WatchedDisk(instants),
                      compact_above=chapter.compact_above)
        world.apply(chapter.stack, parallelism=chapter.parallelism, **chapter.options)
        with Journal.open(FileLog(self.journal, WatchedDisk(instants)), stack="ppo", now=world.clock) as journal:
            if chapter.prunes:
                pruner = Pruner(Project(root=self.folder), journal, {"memory": _WatchedStore(backend, instants)})
                pruner.carry_out(pruner.plan(PruneOptions()))
            if chapter.fetches:
                self._fetch(journal.state, _WatchedStore(backend, instants))
        return instants.count

    def _fetch(self, state: State, store: Fetches) -> None:
        for record in state.records.values():
            if record.status is Status.SUCCEEDED:
                fetch(record, state.lineage, store, "checkpoint", self.folder / f"fetched-{record.address}", force=True,
                      timeout=60)

    @property
    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.iterdir()}

    @files.setter
    def files(self, files: dict[Path, bytes]) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        for path, data in files.items():
            path.write_bytes(data)

    def assert_whole(self) -> None:
        assert flaws(Journal.read(FileLog(self.journal)).state) == []
        assert set(Counter(self.backend.starts).values()) <= {1}, "a launch was born twice"
        kept = {id.instance for id in self.backend.jobs()}
        for record in Journal.read(FileLog(self.journal)).state.records.values():
            assert record.status is not Status.SUCCEEDED or record.run.instance in kept, "a result was pruned"
        for copy in self.folder.glob("fetched-?"):
            assert re.fullmatch(r"(\S+) there://\1/.+", copy.read_text("utf-8")), f"half of it: {copy}"

    def assert_destroyable(self, chapter: Chapter) -> None:
        """Were everything to go now, nothing would be overlooked."""
        files = self.files
        self.apply(replace(chapter, stack=None, options={}, prunes=False, fetches=False))
        assert self.backend.running() == []
        self.files = files

    @property
    def picture(self) -> dict[str, object]:
        """Everything that matters in the world and of what is known of it, in no order."""
        state = Journal.read(FileLog(self.journal)).state
        records = [replace(record, approval=0) for record in (*state.records.values(), *state.history)]
        return {"records": sorted(map(repr, records)), "present": set(state.records),
                "births": sorted(map(repr, self.backend.starts)), "jobs": self.backend.jobs()}


def is_killed(deed: Callable[[], object]) -> bool:
    """Does it in a process of its own; whether that was killed before it came to its end."""
    pid = os.fork()
    if not pid:
        try:
            deed()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL), "the process failed: see above"
    return code != 0


@dataclass
class Figures:
    """What was done to prove it."""

    programs: int = 0
    starts: int = 0
    kills: int = 0


def kill_everywhere(folder: Path, seed: int, figures: Figures, *, every: int = 1) -> None:
    """Plays the program of this seed, and kills each apply at its instants: at all of them, or one of each `every`."""
    scene, chance = Scene(folder), Random(seed)
    for number, chapter in enumerate(chapters(seed)):
        for name, fate in chapter.fates.items():
            scene.backend.happens(name, fate)
        before = scene.files
        instants = scene.apply(chapter)
        picture, after = scene.picture, scene.files
        for at in range(chance.randint(1, every), instants + 1, every):
            scene.files = before
            kills = [at] + [chance.randint(1, instants) for _ in range(3) if chance.random() < AGAIN]
            with telling(f"seed {seed}, chapter {number}, killed at {kills} of {instants} instants"):
                figures.kills += _killed(scene, chapter, kills)
                scene.apply(chapter)
                scene.assert_whole()
                assert scene.picture == picture
        scene.files = after
    figures.programs += 1
    figures.starts += len(scene.backend.starts)


def _killed(scene: Scene, chapter: Chapter, kills: Sequence[int]) -> int:
    """Applies once for each of the kills, which come at those instants; how many came before the end."""
    count = 0
    for at in kills:
        if is_killed(partial(scene.apply, chapter, die_at=at)):
            count += 1
            scene.assert_whole()
            scene.assert_destroyable(chapter)
    return count


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Says with a failure how to have it again."""
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise

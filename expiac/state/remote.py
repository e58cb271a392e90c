"""States in a store that is shared: each journal is a file here too, a copy of the command's own.

Every durable write brings the store up to date before it returns; the copy goes with the command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from expiac.declare.project import Project
from expiac.state.journal import Journal
from expiac.state.lineage import lineage
from expiac.state.model import State
from expiac.state.object_store import Image, Store
from expiac.state.replay import Reading
from expiac.util.durable import Disk
from expiac.util.errors import Stale
from expiac.util.lock import Holder

MOST_PIECES = 16
"""Each is a request of whoever reads a state: of more, the last writer makes one."""


class SharedDisk(Disk):
    """A disk whose every sync puts what was appended into the store, and waits until it is there."""

    def __init__(self, store: Store, stack: str, path: Path, image: Image) -> None:
        self._store, self._stack, self._path = store, stack, path
        self._generation, self._there, self._offsets = image.generation, len(image.data), list(image.offsets)

    @property
    def pieces(self) -> int:
        """Of how many the state consists."""
        return len(self._offsets)

    @property
    def is_current(self) -> bool:
        """Nobody else wrote to the state, or put another in its place; one request."""
        mine = (self._generation, self._offsets[-1]) if self._offsets else (0, 0)
        return max(self._store.pieces(self._stack), default=(0, 0)) == mine

    def sync(self, fd: int) -> None:
        """The state's own file goes to the store; one that is to take its place goes there with `replace`."""
        super().sync(fd)
        if not self._path.exists() or os.fstat(fd).st_ino != self._path.stat().st_ino:
            return
        if rest := self._path.read_bytes()[self._there:]:
            self._store.add(self._stack, self._generation, self._there, rest)
            self._offsets.append(self._there)
            self._there += len(rest)

    def replace(self, source: Path, target: Path) -> None:
        data = source.read_bytes()
        self._store.add(self._stack, self._generation + 1, 0, data)
        self._generation, self._there, self._offsets = self._generation + 1, len(data), [0]
        super().replace(source, target)
        self._store.drop_before(self._stack, self._generation)

    def remove(self, path: Path) -> None:
        self._store.drop(self._stack)
        super().remove(path)


class Remote:
    """States in a store that is shared with others."""

    def __init__(self, project: Project) -> None:
        self._store, self._folder = Store(project.state_url), project.state_folder

    @property
    def place(self) -> str:
        """Where they are, for messages."""
        return self._store.url

    def names(self) -> list[str]:
        """The stacks that have a state."""
        return self._store.names()

    def read(self, stack: str) -> Reading:
        """What a state says, without a lock."""
        with self.file(stack) as (path, _):
            return Journal.read(path)

    def open(self, stack: str, program: str = "") -> Journal:
        """The journal of a stack, on a copy that goes with the process; an empty one where there is no state yet."""
        return _SharedJournal.at(self._store, stack, program, lineage(self._folder, stack))

    def lock(self, stack: str, *, purpose: str, wait_seconds: float = 0.0) -> AbstractContextManager[object]:
        """The right to write it, for one process of one machine."""
        return self._store.lock(stack, purpose=purpose, wait_seconds=wait_seconds)

    @contextmanager
    def file(self, stack: str) -> Iterator[tuple[Path, Disk]]:
        """A copy of the state's file, and the disk that brings over there what takes its place."""
        with TemporaryDirectory(prefix="expiac-state-") as folder:
            yield _copied(self._store, stack, Path(folder))


def _copied(store: Store, stack: str, folder: Path) -> tuple[Path, SharedDisk]:
    """A state's file, as it is in the store now, and the disk that it lies on."""
    path, image = folder / f"{stack}.jsonl", store.read(stack)
    if image.data:
        path.write_bytes(image.data)
    return path, SharedDisk(store, stack, path, image)


class _SharedJournal(Journal):
    """A journal on a copy of a shared state."""

    _store: Store
    _copy: TemporaryDirectory[str]
    _me: Holder | None = None
    """Who we are to others, while we hold the lock."""

    @classmethod
    def at(cls, store: Store, stack: str, program: str, new_lineage: str) -> _SharedJournal:
        copy = TemporaryDirectory(prefix="expiac-state-")
        path, disk = _copied(store, stack, Path(copy.name))
        journal = cls.open(path, stack=stack, program=program, lineage=new_lineage, disk=disk)
        journal._store, journal._copy = store, copy
        return journal

    @contextmanager
    def lock(self, *, purpose: str, wait_seconds: float) -> Iterator[None]:
        """The right to write, for one process of one machine."""
        with self._store.lock(self.header.stack, purpose=purpose, wait_seconds=wait_seconds) as self._me:
            try:
                yield
            finally:
                self._me = None

    def confirm(self) -> None:
        """Asks the store whether lock and state are still ours, and raises `Stale` where they are not.

        Somebody may have thought us gone: we may have been asleep for any time, at any place.
        """
        super().confirm()
        assert isinstance(self._disk, SharedDisk)
        with self._syncing:
            who = self._store.holder(self.header.stack)
            lost = self._me is not None and who != self._me
            if not lost and self._disk.is_current:
                return
            by = f" by {who.sentence}" if lost and who else ""
            what = f"taken over{by}" if lost else "written by somebody else meanwhile"
            self._failure, self._is_stale = f"{self.header.stack} in {self._store.url} was {what}", True
        raise self._moved_on()

    def _moved_on(self) -> Stale:
        what = self._failure or f"{self.header.stack} in {self._store.url} was written by somebody else meanwhile"
        return Stale("State taken over", what, "run the command again: it finds what was launched")

    def reload(self) -> State:
        """Reads again what others may have written over there."""
        image = self._store.read(self.header.stack)
        if not self.path.exists() or self.path.read_bytes() != image.data:
            with self._writing, self._syncing:
                self._close()
                if image.data:
                    self.path.write_bytes(image.data)
                else:
                    self.path.unlink(missing_ok=True)
            self._disk = SharedDisk(self._store, self.header.stack, self.path, image)
        return super().reload()

    def flush(self) -> None:
        """What was appended and not synced, such as an observation, goes over there; many pieces become one.

        Raises `Stale` where somebody took the state over, and what we wrote may stand nowhere.
        """
        if self._failure:
            return
        self.confirm()
        if self.number > self._durable:
            self._sync(self.number)
        assert isinstance(self._disk, SharedDisk)
        if self._disk.pieces > MOST_PIECES:
            self.compact()

    def close(self) -> None:
        super().close()
        self._copy.cleanup()

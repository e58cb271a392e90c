"""States in a store that is shared: each journal is a file here too, a copy of the command's own.

Every durable write brings the store up to date before it returns; the copy goes with the command.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from expiac.durable import Disk
from expiac.journal import Journal
from expiac.lineage import lineage
from expiac.project import Project
from expiac.replay import Reading
from expiac.shared import SharedDisk, Store
from expiac.state import State

MOST_PIECES = 16
"""Each is a request of whoever reads a state: of more, the last writer makes one."""


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

    def lock(self, stack: str, *, purpose: str, wait_seconds: float = 0.0) -> AbstractContextManager[None]:
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

    @classmethod
    def at(cls, store: Store, stack: str, program: str, new_lineage: str) -> _SharedJournal:
        copy = TemporaryDirectory(prefix="expiac-state-")
        path, disk = _copied(store, stack, Path(copy.name))
        journal = cls.open(path, stack=stack, program=program, lineage=new_lineage, disk=disk)
        journal._store, journal._copy = store, copy
        return journal

    def lock(self, *, purpose: str, wait_seconds: float) -> AbstractContextManager[object]:
        """The right to write, for one process of one machine."""
        return self._store.lock(self.header.stack, purpose=purpose, wait_seconds=wait_seconds)

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
        """What was appended and not synced, such as an observation, goes over there; many pieces become one."""
        if self._failure:
            return
        if self.number > self._durable:
            self._sync(self.number)
        assert isinstance(self._disk, SharedDisk)
        if self._disk.pieces > MOST_PIECES:
            self.compact()

    def close(self) -> None:
        super().close()
        self._copy.cleanup()

"""A state log that is a row of objects in a store that others share; `object_store` says how they are named.

Each sync is one object more, and it is there before the sync returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from expiac.state.object_store import Store
from expiac.util.errors import Stale
from expiac.util.lock import Holder


class ObjectLog:
    """The objects of one stack's state; see `StateLog`."""

    is_current = True  # to know better takes a request: `confirm`, and each object that is created
    is_buffered = True

    def __init__(self, store: Store, stack: str) -> None:
        self.stack = stack
        self._store = store
        self._generation, self._length = 0, 0
        self._offsets: list[int] = []
        self._appended: list[bytes] = []
        """What is not in the store yet."""
        self._holder: Holder | None = None
        """Who we are to others, while we hold the lock."""

    @property
    def name(self) -> str:
        return f"{self._store.url}/{self.stack}"

    @property
    def size(self) -> int:
        return self._length + sum(map(len, self._appended))

    @property
    def pieces(self) -> int:
        return len(self._offsets)

    def read(self) -> bytes | None:
        image = self._store.read(self.stack)
        self._generation, self._length = image.generation, len(image.data)
        self._offsets = list(image.offsets)
        self._appended = []
        return image.data or None

    def cut(self, length: int) -> None:
        """An object is never changed, so that a row that begins anew takes the place of this one."""
        image = self._store.read(self.stack)
        self.replace(image.data[:length])

    def append(self, data: bytes) -> None:
        self._appended.append(data)

    def sync(self) -> None:
        count = len(self._appended)  # another thread may append meanwhile
        data = b"".join(self._appended[:count])
        if not data:
            return
        self._store.add(self.stack, self._generation, self._length, data)
        self._offsets.append(self._length)
        self._length += len(data)
        del self._appended[:count]

    def replace(self, data: bytes) -> None:
        self._refuse_foreign()
        self._store.add(self.stack, self._generation + 1, 0, data)
        self._generation, self._length, self._offsets = self._generation + 1, len(data), [0]
        self._appended = []
        self._store.drop_before(self.stack, self._generation)

    def remove(self) -> None:
        self._refuse_foreign()
        self._store.drop(self.stack)
        self.read()

    def confirm(self) -> None:
        """Asks the store for the lock, and for the last object: one request each.

        Somebody may have thought us gone: we may have been asleep for any time, at any place.
        """
        who = self._store.holder(self.stack)
        if self._holder is not None and who != self._holder:
            by = f" by {who.sentence}" if who else ""
            raise self.taken_over(f"{self.stack} in {self._store.url} was taken over{by}")
        self._refuse_foreign()

    def taken_over(self, what: str = "") -> Stale:
        what = what or f"{self.stack} in {self._store.url} was written by somebody else meanwhile"
        return Stale("State taken over", what, "run the command again: it finds what was launched")

    @contextmanager
    def lock(self, *, purpose: str, wait_seconds: float = 0.0) -> Iterator[None]:
        """For one process of one machine."""
        with self._store.lock(self.stack, purpose=purpose, wait_seconds=wait_seconds) as self._holder:
            try:
                yield
            finally:
                self._holder = None

    def close(self) -> None:
        pass

    def _refuse_foreign(self) -> None:
        mine = (self._generation, self._offsets[-1]) if self._offsets else (0, 0)
        if max(self._store.pieces(self.stack), default=(0, 0)) != mine:
            raise self.taken_over()

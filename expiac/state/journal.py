"""Keeps the events of one stack in a file, and with them the State. Decides nothing, and takes no lock.

Reading never writes. A journal is written by one process at a time, the one that holds the stack's `Lock`; its threads
may append at once. The file is made by the first append, so looking at a stack that does not exist leaves no trace.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock as Mutex
from types import TracebackType
from typing import NoReturn, Self
from uuid import uuid4

from expiac.state import codec
from expiac.state.codec import FORMAT, Header
from expiac.state.events import Entry, Event
from expiac.state.fold import Fold
from expiac.state.model import Record, State
from expiac.state.replay import MIGRATIONS, Migrate, Reading, read
from expiac.util.durable import Disk, File
from expiac.util.errors import ExpiacError, Stale
from expiac.util.lock import Lock

COMPACT_ABOVE = 1 << 20
"""Bytes below which a journal is left as it is."""
COMPACT_GROWTH = 4
"""A journal is compacted when it is this many times its last checkpoint, so that the cost per append stays constant."""


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Journal:
    """The open state file of one stack."""

    header: Header
    notes: tuple[str, ...]
    """What the user should hear about the file: a last line that was cut short."""
    number: int
    """The number of the last event; 0 where there is none."""
    _fold: Fold

    def __init__(self, path: Path, reading: Reading, *, now: Callable[[], str] = utc_now, disk: Disk | None = None,
                 compact_above: int = COMPACT_ABOVE, migrations: Mapping[int, Migrate] = MIGRATIONS) -> None:
        self.path = path
        self._now, self._disk, self._compact_above, self._migrations = now, disk or Disk(), compact_above, migrations
        self._file: File | None = None
        self._writing, self._syncing = Mutex(), Mutex()  # taken in this order
        self._failure, self._unsynced = "", ""
        self._is_stale = False
        """That the failure was to find the work of another writer."""
        self._take(reading)

    @classmethod
    def open(cls, path: Path, *, stack: str, program: str = "", lineage: str = "", now: Callable[[], str] = utc_now,
             disk: Disk | None = None, compact_above: int = COMPACT_ABOVE,
             migrations: Mapping[int, Migrate] = MIGRATIONS) -> Self:
        """The journal of a stack; where there is no file yet, an empty one of this lineage, or of a fresh one."""
        reading = read(path, migrations) or _nothing(stack, program, lineage)
        if reading.header.stack != stack:
            raise ExpiacError("State of another stack",
                              f"{path} is the state of {reading.header.stack}, not of {stack}",
                              f"mv {path} {path.with_stem(reading.header.stack)}")
        return cls(path, reading, now=now, disk=disk, compact_above=compact_above, migrations=migrations)

    @staticmethod
    def read(path: Path, *, migrations: Mapping[int, Migrate] = MIGRATIONS) -> Reading:
        """What the file says, without a lock; a missing one says that there is nothing."""
        return read(path, migrations) or _nothing(path.stem, "", "")

    def append(self, event: Event, *, durable: bool = True) -> Entry:
        """Writes the event; where it is durable, returns once it survives a loss of power.

        Raises `ExpiacError` where it could not be written, and from then on refuses: what is on disk is no more known.
        """
        with self._writing:
            self._assert_writable()
            number = self.number + 1
            line = codec.event_line(number, self._now(), event)
            entry = codec.entry_of(line)  # what is remembered is what was written
            with self._guarded():
                self._prepare()
            self._fold.add(entry)  # an event that cannot follow is refused before it is written
            with self._guarded():
                self._write(line)
                self.number = number
                self._compact_if_large()
        if durable:
            self._sync(number)
        return entry

    @property
    def state(self) -> State:
        """What the events add up to."""
        with self._writing:
            return self._fold.state

    def record(self, address: str) -> Record | None:
        """The present record of an address, without a copy of the whole state."""
        return self._fold.record(address)

    def compact(self) -> None:
        """Puts one checkpoint in the place of all events; numbers, serial and lineage go on."""
        with self._writing:
            self._assert_writable()
            if not self.number:
                return
            with self._guarded():
                self._prepare()
                self._checkpoint()

    def lock(self, *, purpose: str, wait_seconds: float) -> AbstractContextManager[object]:
        """The right to write, which whoever appends has to hold."""
        return Lock(self.path.with_suffix(".lock"), purpose=purpose, wait_seconds=wait_seconds)

    def reload(self) -> State:
        """Reads again what another process may have written while this one did not hold the lock."""
        with self._writing, self._syncing:
            if self._file is not None and self._file.is_current and not self._failure:
                return self._fold.state
            known = self.header
            reading = read(self.path, self._migrations) or _nothing(known.stack, known.program, known.lineage)
            if reading.header.lineage != known.lineage or reading.number < self.number:
                raise self._moved_on()
            self._close()
            self._take(reading)
            return self._fold.state

    def confirm(self) -> None:
        """Raises `Stale` where this process is not the writer any more: what it does now, nobody would know of."""
        with self._writing:
            if self._file is not None and not self._file.is_current:
                raise self._moved_on()

    def flush(self) -> None:
        """Lets others see what was appended; on this machine they do already."""

    def close(self) -> None:
        with self._writing, self._syncing:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _take(self, reading: Reading) -> None:
        self.header, self.notes = reading.header, reading.notes
        self.number, self._fold = reading.number, Fold(reading.state)
        self._reading, self._durable, self._base = reading, reading.number, reading.base
        self._failure, self._is_stale = self._unsynced, False

    def _prepare(self) -> None:
        """Sees that nobody else wrote, and opens the file, where there is one."""
        if self._file is not None:
            unchanged = self._file.is_current
        else:  # what is not open yet is compared by its size
            unchanged = (self.path.stat().st_size if self.path.exists() else 0) == self._reading.size
        if not unchanged:
            raise self._moved_on()
        if self._file is None and self._reading.size:
            self._reopen()

    def _write(self, line: bytes) -> None:
        if self._file is None:
            self._create(line)
        else:
            self._file.append(line)

    def _create(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = File.replacing(self.path, codec.header_line(self.header) + line, self._disk)
        self._disk.sync_folder(self.path.parent)
        self._disk.sync_folder(self.path.parent.parent)

    def _reopen(self) -> None:
        """A line that was cut short, or an older format, gives way here."""
        if self.header.format != FORMAT:
            self._checkpoint()
            return
        self._file = File.open(self.path, self._reading.length, self._disk)
        if not self._reading.ended:
            self._file.append(b"\n")

    def _compact_if_large(self) -> None:
        before = self._file
        assert before is not None
        if before.length <= max(self._compact_above, COMPACT_GROWTH * self._base):
            return
        try:
            self._checkpoint()
        except OSError as error:
            if self._file is not before or not before.is_current:  # it took place, though the system says no
                self._fail(error)
            self._base = before.length  # no room for a second file: the long one is as good, for now

    def _checkpoint(self) -> None:
        lines = codec.header_line(self.header) + codec.checkpoint_line(self.number, self._now(), self._fold.state)
        with self._syncing:
            file = File.replacing(self.path, lines, self._disk)
            self._close()
            self._file, self._base, self.header = file, file.length, replace(self.header, format=FORMAT)
            self._disk.sync_folder(self.path.parent)
            self._durable = self.number

    def _sync(self, number: int) -> None:
        """One sync serves every thread whose line was written before it began."""
        with self._syncing:
            if self._durable >= number:
                return
            if self._is_stale:
                raise self._moved_on()
            if self._unsynced:  # after a failed sync the kernel forgets; a second one would say that all is well
                raise self._not_written(self._unsynced)
            assert self._file is not None
            written = self.number
            try:
                self._file.sync()
            except OSError as error:
                self._unsynced = self._failure = _words(error)
                raise self._not_written(self._unsynced, error) from error
            except ExpiacError as error:  # of a shared state: it did not get there, or nobody knows
                self._unsynced = self._failure = error.detail
                self._is_stale = isinstance(error, Stale)
                raise
            self._durable = written

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """A write that does not come to its end, even by ^C, leaves a file that may not be what we think it is."""
        self._failure = "interrupted"
        try:
            yield
        except OSError as error:
            self._fail(error)
        except Stale as error:
            self._failure, self._is_stale = error.detail, True
            raise
        self._failure = ""

    def _fail(self, error: OSError) -> NoReturn:
        self._failure = _words(error)
        raise self._not_written(self._failure, error) from error

    def _assert_writable(self) -> None:
        if self._is_stale:
            raise self._moved_on()
        if self._failure:
            raise self._not_written(f"an earlier write failed: {self._failure}")

    def _moved_on(self) -> Stale:
        return Stale("State moved on", f"{self.path} was written by somebody else meanwhile", "run the command again")

    def _not_written(self, what: str, error: OSError | None = None) -> ExpiacError:
        full = error is not None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        mend = f"make room for {self.path.parent}" if full else f"see that {self.path.parent} can be written"
        return ExpiacError("State not written", f"{self.path}: {what}",
                           f"{mend}, then run the command again; what was recorded before is whole")

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None


def _nothing(stack: str, program: str, lineage: str) -> Reading:
    lineage = lineage or uuid4().hex
    return Reading(Header(lineage=lineage, stack=stack, program=program), State(stack, lineage))


def _words(error: OSError) -> str:
    return error.strerror or str(error)

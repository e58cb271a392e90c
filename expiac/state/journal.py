"""Keeps the events of one stack in a state log, and with them the State. Decides nothing, and takes no lock.

Reading never writes. A journal is written by one process at a time, the one that holds the log's lock; its threads may
append at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePath
from threading import Lock as Mutex
from types import TracebackType
from typing import Self
from uuid import uuid4

from expiac.state import codec
from expiac.state.codec import FORMAT, Header
from expiac.state.events import Entry, Event
from expiac.state.fold import Fold
from expiac.state.log import NotReplaced, NotWritten, StateLog
from expiac.state.model import Record, State
from expiac.state.replay import MIGRATIONS, Kept, Migrate, Reading, read
from expiac.util.errors import ExpiacError, Stale

COMPACT_ABOVE = 1 << 20
"""Bytes below which a journal is left as it is."""
COMPACT_GROWTH = 4
"""A journal is compacted when it is this many times its last checkpoint, so that the cost per append stays constant."""
MOST_PIECES = 16
"""Each is a request of whoever reads a state: of more, the last writer makes one."""


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Journal:
    """The events of one stack, open for reading and writing."""

    header: Header
    notes: tuple[str, ...]
    """What the user should hear about the log: a last line that was cut short."""
    number: int
    """The number of the last event; 0 where there is none."""
    _fold: Fold
    _durable: int
    """The number of the last event that survives a loss of power."""

    def __init__(self, log: StateLog, reading: Reading, *, now: Callable[[], str] = utc_now,
                 compact_above: int = COMPACT_ABOVE, migrations: Mapping[int, Migrate] = MIGRATIONS,
                 kept: Kept | None = None) -> None:
        self._log, self._now, self._compact_above, self._migrations = log, now, compact_above, migrations
        self._kept = kept
        self._writing, self._syncing = Mutex(), Mutex()  # taken in this order
        self._failure, self._unsynced = "", ""
        self._is_stale = False
        """That the failure was to find the work of another writer."""
        self._take(reading)

    @classmethod
    def open(cls, log: StateLog, *, stack: str, program: str = "", lineage: str = "",
             now: Callable[[], str] = utc_now, compact_above: int = COMPACT_ABOVE,
             migrations: Mapping[int, Migrate] = MIGRATIONS, kept: Kept | None = None) -> Self:
        """The journal of a stack; where its log holds nothing yet, an empty one of this lineage, or of a fresh one."""
        reading = read(log, migrations, kept) or _empty_reading(stack, program, lineage)
        if reading.header.stack != stack:
            raise ExpiacError("State of another stack",
                              f"{log.name} is the state of {reading.header.stack}, not of {stack}",
                              f"mv {log.name} {_name_for(log.name, reading.header.stack)}")
        return cls(log, reading, now=now, compact_above=compact_above, migrations=migrations, kept=kept)

    @staticmethod
    def read(log: StateLog, *, migrations: Mapping[int, Migrate] = MIGRATIONS, kept: Kept | None = None) -> Reading:
        """What the log says, without a lock; an empty one says that there is nothing."""
        return read(log, migrations, kept) or _empty_reading(log.stack, "", "")

    @property
    def name(self) -> str:
        """Where it is kept, for messages."""
        return self._log.name

    @property
    def has_present_format(self) -> bool:
        """Whether to write to it leaves it readable for the releases that can read it now."""
        return self.header.format == FORMAT

    @property
    def size(self) -> int:
        """Bytes of its log."""
        return self._log.size

    def append(self, event: Event, *, durable: bool = True) -> Entry:
        """Writes the event; where it is durable, returns once it survives a loss of power.

        Raises `ExpiacError` where it could not be written, and from then on refuses: what the log holds is no more
        known.
        """
        with self._writing:
            self._refuse_after_failure()
            number = self.number + 1
            line = codec.event_line(number, self._now(), event)
            entry = codec.entry_of(line)  # what is remembered is what was written
            with self._guard():
                self._prepare()
            self._fold.add(entry)  # an event that cannot follow is refused before it is written
            with self._guard():
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
            self._refuse_after_failure()
            if not self.number:
                return
            with self._guard():
                self._prepare()
                self._write_checkpoint()

    def lock(self, *, purpose: str, wait_seconds: float) -> AbstractContextManager[object]:
        """The right to write, which whoever appends has to hold."""
        return self._log.lock(purpose=purpose, wait_seconds=wait_seconds)

    def reload(self) -> State:
        """Reads again what another process may have written while this one did not hold the lock."""
        with self._writing, self._syncing:
            known, durable = self.header, self._durable
            self._failure = "it could not be read again"  # until it is
            reading = read(self._log, self._migrations, self._kept)
            if reading is None:
                reading = _empty_reading(known.stack, known.program, known.lineage)
            if reading.header.lineage != known.lineage or reading.number < self.number:
                self._failure, self._is_stale = "", True
                raise self._log.taken_over()
            is_same = reading.number == self.number
            self._take(reading)
            if is_same:
                self._durable = durable
            return self._fold.state

    def confirm(self) -> None:
        """Raises `Stale` where this process is not the writer any more: nobody would know of what it does now."""
        with self._syncing:
            if self._is_stale:
                raise self._log.taken_over(self._failure)
            try:
                self._log.confirm()
            except Stale as error:
                self._failure, self._is_stale = error.detail, True
                raise

    def flush(self) -> None:
        """Lets others see what was appended and not synced, such as an observation; many pieces become one.

        Raises `Stale` where somebody took the state over, and what we wrote may stand nowhere.
        """
        if self._failure or not self._log.is_buffered:
            return
        self.confirm()
        if self.number > self._durable:
            self._sync(self.number)
        if self._log.pieces > MOST_PIECES:
            self.compact()

    def close(self) -> None:
        with self._writing, self._syncing:
            self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _take(self, reading: Reading) -> None:
        self.header, self.notes = reading.header, reading.notes
        self.number, self._fold = reading.number, Fold(reading.state)
        self._reading, self._durable, self._base = reading, reading.number, reading.base
        self._is_mended = False
        """That the log ends with a whole line, and has our format."""
        self._failure, self._is_stale = self._unsynced, False

    def _prepare(self) -> None:
        """Sees that nobody else wrote, and mends what was read, where there is something to mend."""
        if not self._log.is_current:
            raise self._log.taken_over()
        if not self._is_mended and self._log.size:
            self._mend()
        self._is_mended = True

    def _mend(self) -> None:
        """A line that was cut short, or an older format, gives way here."""
        if self.header.format != FORMAT:
            self._write_checkpoint()
            return
        if self._reading.size > self._reading.length:
            self._log.cut(self._reading.length)
        if not self._reading.ended:
            self._log.append(b"\n")

    def _write(self, line: bytes) -> None:
        if self._log.size:
            self._log.append(line)
        else:
            self._log.replace(codec.header_line(self.header) + line)

    def _compact_if_large(self) -> None:
        if self._log.size <= max(self._compact_above, COMPACT_GROWTH * self._base):
            return
        try:
            self._write_checkpoint()
        except NotReplaced:
            self._base = self._log.size  # no room for a second one: the long log is as good, for now

    def _write_checkpoint(self) -> None:
        header = codec.header_line(self.header)
        lines = header + codec.checkpoint_line(self.number, self._now(), self._fold.state)
        with self._syncing:
            self._log.replace(lines)
            self._base, self._durable = len(lines), self.number
            self.header = replace(self.header, format=FORMAT)

    def _sync(self, number: int) -> None:
        """One sync serves every thread whose line was written before it began."""
        with self._syncing:
            if self._durable >= number:
                return
            if self._is_stale:
                raise self._log.taken_over(self._failure)
            if self._unsynced:
                # After a failed sync the kernel forgets; a second one would say that all is well.
                raise self._not_written(self._unsynced)
            written = self.number
            try:
                self._log.sync()
            except ExpiacError as error:
                self._unsynced = self._failure = _reason(error)
                self._is_stale = isinstance(error, Stale)
                raise
            self._durable = written

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """A write that does not come to its end, even by ^C, leaves a log that may not be what we think it is."""
        self._failure = "interrupted"
        try:
            yield
        except ExpiacError as error:
            self._failure, self._is_stale = _reason(error), self._is_stale or isinstance(error, Stale)
            raise
        self._failure = self._unsynced

    def _refuse_after_failure(self) -> None:
        if self._is_stale:
            raise self._log.taken_over(self._failure)
        if self._failure:
            raise self._not_written(f"an earlier write failed: {self._failure}")

    def _not_written(self, what: str) -> ExpiacError:
        folder = self._log.name.rpartition("/")[0]
        return NotWritten(self._log.name, what, f"see that {folder} can be written, then run the command again; "
                          "what was recorded before is whole")


def _empty_reading(stack: str, program: str, lineage: str) -> Reading:
    lineage = lineage or uuid4().hex
    return Reading(Header(lineage=lineage, stack=stack, program=program), State(stack, lineage))


def _name_for(name: str, stack: str) -> str:
    """The log's name, were it that of another stack."""
    folder, slash, own = name.rpartition("/")
    return f"{folder}{slash}{stack}{PurePath(own).suffix}"


def _reason(error: ExpiacError) -> str:
    return error.what if isinstance(error, NotWritten) else error.detail

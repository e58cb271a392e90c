"""A state log that is a file of this machine."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock as Mutex

from expiac.state.log import NotReplaced, NotWritten
from expiac.util.durable import Disk, File
from expiac.util.errors import ExpiacError, Stale
from expiac.util.lock import Lock

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileLog:
    """The file of one stack's state, named after the stack; see `StateLog`.

    It is made by the first write, so to look at a stack that does not exist leaves no trace.
    """

    is_buffered = False
    pieces = 1

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.path = path
        self._disk = disk or Disk()
        self._file: File | None = None
        self._size = 0
        """Of what was read, while the file is not open."""
        self._appending = Mutex()
        """Held while a line is half written, and the file looks as if somebody else wrote to it."""

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def stack(self) -> str:
        return self.path.stem

    @property
    def size(self) -> int:
        return self._file.length if self._file is not None else self._size

    @property
    def is_current(self) -> bool:
        with self._appending, self._translate_errors():
            return self._is_unchanged()

    def read(self) -> bytes | None:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            data = None
        except OSError as error:
            raise ExpiacError("State not readable", f"{self.path}: {error.strerror}",
                              f"ls -ld {self.path.parent} {self.path}") from error
        self.close()
        self._size = len(data or b"")
        return data

    def cut(self, length: int) -> None:
        self._refuse_foreign()
        with self._translate_errors():
            self.close()
            self._file = File.open(self.path, length, self._disk)

    def append(self, data: bytes) -> None:
        with self._appending, self._translate_errors():
            if not self._is_unchanged():
                raise self.taken_over()
            self._open_file().append(data)

    def sync(self) -> None:
        with self._translate_errors():
            with self._appending:
                file = self._open_file()
            file.sync()

    def replace(self, data: bytes) -> None:
        self._refuse_foreign()
        is_first, folder = not self.size, self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = File.replacing(self.path, data, self._disk)
        except OSError as error:
            if self.is_current:
                raise self._error(error, NotReplaced) from error
            raise self._error(error) from error  # it took place, though the system says no
        self.close()
        self._file = file
        with self._translate_errors():
            self._disk.sync_folder(folder)
            if is_first:
                self._disk.sync_folder(folder.parent)

    def remove(self) -> None:
        self._refuse_foreign()
        self.close()
        with self._translate_errors():
            self._disk.remove(self.path)
            self._size = 0
            self._disk.sync_folder(self.path.parent)

    def confirm(self) -> None:
        self._refuse_foreign()

    def taken_over(self, what: str = "") -> Stale:
        what = what or f"{self.path} was written by somebody else meanwhile"
        return Stale("State taken over", what, "run the command again: it finds what was launched")

    def lock(self, *, purpose: str, wait_seconds: float = 0.0) -> Lock:
        return Lock(self.path.with_suffix(".lock"), purpose=purpose, wait_seconds=wait_seconds)

    def close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._size, self._file = self._file.length, None

    def _is_unchanged(self) -> bool:
        """What is not open yet is compared by its size."""
        if self._file is not None:
            return self._file.is_current
        size = self.path.stat().st_size if self.path.exists() else 0
        return size == self._size

    def _open_file(self) -> File:
        if self._file is None:
            self._file = File.open(self.path, self._size, self._disk)
        return self._file

    def _refuse_foreign(self) -> None:
        if not self.is_current:
            raise self.taken_over()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError, kind: type[NotWritten] = NotWritten) -> NotWritten:
        folder = self.path.parent
        mend = f"make room for {folder}" if error.errno in _FULL else f"see that {folder} can be written"
        return kind(self.name, error.strerror or str(error),
                    f"{mend}, then run the command again; what was recorded before is whole")

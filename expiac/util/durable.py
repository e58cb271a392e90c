"""An append-only file of whole lines. Knows nothing of what they say.

What is appended stands in the file whole or not at all; what is replaced is the old file or the new one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class Disk:
    """The calls that a full or failing disk refuses; a subclass can refuse them at will."""

    def write(self, fd: int, data: bytes) -> int:
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        getattr(os, "fdatasync", os.fsync)(fd)

    def cut(self, fd: int, length: int) -> None:
        os.ftruncate(fd, length)

    def replace(self, source: Path, target: Path) -> None:
        os.replace(source, target)

    def remove(self, path: Path) -> None:
        path.unlink()

    def sync_folder(self, folder: Path) -> None:
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


class File:
    """An open state file, and how many of its bytes are known to be good. Raises `OSError` as it comes."""

    def __init__(self, path: Path, fd: int, length: int, disk: Disk) -> None:
        self.path, self.length = path, length
        self._fd, self._disk = fd, disk

    @classmethod
    def open(cls, path: Path, length: int, disk: Disk) -> File:
        """The file that is there, with what stands behind `length` cut off."""
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            if os.fstat(fd).st_size > length:
                disk.cut(fd, length)
        except BaseException:
            os.close(fd)
            raise
        return cls(path, fd, length, disk)

    @classmethod
    def replacing(cls, path: Path, data: bytes, disk: Disk) -> File:
        """A file with this content in the place of the one that is there, if any. It is never seen half-written."""
        new = path.with_name(path.name + ".new")
        fd = os.open(new, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o666)
        file = cls(path, fd, 0, disk)
        try:
            file.append(data)
            file.sync()
            disk.replace(new, path)
        except BaseException:
            os.close(fd)
            with suppress(OSError):
                new.unlink()
            raise
        return file

    def append(self, data: bytes) -> None:
        """All of it, in one write where the disk lets us; where it refuses, what was written is taken back."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._disk.write(self._fd, rest.tobytes()):]
        except BaseException:
            with suppress(OSError):
                self._disk.cut(self._fd, self.length)
            raise
        self.length += len(data)

    def sync(self) -> None:
        """Returns once everything appended survives a loss of power."""
        self._disk.sync(self._fd)

    @property
    def is_current(self) -> bool:
        """Nobody else wrote to the file or put another in its place."""
        ours = os.fstat(self._fd)
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino, there.st_size) == (ours.st_dev, ours.st_ino, self.length)

    def close(self) -> None:
        os.close(self._fd)

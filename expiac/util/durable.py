"""Files that are written as a whole, or appended to in whole pieces. Knows nothing of what stands in them.

What is appended stands in the file whole or not at all; what is replaced is the old file or the new one. Everything in
expiac that writes a file atomically does it here.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


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
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable, or what is in a file."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(path: Path) -> None:
    """Makes a file durable, or all that is in a folder."""
    for one in (path, *path.rglob("*")) if path.is_dir() else (path,):
        if not one.is_symlink() and (one.is_file() or one.is_dir()):
            sync_folder(one)


def write_private(path: Path, data: bytes) -> None:
    """Writes a file that only its owner may read, in a folder that may be missing. It can be seen half-written."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        fd = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, flags, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)


def replace_file(path: Path, data: bytes, *, durable: bool = True, mode: int = 0o666) -> None:
    """Puts a file with this content in the place of the one that is there, if any. It is never seen half-written.

    Where it is durable, a loss of power after the return does not undo it. Of several that do this at once, the last
    one counts.
    """
    new = _temporary(path)
    file = _write_new(new, data, Disk(), mode, durable=durable, final=path)
    try:
        os.replace(new, path)
    except BaseException:
        _remove(new)
        raise
    finally:
        file.close()
    if durable:
        sync_folder(path.parent)


def create_file(path: Path, data: bytes) -> None:
    """Creates a file, durably and never seen half-written; raises `FileExistsError` where there is one of that name."""
    new = _temporary(path)
    _write_new(new, data, Disk(), 0o666, durable=True, final=path).close()
    try:
        os.link(new, path)
        sync_folder(path.parent)
    finally:
        _remove(new)


def move_file(file: Path, target: Path) -> None:
    """Moves a file to the place of the one that is there, if any; not durable."""
    os.replace(file, target)


def name_file(file: Path, name: Path) -> None:
    """Gives a file a second name, durably, and its content before; raises `FileExistsError` where the name is taken."""
    fd = os.open(file, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    os.link(file, name)
    sync_folder(name.parent)


def replace_by_link(path: Path, file: Path, new: Path) -> None:
    """Puts a second name of `file` in the place of the file at `path`; it has the name `new` until then."""
    new.unlink(missing_ok=True)  # of a process that was killed here
    os.link(file, new)
    os.replace(new, path)


def replace_by_copy(path: Path, new: Path, mode: int) -> None:
    """Puts a copy of the file at `path` in its place, so that it has no other name; the copy is made as `new`."""
    new.unlink(missing_ok=True)
    shutil.copy2(path, new)
    os.chmod(new, mode)
    os.replace(new, path)


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
        """As `replace_file`, for a path with one writer at a time: the new file stays open, to be appended to.

        The caller syncs the folder.
        """
        # Always the same name: a process that is killed here leaves one file, which the next one writes over.
        new = path.with_name(path.name + ".new")
        file = _write_new(new, data, disk, 0o666, durable=True, final=path)
        try:
            disk.replace(new, path)
        except BaseException:
            file.close()
            _remove(new)
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


def _write_new(new: Path, data: bytes, disk: Disk, mode: int, *, durable: bool, final: Path) -> File:
    """The file that is to stand at `final`, written under the name `new`; nothing is left of it on an error."""
    fd = os.open(new, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, mode)
    file = File(final, fd, 0, disk)
    try:
        file.append(data)
        if durable:
            file.sync()
    except BaseException as error:
        file.close()
        _remove(new)
        if isinstance(error, OSError):
            error.filename = error.filename or str(final)  # a full disk does not say which file it was
        raise
    return file


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid4().hex}")


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()

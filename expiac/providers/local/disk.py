"""Files and folders that are there whole or not at all, and locks that die with their holder."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from expiac.util.errors import ExpiacError


def make_private(path: Path) -> None:
    """Makes a folder that nobody else can look into."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def read(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where there is no file."""
    try:
        with open(path, "rb") as file:
            found: dict[str, Any] = json.loads(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found


def write(path: Path, text: str, *, durable: bool = True) -> None:
    """Replaces a file as a whole; once this returns, a loss of power does not undo it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(descriptor)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        error.filename = error.filename or str(path)  # a full disk does not say which file it was
        raise
    if durable:
        sync(path.parent)


def sync(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(path: Path, wait: float, kind: int = fcntl.LOCK_EX) -> int | None:
    """An open descriptor that holds the file's lock, or None where that could not be had in `wait` seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
        time.sleep(0.005)


@contextmanager
def locked(path: Path, wait: float) -> Iterator[None]:
    """Holds the file's lock; raises TimeoutError where it could not be had in `wait` seconds."""
    descriptor = lock(path, wait)
    if descriptor is None:
        raise TimeoutError(f"{path} is held by another process")
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Says which path a failing disk or a missing permission is about."""
    try:
        yield
    except OSError as error:
        path = error.filename2 or error.filename or "a file"
        raise ExpiacError("The disk refuses", f"{path}: {error.strerror or error}") from error

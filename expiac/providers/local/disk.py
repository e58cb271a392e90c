"""Files and folders that are there whole or not at all, and locks that die with their holder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError
from expiac.util.lock import take_lock


def make_private(path: Path) -> None:
    """Makes a folder that nobody else can look into."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)


def read(path: Path) -> dict[str, Any] | None:
    """A JSON object; None where there is no file, or an empty one, which a loss of power may leave."""
    try:
        with open(path, "rb") as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    found: dict[str, Any] | None = json.loads(text) if text else None
    return found


def write(path: Path, text: str, *, durable: bool = True) -> None:
    """Replaces a file, which only its owner may read, as a whole."""
    replace_file(path, text.encode(), durable=durable, mode=0o600)


def refuse_long_path(path: Path) -> None:
    """Raises where the file system takes no file in this place, because a name or the whole path is too long."""
    there = next(folder for folder in path.parents if os.path.isdir(folder))  # is_dir() raises for a long path
    longest = {"PC_NAME_MAX": max(len(os.fsencode(part)) for part in path.parts),
               "PC_PATH_MAX": len(os.fsencode(path)) + 1}  # with the byte that ends it
    for limit, length in longest.items():
        most = os.pathconf(there, limit)
        if 0 < most < length:
            what = "a name of" if limit == "PC_NAME_MAX" else "a path of"
            raise ExpiacError("Name too long", f"{path}: {what} {length} bytes, and the file system takes {most}",
                              "shorter names of the stack and the job, or a project in a folder higher up")


@contextmanager
def locked(path: Path, wait: float) -> Iterator[None]:
    """Holds the file's lock; raises TimeoutError where it could not be had in `wait` seconds."""
    descriptor = take_lock(path, wait)
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

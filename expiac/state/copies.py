"""Keeps a copy of a state beside the others, before something else takes its place."""

from __future__ import annotations

from pathlib import Path

from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError


def keep_copy(data: bytes, path: Path) -> Path:
    """Writes the copy, and returns its path."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
    except OSError as error:
        raise ExpiacError("State not written", f"{path}: {error.strerror}",
                          f"see that {path.parent} can be written, then run the command again") from error
    return path

"""Short names of key paths, for the heads of tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """The end of each key path that tells it from the others: `learning_rate`, `actor.lr`."""
    return {path: _short(path, paths) for path in paths}


def _short(path: str, paths: Sequence[str]) -> str:
    parts = path.split(".")
    for length in range(1, len(parts)):
        end = ".".join(parts[-length:])
        if not any(other != path and f".{other}".endswith(f".{end}") for other in paths):
            return end
    return path

"""Completes stack names. Runs at every press of Tab, so it lists files and imports nothing slow."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path


def stacks(incomplete: str) -> list[str]:
    """The stems that begin with `incomplete`, of the stack files of the working folder's project."""
    return [name for name in _names(Path.cwd()) if name.startswith(incomplete)]


def _names(start: Path) -> Iterator[str]:
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and (settings := _settings(file)) is not None:
            files = sorted((folder / str(settings.get("stacks", "stacks"))).glob("[!_.]*.py"))
            yield from (file.stem for file in files if file.name != "policies.py")
            return


def _settings(file: Path) -> dict[str, object] | None:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        settings: dict[str, object] | None = document.get("tool", {}).get("expiac")
    except (OSError, ValueError):
        return None  # the command will report what is wrong; a completion cannot
    return settings

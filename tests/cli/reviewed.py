"""The snapshots of a project in a test, and edits of its files."""

from __future__ import annotations

from pathlib import Path


def files(project: Path) -> dict[str, bytes]:
    folder = project / "snapshots"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(project: Path, old: str, new: str, file: str = "stacks/lab.py") -> None:
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")

"""Prints rendered files, or exports them into a folder, from which it removes those that are no longer rendered.

The manifest in the folder names the files that expiac wrote there. expiac removes no other file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from expiac.util.errors import ExpiacError

if TYPE_CHECKING:
    from expiac.review.changes import Rendered
    from expiac.review.manifest import Manifest


def print_rendered(rendered: Rendered) -> None:
    """Prints each file under its job's name."""
    for address, files in rendered.items():
        for name, text in files.items():
            print(f"# --- {address}: {name}\n{text.rstrip()}\n")


def write_rendered(rendered: Rendered, folder: Path, manifest: Manifest) -> None:
    """Writes each file to `<folder>/<address>.<name>`, and the manifest; removes files of removed jobs; prints them."""
    from expiac.review.manifest import MANIFEST, text_of

    texts = {f"{address}.{name}": text for address, files in rendered.items() for name, text in files.items()}
    before = _names_before(folder, manifest.stack)
    for name, text in texts.items():
        _write(folder / name, text.encode())
        print(folder / name)
    for name in sorted(before - texts.keys()):
        _remove(folder, name)
    _write(folder / MANIFEST, text_of(manifest))
    print(folder / MANIFEST)


def _names_before(folder: Path, stack: str) -> set[str]:
    """The files of the last export into this folder. Raises `ExpiacError` where that was another stack's."""
    from expiac.review.manifest import MANIFEST, read_manifest

    if not (folder / MANIFEST).exists():
        return set()
    earlier = read_manifest(folder / MANIFEST)
    if earlier.stack != stack:
        raise ExpiacError("Folder of another stack", f"{folder} has the files of {earlier.stack}",
                          "a folder for each stack")
    return set(earlier.files)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ExpiacError("Cannot write", f"{path}: {error.strerror}") from error


def _remove(folder: Path, name: str) -> None:
    path = folder / name
    if not path.parent.resolve().is_relative_to(folder.resolve()) or not (path.is_file() or path.is_symlink()):
        return  # behind a link that leads elsewhere, or gone already
    try:
        path.unlink()
    except OSError as error:
        raise ExpiacError("Cannot remove", f"{path}: {error.strerror}") from error
    print(f"{path}   removed: no longer rendered")

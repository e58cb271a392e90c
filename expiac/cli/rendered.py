"""Prints rendered files, or writes them into a folder, from which it removes those that are no longer rendered.

A list in the folder names the files that expiac wrote there, by stack. expiac removes no other file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from expiac.util.errors import ExpiacError

LIST = ".rendered.json"
"""In each folder: the names of the files that expiac wrote there, by stack."""
Rendered = Mapping[str, Mapping[str, str]]
"""Texts by address and file name."""
_Names = dict[str, list[str]]


def print_rendered(rendered: Rendered) -> None:
    """Prints each file under its job's name."""
    for address, files in rendered.items():
        for name, text in files.items():
            print(f"# --- {address}: {name}\n{text.rstrip()}\n")


def write_rendered(rendered: Rendered, folder: Path, stack: str) -> None:
    """Writes each file to `<folder>/<address>.<name>`, removes those of removed jobs, and prints what it did."""
    texts = {f"{address}.{name}": text for address, files in rendered.items() for name, text in files.items()}
    names = _read_list(folder)
    for name, text in texts.items():
        _write(folder / name, text)
        print(folder / name)
    others = {name for other, listed in names.items() if other != stack for name in listed}
    for name in sorted({*names.get(stack, ())} - texts.keys() - others):
        _remove(folder, name)
    _write(folder / LIST, _list_text({**names, stack: sorted(texts)}))


def _read_list(folder: Path) -> _Names:
    file = folder / LIST
    try:
        return TypeAdapter(_Names).validate_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        raise ExpiacError("Unreadable list", f"{file}: {error}",
                          f"remove {LIST}, and files of removed jobs by hand") from error


def _list_text(names: Mapping[str, Collection[str]]) -> str:
    return to_json({stack: names[stack] for stack in sorted(names) if names[stack]}, indent=2).decode() + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        raise ExpiacError("Cannot write", f"{path}: {error.strerror}") from error


def _remove(folder: Path, name: str) -> None:
    path = folder / name
    if Path(name).name != name or not (path.is_file() or path.is_symlink()):
        return  # not a name that expiac writes, or gone already
    try:
        path.unlink()
    except OSError as error:
        raise ExpiacError("Cannot remove", f"{path}: {error.strerror}") from error
    print(f"{path}   removed: no longer rendered")

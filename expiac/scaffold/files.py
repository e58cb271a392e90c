"""The files of a new project as texts, by their path in it. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from expiac.compile.templates import shipped_templates
from expiac.util.version import VERSION

PYPROJECT = "pyproject.toml"
LOCAL_SETTINGS = "local.mk"
"""What is of this machine alone: git ignores it, the Makefile reads it."""
_TEMPLATES = ("experiment.yaml.j2", "task.yaml.j2")
_RENDERED = ".j2"
_DOT = "dot_"


def project_files(name: str, *, bare: bool, source: str = "") -> Mapping[str, str]:
    """Each file of a project of that name; a bare one has no trainer and no example.

    `source` is what pip installs this expiac from, if that is no package index.
    """
    found = {**_read("base"), **_read("bare" if bare else "example")}
    texts = dict(_render(path, text, {"name": name, "version": VERSION, "bare": bare}) for path, text in found.items())
    texts |= {f"templates/{template}": shipped_templates()[template] for template in _TEMPLATES}
    if source:
        texts[LOCAL_SETTINGS] = f"# Of this machine alone: `make` installs expiac from there.\nEXPIAC ?= {source}\n"
    return dict(sorted(texts.items()))


def _read(folder: str) -> dict[str, str]:
    return dict(_walk(files("expiac.scaffold") / folder, PurePosixPath()))


def _walk(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        name = entry.name
        if name == "__pycache__":  # pip compiles every Python file that it installs
            continue
        inner = path / (f".{name.removeprefix(_DOT)}" if name.startswith(_DOT) else name)
        if entry.is_dir():
            yield from _walk(entry, inner)
        else:
            yield str(inner), entry.read_text("utf-8")


def _render(path: str, text: str, values: Mapping[str, object]) -> tuple[str, str]:
    """The path and the text of a file, rendered if it is a template."""
    import jinja2

    if not path.endswith(_RENDERED):
        return path, text
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    return path.removesuffix(_RENDERED), environment.from_string(text).render(values)

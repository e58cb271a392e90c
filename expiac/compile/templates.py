"""The templates of a project: its own, and for each that it lacks the one that expiac ships."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from expiac.declare.project import Project
from expiac.util.errors import ExpiacError

if TYPE_CHECKING:
    from expiac.util.render import Templates


def shipped_templates() -> Mapping[str, str]:
    """The text of each template that expiac ships, by file name."""
    folder = files("expiac.compile") / "templates"
    found = (entry for entry in folder.iterdir() if entry.name.endswith(".j2"))
    return {entry.name: entry.read_text("utf-8") for entry in sorted(found, key=lambda entry: entry.name)}


def templates(project: Project) -> Templates:
    """The templates that render a project's jobs. Raises `ExpiacError` where one of its own can't be read."""
    from expiac.util.render import Templates

    return Templates(template_texts(project))


def template_texts(project: Project) -> dict[str, str]:
    """The text of each template by its name. Raises `ExpiacError` where one of the project's own can't be read."""
    folder = project.root / project.templates
    own = sorted(folder.rglob("*.j2")) if folder.is_dir() else []
    try:
        texts = {file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in own}
    except (OSError, UnicodeDecodeError) as error:
        raise ExpiacError("Unreadable template", f"{folder}: {error}") from error
    return {**shipped_templates(), **texts}


def eject_templates(project: Project) -> Mapping[Path, bool]:
    """Writes the shipped templates into the project, to be changed there; leaves alone those that it has.

    Returns each file, and whether it was written.
    """
    written: dict[Path, bool] = {}
    for name, text in shipped_templates().items():
        path = project.root / project.templates / name
        if path.exists():
            written[path] = False
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise ExpiacError("Cannot write", f"{path}: {error.strerror}") from error
        written[path] = True
    return written

"""What `expiac new` prints."""

from __future__ import annotations

import shlex
from pathlib import Path

from expiac.scaffold import NewProject


def print_new_project(project: NewProject, *, bare: bool) -> None:
    """Prints what was written, and what to do next."""
    print(f"{project.name}: {len(project.files)} files\n")
    if project.folder != Path():
        print(f"  cd {shlex.quote(str(project.folder))}")
    print("  make setup" if bare else "  make quickstart")
    print("  make test")

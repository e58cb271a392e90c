"""Says in a plan how much code goes along, where that is much: every launch copies or uploads it. Reads no file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from expiac.declare.job import SkypilotJobConfig
from expiac.declare.project import Project
from expiac.plan.model import Desired, Plan
from expiac.providers.base import TASK_FILE
from expiac.providers.registry import LOCAL, SKYPILOT
from expiac.util.code_files import code_files
from expiac.util.sizes import size_text

MUCH = 50_000_000
"""Bytes."""
_SHOWN = 3
"""How many of the largest files are named, those of less than a tenth of all excepted."""
_OWN_RULES = ".skyignore"
"""The file by which SkyPilot alone decides what goes along, in place of git's rules."""


def warn_of_size(plan: Plan, project: Project) -> Plan:
    """The plan with a warning for each working directory of a launch that has much in it."""
    launched = [step.desired for step in plan.steps
                if step.action.launches and not step.adopts and step.desired is not None]
    folders = dict.fromkeys(name for want in launched if (name := _workdir(want, project.root)) is not None)
    warnings = [warning for name in folders if (warning := _warning(name, project))]
    return replace(plan, warnings=(*plan.warnings, *warnings)) if warnings else plan


def _workdir(want: Desired, root: Path) -> str | None:
    """The folder that goes along with a job, as it was declared; None where expiac can't say what is in it."""
    if want.provider not in (LOCAL, SKYPILOT) or TASK_FILE not in want.texts:
        return None
    declared: str | None = want.inputs.get("workdir", SkypilotJobConfig().workdir)
    if declared is None or "://" in declared:
        return None
    has_own_rules = want.provider == SKYPILOT and (_folder(declared, root) / _OWN_RULES).exists()
    return None if has_own_rules else declared


def _folder(workdir: str, root: Path) -> Path:
    return (root / Path(workdir).expanduser()).resolve()


def _warning(workdir: str, project: Project) -> str:
    folder, state = _folder(workdir, project.root), f"{project.state_folder.resolve()}{os.sep}"
    sizes = _sizes(path for name in code_files(folder) if not (path := os.path.join(folder, name)).startswith(state))
    total = sum(sizes.values())
    if total < MUCH:
        return ""
    largest = sorted(sizes, key=lambda path: sizes[path], reverse=True)[:_SHOWN]
    named = ", ".join(f"{os.path.relpath(path, project.root.resolve())} {size_text(sizes[path])}"
                      for path in largest if sizes[path] * 10 >= total)
    what = "the working tree" if folder == project.root.resolve() else f"the folder {workdir}"
    return (f"{what} that goes along is {size_text(total)}{f'; largest: {named}' if named else ''}; "
            ".gitignore keeps out what git does not track")


def _sizes(paths: Iterable[str]) -> dict[str, int]:
    """The size of each file that is there, by its path."""
    sizes: dict[str, int] = {}
    for path in paths:
        with suppress(OSError):
            found = os.lstat(path)
            if stat.S_ISREG(found.st_mode):
                sizes[path] = found.st_size
    return sizes

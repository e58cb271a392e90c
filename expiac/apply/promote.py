"""Makes the overrides of a run the defaults of its stack's file: a patch, which is checked before anybody sees it."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from expiac.declare import overrides as words
from expiac.declare import program
from expiac.declare.override_words import words_of
from expiac.declare.project import Project
from expiac.declare.source_edit import NotEditable, with_defaults
from expiac.plan.history import PastRun, names_of
from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError, Stale

_TIMEOUT = 120.0
"""Seconds for the patched file to declare its stack."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A patch of a stack file."""

    file: Path
    before: bytes
    after: bytes

    @property
    def is_empty(self) -> bool:
        return self.before == self.after

    def patch(self, name: str) -> str:
        """The unified diff."""
        one, other = (text.decode().splitlines(keepends=True) for text in (self.before, self.after))
        return "".join(difflib.unified_diff(one, other, f"a/{name}", f"b/{name}"))

    def write(self) -> None:
        """Puts the patched file in place, if it differs; raises `Stale` where the file is not what it was."""
        if self.is_empty:
            return
        if self.file.read_bytes() != self.before:
            raise Stale("Stale plan", f"{self.file} was changed meanwhile", "expiac promote RUN")
        replace_file(self.file, self.after, mode=self.file.stat().st_mode & 0o777)


def promotion_of(past: PastRun, project: Project) -> Promotion:
    """The patch that makes the overrides of a run the defaults; raises `ExpiacError` where you have to make it."""
    instance = past.record.run.instance
    approved = past.approval.approved if past.approval is not None else None
    if approved is None or not approved.program or not (project.root / approved.program).is_file():
        raise ExpiacError("Code not known", f"{instance}: the stack file that declared it is not here")
    loaded = program.load(project, str(project.root / approved.program), words_of(approved.overrides))
    before = loaded.path.read_bytes()
    if not approved.overrides:
        return Promotion(loaded.path, before, before)
    try:
        after = with_defaults(before, type(loaded.config).__name__, _values(loaded.config, approved.overrides))
    except NotEditable as error:
        raise _by_hand(approved.program, approved.overrides, str(error)) from None
    if differences := _check(after, loaded.path, past, project):
        raise _by_hand(approved.program, approved.overrides,
                       "with these defaults it would not declare the run:\n" + "\n".join(differences[:5]))
    return Promotion(loaded.path, before, after)


def _values(config: Any, overrides: Mapping[str, str]) -> Mapping[str, Any]:
    """The value of each field that was set, by its path from the config."""
    found: dict[str, Any] = {}
    for key in overrides:
        if key[0] in "+~":
            raise NotEditable(f"{key} adds or removes a key")
        path, value = words.full_path(config, key), config
        for name in path.split("."):
            if isinstance(value, Mapping | list):
                raise NotEditable(f"{path} is within a mapping or a list")
            value = getattr(value, name)
        found[path] = value
    return found


def _check(text: bytes, file: Path, past: PastRun, project: Project) -> list[str]:
    """How the patched file differs from the run; the file is put beside the present one for so long."""
    patched = file.with_name(f".{file.stem}_{uuid4().hex}.py")
    asked = {"root": str(project.root), "file": str(patched), "addresses": names_of(past),
             "inputs": dict(past.record.inputs), "stack": past.stack}
    try:
        patched.write_bytes(text)
        done = subprocess.run([sys.executable, "-m", "expiac.apply.promotion_check"], input=json.dumps(asked),
                              capture_output=True, encoding="utf-8", timeout=_TIMEOUT, check=True,
                              cwd=project.root)
        return list(json.loads(done.stdout))
    except subprocess.CalledProcessError as error:
        return [error.stderr.strip().splitlines()[-1] if error.stderr.strip() else "it can't be loaded"]
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        return [str(error)]
    finally:
        patched.unlink(missing_ok=True)


def _by_hand(file: str, overrides: Mapping[str, str], why: str) -> ExpiacError:
    return ExpiacError("Not to be patched", f"{file}: {why}", f"set by hand: {' '.join(words_of(overrides))}")

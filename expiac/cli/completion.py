"""Completes stacks, jobs, runs, actions and override keys. Runs at every press of Tab.

Lists and reads files, imports nothing slow, runs no code of the project and asks nobody else: states in a shared store
are not read. What goes wrong is not said: a completion offers nothing, and the command will report it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ACTIONS = ("create", "update", "replace", "relaunch", "stop", "restore", "forget")
"""What `--only` takes; a test holds it equal to the actions of a plan."""
_MOST_BYTES = 8_000_000
"""Of a state file, its end: a press of Tab does not wait for more."""
_ADDRESS = re.compile(r'"address":"([A-Za-z][\w/-]*)"', re.ASCII)
_INSTANCE = re.compile(r'"instance":"([\w-]+(?:\.[\w-]+)+\.[0-9a-f]{8})"', re.ASCII)


def _quiet(complete: Callable[..., Iterable[T]]) -> Callable[..., list[T]]:
    """The completion, without its errors."""

    @wraps(complete)
    def completed(*arguments: Any, **named: Any) -> list[T]:
        try:
            return list(complete(*arguments, **named))
        except Exception:
            return []

    return completed


def stacks(incomplete: str) -> list[str]:
    """The stems that begin with `incomplete`, of the stack files of the working folder's project."""
    return [file.stem for file in _stack_files() if file.stem.startswith(incomplete)]


@_quiet
def stacks_or_overrides(incomplete: str) -> Iterable[str]:
    """For the first word of a command: a stack or, where there is only one, an override."""
    found = stacks(incomplete)
    files = _stack_files()
    is_override = incomplete and not found and len(files) == 1
    return _keys(files[0], incomplete) if is_override else found


def overrides(ctx: Any, incomplete: str) -> list[str]:
    """The keys of the config of the stack that the command line names."""
    return _overrides((getattr(ctx, "params", None) or {}).get("stack"), incomplete)


@_quiet
def _overrides(stack: str | None, incomplete: str) -> Iterable[str]:
    named = _stack_files()
    if stack and "=" not in stack:
        named = [file for file in named if file.stem == stack] or [Path(stack)]
    return _keys(named[0], incomplete) if len(named) == 1 else []


def jobs(ctx: Any, incomplete: str) -> list[str]:
    """The jobs that the state of the command line's stack knows; without a stack, those of all.

    A component stands for what is in it, until its name is there.
    """
    found = _recorded(_ADDRESS, (getattr(ctx, "params", None) or {}).get("stack"), incomplete)
    return sorted({_to_next_slash(name, len(incomplete)) for name in found} | {
        name[:len(incomplete)] for name in found if name[len(incomplete):].startswith("/")})


def _to_next_slash(name: str, typed: int) -> str:
    """The name, or the component in it of which only a part, or nothing, was typed."""
    end = name.find("/", typed + 1)
    return name if end < 0 else name[:end]


def runs(incomplete: str) -> list[str]:
    """The runs that the project's states know, by their names."""
    return _recorded(_INSTANCE, None, incomplete)


@_quiet
def actions(incomplete: str) -> Iterable[str]:
    """The actions of `--only`, after those that are there already."""
    *before, last = incomplete.split(",")
    return [",".join([*before, action]) for action in ACTIONS if action.startswith(last) and action not in before]


@_quiet
def _recorded(pattern: re.Pattern[str], stack: str | None, incomplete: str) -> Iterable[str]:
    root, settings = _project(Path.cwd())
    folder = root / str(settings.get("state", ".expiac"))
    files = sorted(folder.glob("*.jsonl"))
    of_stack = [file for file in files if file.stem == Path(stack).stem] if stack else []
    names = {name for file in of_stack or files for name in pattern.findall(_end_of(file))}
    return sorted(name for name in names if name.startswith(incomplete))


def _end_of(file: Path) -> str:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _MOST_BYTES))
        return opened.read().decode(errors="replace")


def _keys(file: Path, incomplete: str) -> Iterator[str]:
    from expiac.cli import config_keys

    root, _ = _project(Path.cwd())
    return config_keys.complete(file, root, incomplete)


@_quiet
def _stack_files() -> Iterable[Path]:
    root, settings = _project(Path.cwd())
    files = sorted((root / str(settings.get("stacks", "stacks"))).glob("[!_.]*.py"))
    return [file for file in files if file.name != "policies.py"]


def _project(start: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of the project that a folder lies in, and what its file says of expiac."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and (settings := _settings(file)) is not None:
            return folder, settings
    raise LookupError(f"no project at {start}")


def _settings(file: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        settings: dict[str, Any] | None = document.get("tool", {}).get("expiac")
    except (OSError, ValueError):
        return None
    return settings

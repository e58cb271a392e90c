"""Checkpoint files: each replaces the one before in one step, and the one before is kept beside it.

A checkpoint is a dict of tensors and plain values, so that reading one runs no code. Knows nothing of what is in it,
except for the policy, which another run may start from.
"""

import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import ParseResult, unquote, urlparse

import torch

from trainer import tracking
from trainer.addresses import FORMS
from trainer.errors import TrainerError

LATEST, PREVIOUS = "latest.pt", "previous.pt"
FORMAT = 1
ADDRESSES = "EXPIAC_ADDRESSES"


def save(folder: Path, state: dict[str, Any], *, beside: str | None = None) -> Path:
    """Write `state` as the latest checkpoint. Whenever the process dies, a complete checkpoint is there.

    It is also given the name `beside`, and first: a run that resumes from it will not come to this step again.
    """
    latest = folder / LATEST
    fresh = _write_fresh(latest, state)
    if beside is not None:
        _link(fresh, folder / beside)
    if latest.exists():
        _link(latest, folder / PREVIOUS)  # a second name, so that `latest` is never missing
    os.replace(fresh, latest)
    _sync(folder)
    return latest


def write(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to a file. Whenever the process dies, the file is whole: the new one, or the one before."""
    os.replace(_write_fresh(path, state), path)
    _sync(path.parent)


def load(folder: Path) -> dict[str, Any] | None:
    """The latest checkpoint that can be read; None if there is none. Prints a warning if it is the one before."""
    existing = [path for path in (folder / LATEST, folder / PREVIOUS) if path.exists()]
    for path in existing:
        try:
            return read(path)
        except TrainerError as error:
            print(f"warning: {error}", flush=True)
    if existing:
        raise TrainerError(f"no checkpoint in {folder} can be read; move the folder away to start again")
    return None


def read(path: Path) -> dict[str, Any]:
    """The checkpoint in a file."""
    try:
        with zipfile.ZipFile(path) as archive:
            if wrong := archive.testzip():  # torch writes checksums but does not read them
                raise ValueError(f"{wrong} has changed")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainerError(f"there is no checkpoint at {path}") from None
    except (zipfile.BadZipFile, RuntimeError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise TrainerError(f"checkpoint {path} is damaged: {str(error).partition(chr(10))[0]}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainerError(f"checkpoint {path} has format {state.get('format')!r}; this trainer reads {FORMAT}")
    return state


def checkpoint_at(uri: str) -> dict[str, Any]:
    """The checkpoint at a path, which is a file or a folder with `latest.pt`, or at an address.

    expiac tells in `EXPIAC_ADDRESSES`, a JSON mapping, where what `expiac://` names is. Raises `TrainerError`.
    """
    path = _path_of(uri)
    return read(path / LATEST if path.is_dir() else path)


def _write_fresh(path: Path, state: dict[str, Any]) -> Path:
    """Write `state` to a temporary file beside `path`, and have it on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with fresh.open("wb") as file:
        torch.save({"format": FORMAT, **state}, file)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _link(path: Path, name: Path) -> None:
    """Give the file a second name, in place of the file that has it now."""
    second = name.with_name(f"{name.name}.tmp")
    second.unlink(missing_ok=True)
    os.link(path, second)
    os.replace(second, name)


def _path_of(uri: str) -> Path:
    match urlparse(uri):
        case ParseResult(scheme=""):
            return Path(uri)
        case ParseResult(scheme="file", path=path):
            return Path(unquote(path))
        case ParseResult(scheme="wandb"):
            return tracking.download(uri)
        case ParseResult(scheme="expiac"):
            known = json.loads(os.environ.get(ADDRESSES, "{}"))
            if uri not in known:
                raise TrainerError(f"{ADDRESSES} has no {uri}; give a path")
            return Path(known[uri])
        case _:
            raise TrainerError(f"cannot read a policy from {uri!r}; give {', '.join(FORMS.values())}")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

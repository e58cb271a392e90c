"""Brings an output of a run to a place here: whole, or not at all. Knows no backend."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from expiac.apply.refresh import id_of
from expiac.providers.base import Fetches
from expiac.state.model import Record
from expiac.util.copying import remove
from expiac.util.errors import ExpiacError, did_you_mean


def fetch(record: Record, lineage: str, provider: object, name: str, place: Path | None, *,
          force: bool, timeout: float) -> Path:
    """Copies the output of a run to `place`, or into it if that is a folder; gives the path of the copy.

    Without a place it is the working directory. Raises where something is there already, unless forced.
    """
    if not isinstance(provider, Fetches):
        raise ExpiacError("Nothing to fetch", f"{record.provider} cannot bring what {record.address} left behind here")
    source = _path(record, name)
    target = _target(source, place)
    if os.path.lexists(target) and not force:
        raise ExpiacError("Already there", str(target), "--force replaces it, or name another place")
    if not (folder := target.absolute().parent).is_dir():
        raise ExpiacError("Not fetched", f"there is no folder {folder}", f"mkdir -p {folder}")
    with _staging(target) as staging:
        provider.fetch(id_of(record, lineage), source, staging, timeout=timeout)
        _move(staging, target, force=force)
    return target


def _path(record: Record, name: str) -> str:
    if name not in record.outputs:
        raise ExpiacError("No such output", f"{record.address} ({record.status.value}) has none called {name}",
                          did_you_mean(name, record.outputs))
    value = record.outputs[name]
    if not isinstance(value, str):
        raise ExpiacError("Nothing to fetch", f"{name} of {record.address} is {value!r}, and no file or folder",
                          "expiac output shows the outputs")
    return value


def _target(source: str, place: Path | None) -> Path:
    """Named after the output's file, where the place is a folder."""
    name = source.rstrip("/").rpartition("/")[2]
    if place is None:
        return Path(name)
    return place / name if place.is_dir() else place


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A name beside the target that is nothing yet, and is gone at the end; errors of the disk in our words."""
    staging = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    try:
        yield staging
    except OSError as error:
        raise ExpiacError("Not fetched", f"{error.filename or target}: {error.strerror or error}",
                          f"see that {target.absolute().parent} is there, has room and can be written") from error
    finally:
        with suppress(OSError):
            remove(staging)


def _move(staging: Path, target: Path, *, force: bool) -> None:
    """Gives the copy its final name. What stood there goes away after that, and comes back if the move fails."""
    if not os.path.lexists(target):
        os.rename(staging, target)
        return
    if not force:  # it came meanwhile
        raise ExpiacError("Already there", str(target), "--force replaces it, or name another place")
    aside = staging.with_suffix(".before")
    os.rename(target, aside)
    try:
        os.rename(staging, target)
    except BaseException:
        os.rename(aside, target)
        raise
    remove(aside)

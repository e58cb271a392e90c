"""Finds the replays that runs have left on this machine, and reads as many as a page has room for.

By convention they are in the folder that the output `replays` names, or in `replays` beside the metrics file: files
`*.json.z`, as mettagrid writes them (zlib, JSON), the last one by name being the newest.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from expiac.providers.outputs import METRICS
from expiac.report.episode import BadReplay, episode_of
from expiac.report.model import Replay
from expiac.state.model import Record

OUTPUT = "replays"
"""The output of a run that names its folder of replays."""
PATTERN = "*.json.z"
ROOM = 1_500_000
"""Characters of episodes that a page has at most."""
LARGEST_FILE = 5_000_000
LARGEST_JSON = 50_000_000


def replays_of(records: Sequence[Record], room: int = ROOM) -> tuple[tuple[Replay, ...], tuple[str, ...]]:
    """The newest replay of each run, then earlier ones, while there is room; and what is left out."""
    found: list[Replay] = []
    notes: list[str] = []
    left = 0
    for record, file in _in_order({record.run.instance: (record, _files(record)) for record in records}):
        if room <= 0:
            left += 1
            continue
        title = f"{record.address}, {file.name.removesuffix(PATTERN[1:])}"
        try:
            episode = episode_of(_read(file))
        except BadReplay as error:
            notes.append(f"{title} is left out: {error}")
            continue
        size = len(json.dumps(episode))
        room -= size
        if room < 0:
            room, left = 0, left + 1
        else:
            found.append(Replay(title, episode))
    if left:
        notes.append(f"{left} more replays are left out, since a page has room for {ROOM / 1e6:g} MB of them")
    return tuple(found), tuple(notes)


def folder_of(record: Record) -> Path | None:
    """Where the replays of a run are; None where that is not known, or not on this machine."""
    named, metrics = (_local(record.outputs.get(name)) for name in (OUTPUT, METRICS))
    return named or (metrics.parent / OUTPUT if metrics else None)


def _local(path: Any) -> Path | None:
    return Path(path) if isinstance(path, str) and path and "://" not in path else None


def newest_of(record: Record) -> str:
    """Which replays a run has: their number and the name of the newest one."""
    files = _files(record)
    return f"{len(files)} {files[0].name}" if files else ""


def _files(record: Record) -> list[Path]:
    folder = folder_of(record)
    try:
        files = [file for file in folder.glob(PATTERN) if file.is_file()] if folder is not None else []
    except OSError:
        return []
    return sorted(files, key=lambda file: _natural(file.name), reverse=True)


def _natural(name: str) -> list[tuple[int, str]]:
    """`step_9` before `step_10`."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _in_order(files: Mapping[str, tuple[Record, list[Path]]]) -> Iterator[tuple[Record, Path]]:
    for age in range(max((len(known) for _, known in files.values()), default=0)):
        for record, known in files.values():
            if age < len(known):
                yield record, known[age]


def _read(file: Path) -> Any:
    try:
        packed = file.read_bytes() if file.stat().st_size <= LARGEST_FILE else None
    except OSError as error:
        raise BadReplay(error.strerror or "it can't be read") from error
    if packed is None:
        raise BadReplay(f"it is larger than {LARGEST_FILE / 1e6:g} MB")
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(packed, LARGEST_JSON)
    except zlib.error as error:
        raise BadReplay("it is no zlib file") from error
    if unpacking.unconsumed_tail:
        raise BadReplay(f"it is larger than {LARGEST_JSON / 1e6:g} MB when unpacked")
    if not unpacking.eof:
        raise BadReplay("its end is missing")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadReplay("it is no JSON") from error

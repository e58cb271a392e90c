"""Snapshots of jobs that are gone, of the stacks that were tested: syrupy reports them as unused, or they are removed.

syrupy finds unused snapshots by the names of test files and tests, which the snapshots of expiac do not have. So the
comparisons note what they found, and it is added to syrupy's report when the session ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from syrupy.data import Snapshot, SnapshotCollection

from expiac.review.snapshots import remove_snapshot

_Folders = dict[str, list[str]]
_NOTED = pytest.StashKey[_Folders]()
"""By the folder of a stack: the snapshots there that no job has."""
_UNTOLD = pytest.StashKey[list[str]]()
"""Those that syrupy's summary does not count."""


def note(config: pytest.Config, folder: Path, names: Collection[str]) -> None:
    """Records which snapshots of one stack, under one set of overrides, no job has."""
    noted = config.stash.setdefault(_NOTED, {})
    noted[str(folder)] = sorted(names)


def add(config: pytest.Config, noted: _Folders) -> None:
    """Takes what another process recorded."""
    config.stash.setdefault(_NOTED, {}).update(noted)


def finish(session: pytest.Session) -> None:
    """Adds what was noted to syrupy's report, and removes it under `--snapshot-update`.

    As with any unused snapshot, the session fails where neither that nor `--snapshot-warn-unused` is given.
    """
    config, options = session.config, session.config.option
    noted = config.stash.get(_NOTED, {})
    worker = getattr(config, "workeroutput", None)
    if worker is not None:
        worker["expiac_unused"] = noted
        return
    paths = {Path(folder, name): Path(folder).parent for folder, names in sorted(noted.items()) for name in names}
    if not paths or getattr(options, "disable_unused_snapshots", False):
        return
    config.stash[_UNTOLD] = _report(config, paths)
    if options.update_snapshots:
        if not getattr(options, "no_cleanup", False):
            for path, top in paths.items():
                remove_snapshot(top, path)
    elif not options.warn_unused_snapshots:
        session.exitstatus = max(int(session.exitstatus), int(pytest.ExitCode.TESTS_FAILED))


def summary_lines(config: pytest.Config) -> Iterator[str]:
    """What syrupy's summary lacks: its releases before 6 count only what they find themselves."""
    if not (untold := config.stash.get(_UNTOLD, [])):
        return
    is_update = config.option.update_snapshots
    noun = "snapshot" if len(untold) == 1 else "snapshots"
    yield f"{len(untold):,} unused {noun} {'deleted' if is_update else 'found'}"
    yield from (f"  {path}" for path in untold)
    if not is_update:
        yield "Re-run pytest with --snapshot-update to delete unused snapshots."


def _report(config: pytest.Config, paths: Collection[Path]) -> list[str]:
    """Adds snapshots to those that syrupy reports as unused; gives those that it does not take."""
    report: Any = config._syrupy.report  # type: ignore[attr-defined]
    for path in paths:
        collection = SnapshotCollection(location=str(path))
        collection.add(Snapshot(name=path.name))
        report.unused.add(collection)
    with suppress(AttributeError):
        del report.num_unused  # counted before
    return [str(path) for path in paths if str(path) not in report.unused]

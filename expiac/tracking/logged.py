"""The artifacts that an offline run has logged: whether a server has them, and the files that W&B's client staged.

`wandb sync` uploads artifacts with the run, and says nothing where that fails. So the server is asked afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from expiac.tracking.access import access_of
from expiac.tracking.offline import OfflineRun
from expiac.tracking.online import Online
from expiac.tracking.records import read_part
from expiac.tracking.runs import TrackedArtifact
from expiac.util.errors import ExpiacError

_STAGED = ("artifacts", "staging")
"""Where W&B's client copies the files of artifacts to, below its data folder, until they are uploaded."""
_NAMED = 3


def logged_artifacts(files: Sequence[Path]) -> tuple[TrackedArtifact, ...]:
    """The versions that a run has logged, each once. Raises `ExpiacError` as `read_part` does."""
    parts = (read_part(file) for file in files)
    found = {(one.type, one.name, one.digest): one for part in parts if part is not None
             for one in part.artifacts if one.digest}
    return tuple(found.values())


def incomplete(artifacts: Sequence[TrackedArtifact]) -> frozenset[str]:
    """The digests of those with files that can't be read: an upload of the run would fail with them."""
    return frozenset(one.digest for one in artifacts if _unreadable_file(one) is not None)


def require_all(artifacts: Sequence[TrackedArtifact], digests: Collection[str]) -> None:
    """Raises `ExpiacError` where a server does not have them all; `digests` are those of the versions that it has."""
    missing = [one for one in artifacts if one.digest not in digests]
    if not missing:
        return
    more = [f"and {len(missing) - _NAMED} more"] if len(missing) > _NAMED else []
    raise ExpiacError("Artifacts not uploaded", "; ".join([*map(_why_missing, missing[:_NAMED]), *more]),
                      "run the command again: no row and no artifact is there twice")


def delete_staged(artifacts: Sequence[TrackedArtifact]) -> None:
    """Deletes the copies that W&B's client has staged, as it does after an upload; never a file that is not its own."""
    for artifact in artifacts:
        for file in artifact.files.values():
            if file.parts[-3:-1] == _STAGED:
                with suppress(OSError):
                    file.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class ArtifactServer:
    """The server that the artifacts of one run are uploaded to."""

    run: OfflineRun
    timeout: float
    """Seconds for an answer."""
    environ: Mapping[str, str]

    def digests(self, artifacts: Sequence[TrackedArtifact]) -> frozenset[str]:
        """Of the versions that the server has of these artifacts. Raises `ExpiacError` where it can't be asked."""
        if not artifacts:
            return frozenset()
        access = access_of(self.environ)
        if access is None:
            raise ExpiacError("Artifacts not uploaded", "without an API key, W&B can't be asked whether it has them",
                              "wandb login, or export WANDB_API_KEY=…")
        names = self.run.names
        entity = names.entity or self.environ.get("WANDB_ENTITY", "") or None
        online = Online(access, project=names.project or "uncategorized", entity=entity, timeout=self.timeout)
        collections = dict.fromkeys((one.type, one.name) for one in artifacts)
        return frozenset(digest for kind, name in collections for digest in online.digests(kind, name))


def _why_missing(artifact: TrackedArtifact) -> str:
    gone = _unreadable_file(artifact)
    if gone is None:
        return f"{artifact.name}: W&B has no version of it with this content"
    return f"{artifact.name}: its file {gone} can't be read at {artifact.files[gone]}"


def _unreadable_file(artifact: TrackedArtifact) -> str | None:
    """The first file of an artifact that is not there, or may not be read."""
    return next((name for name, file in artifact.files.items() if not os.access(file, os.R_OK)), None)

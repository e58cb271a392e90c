"""The manifest of an export: which files a stack was rendered to, with their digests, and from which commit.

Pure. Its text says the same at every export of the same declaration; only the commit may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from expiac.review.digests import digest_of_hashes, file_digest
from expiac.util.errors import ExpiacError
from expiac.util.version import VERSION

MANIFEST = "manifest.json"
"""Its name in the folder of the exported files."""
FORMAT = 1
_AGAIN = "expiac render STACK --out FOLDER writes one"


@dataclass(frozen=True, slots=True)
class JobManifest:
    """The files of one job."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    digest: str
    """Over all its files: what the journal records of a launch from them."""
    files: Mapping[str, str]
    """The SHA-256 of each file, in hex, by its name without the job: `task.yaml`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that a stack was rendered to."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    format_version: int = FORMAT
    stack: str
    program: str = ""
    """The path of the stack file."""
    overrides: Mapping[str, str]
    expiac: str = VERSION
    """The release that wrote it."""
    commit: str | None
    """The commit of the project; None where it is no git checkout."""
    dirty: bool | None
    """Tracked files had changes that were not committed; None where nobody knows."""
    jobs: Mapping[str, JobManifest]

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file by its name in the folder: `<job>.<file>`."""
        return {f"{job}.{name}": digest for job, one in self.jobs.items() for name, digest in one.files.items()}

    @property
    def is_consistent(self) -> bool:
        """The digest of each job is that of its files."""
        return all(one.digest == digest_of_hashes(job, one.files) for job, one in self.jobs.items())


def jobs_of(rendered: Mapping[str, Mapping[str, str]]) -> dict[str, JobManifest]:
    """The jobs of a manifest, from the texts of a stack by job and file name; a resource without files is none."""
    found = {}
    for job in sorted(job for job, texts in rendered.items() if texts):
        hashes = {name: file_digest(text.encode()) for name, text in sorted(rendered[job].items())}
        found[job] = JobManifest(digest_of_hashes(job, hashes), hashes)
    return found


def text_of(manifest: Manifest) -> bytes:
    """The contents of its file."""
    return to_json(manifest, indent=2) + b"\n"


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file, or of the folder that the path names. Raises `ExpiacError` where it can't be read."""
    file = path / MANIFEST if path.is_dir() else path
    try:
        values = from_json(file.read_bytes())
    except OSError as error:
        raise ExpiacError("No such manifest", f"{file}: {error.strerror}", _AGAIN) from error
    except ValueError as error:
        raise ExpiacError("Not a manifest", f"{file}: {error}", _AGAIN) from None
    if isinstance(values, dict) and isinstance(made_by := values.get("format_version"), int) and made_by != FORMAT:
        raise ExpiacError("Not a manifest", f"{file} has format {made_by}, and this expiac reads {FORMAT}", _AGAIN)
    try:
        found = _adapter().validate_python(values)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise ExpiacError("Not a manifest", f"{file}: {where}: {error.errors()[0]['msg']}", _AGAIN) from None
    if outside := [name for name in found.files if not is_inside(name)]:
        raise ExpiacError("Not a manifest", f"{file} names {outside[0]!r}, which is not in its folder", _AGAIN)
    return found


def is_inside(name: str) -> bool:
    """Whether a name of a file stays in the folder in which it stands."""
    path = PurePosixPath(name)
    return bool(path.name) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


@cache
def _adapter() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)

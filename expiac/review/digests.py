"""One digest for all files of a job that were rendered: what the journal records of a launch, and a manifest of a job.

Pure. Any shell can make it anew, in the folder of the files: `sha256sum job.config.yaml job.task.yaml | sha256sum`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

SHOWN = 8
"""The hex digits of a digest that people are shown."""


def file_digest(content: bytes) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(content).hexdigest()


def job_digest(job: str, files: Mapping[str, bytes]) -> str:
    """The digest of a job by the contents of its files, which are named without the job: `task.yaml`."""
    return digest_of_hashes(job, {name: file_digest(content) for name, content in files.items()})


def digest_of_hashes(job: str, hashes: Mapping[str, str]) -> str:
    """The digest of a job by the digests of its files."""
    lines = sorted((f"{job}.{name}", digest) for name, digest in hashes.items())
    return file_digest("".join(f"{digest}  {name}\n" for name, digest in lines).encode())

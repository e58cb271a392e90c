"""Remembers what the jobs of a stack were compiled to: a job that is declared as before is not rendered again.

A job is known by all that its compilation depends on: its declaration and placement as they are, and a *salt* of
what all jobs share, which is the project, its templates, the kinds of fields, and the code of expiac and of libraries.
What a config was composed from is compared file by file. Nothing is taken from a file that is not whole.
"""

from __future__ import annotations

import hashlib
import json
import platform
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from expiac.compile.composed import Composed
from expiac.plan.model import Desired
from expiac.util.durable import replace_file
from expiac.util.hashing import digest

_FORMAT = 2
_WORTH_REMEMBERING = 20
"""The jobs of smaller stacks are compiled in no time."""
_KEY = 64
"""Characters of the key of a job."""
_LIBRARIES = ("hydra-core", "jinja2", "omegaconf", "pydantic", "pydantic-core", "PyYAML")
_EXPIAC = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a job was compiled to, as far as that takes time."""

    digest: str
    texts: Mapping[str, str]
    outputs: Mapping[str, str]
    config: Mapping[str, Any] | None
    """Its composed config; None if it has none."""
    files: Mapping[str, str]
    """The digest of each file that the config was composed from, by path."""


def compiled(want: Desired, composed: Composed | None) -> Compiled:
    """What is remembered of a job that was compiled."""
    config, files = (None, {}) if composed is None else (composed.config, composed.files)
    return Compiled(want.digest, want.texts, want.outputs, config, files)


class CompiledJobs:
    """The remembered jobs of one stack, in one file.

    Its first line has a checksum, its second the sets of files that configs were composed from, of which most jobs have
    the same one. Each further line is the key of a job, and what the job was compiled to.
    """

    def __init__(self, folder: Path, stack: str, salt: str, digest_of: Callable[[str], str], *, jobs: int) -> None:
        self._file, self._digest_of = folder / "cache" / "compiled" / f"{stack}.jsonl", digest_of
        self._salt = hashlib.sha256(salt.encode(errors="surrogatepass"))
        self.is_on = jobs >= _WORTH_REMEMBERING
        """Whether the stack has enough jobs."""
        self._sets, self._lines = self._read() if self.is_on else ({}, {})
        self._current = {name for name, files in self._sets.items() if self._is_current(files)}
        self._used: dict[bytes, bytes] = {}
        self._used_sets: dict[str, Mapping[str, str]] = {}

    def find(self, declaration: bytes) -> Compiled | None:
        """What a job with this declaration is compiled to; None if that is not known, or not any more."""
        if not declaration or not self.is_on:
            return None
        key = self._key(declaration)
        line = self._lines.get(key)
        if line is None:
            return None
        try:
            name, identity, texts, outputs, config = from_json(line)
            if name not in self._current:
                return None
            self._used[key], self._used_sets[name] = line, self._sets[name]
            return Compiled(identity, texts, outputs, config, self._sets[name])
        except (ValueError, TypeError, LookupError):
            return None

    def add(self, declaration: bytes, job: Compiled) -> None:
        """Remembers a job, if what is read later is what is written now."""
        if not declaration or not self.is_on:
            return
        name = digest(dict(job.files))[:16]
        parts = [name, job.digest, dict(job.texts), dict(job.outputs), job.config]
        try:
            line = json.dumps(parts).encode()
            is_exact = repr(from_json(line)) == repr(parts)  # no tuple, and no key that is a number
        except (TypeError, ValueError):
            return
        if is_exact:
            self._used[self._key(declaration)], self._used_sets[name] = line, job.files

    def save(self) -> None:
        """Writes what was found and added, if that is not what the file has."""
        if not self.is_on or self._used == self._lines:
            return
        sets = json.dumps({name: dict(files) for name, files in self._used_sets.items()}).encode()
        body = b"\n".join([sets, *(b"%b %b" % (key, line) for key, line in self._used.items())])
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, b"%d %d\n%b" % (_FORMAT, zlib.crc32(body), body), durable=False, mode=0o600)
        except OSError:
            return  # a memory that can't be written costs time only

    def _read(self) -> tuple[dict[str, dict[str, str]], dict[bytes, bytes]]:
        """The sets of files by their names, and the line of each job by its key."""
        try:
            head, _, body = self._file.read_bytes().partition(b"\n")
            if head != b"%d %d" % (_FORMAT, zlib.crc32(body)):
                return {}, {}
            first, *lines = body.split(b"\n")
            sets = json.loads(first)
        except (OSError, ValueError):
            return {}, {}
        return sets, {line[:_KEY]: line[_KEY + 1:] for line in lines}

    def _is_current(self, files: Mapping[str, str]) -> bool:
        """Whether each file is as it was."""
        return all(self._digest_of(path) == was for path, was in files.items())

    def _key(self, declaration: bytes) -> bytes:
        key = self._salt.copy()
        key.update(declaration)
        return key.hexdigest().encode()


@cache
def code_salt() -> str:
    """The code that compiles: each file of expiac by its time and size, and the releases of Python and of libraries."""
    stamps = [(str(file), (stat := file.stat()).st_mtime_ns, stat.st_size)
              for folder in ("compile", "declare", "plan", "providers", "util")
              for file in sorted((_EXPIAC / folder).rglob("*")) if file.suffix in (".py", ".j2")]
    return repr((platform.python_version(), [version(library) for library in _LIBRARIES], stamps))

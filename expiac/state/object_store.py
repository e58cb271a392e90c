"""States that a team shares: objects in a folder of any store that fsspec knows.

A state is a row of objects, `<stack>/<generation>-<offset>.jsonl`, each created once and never changed: the bytes of a
state file, piece by piece. Whoever writes from what is no longer the end finds the next name taken, and so nothing is
ever written over. A generation is begun by a checkpoint. `<stack>/lock.json` says who is at work.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import gettempdir
from time import monotonic, sleep
from typing import Any, TypeVar
from uuid import uuid4

from pydantic_core import from_json, to_json

from expiac.util.durable import create_file
from expiac.util.errors import ExpiacError, Locked, Stale, Unavailable
from expiac.util.filesystems import filesystem_of
from expiac.util.hashing import digest
from expiac.util.lock import Holder, Lock
from expiac.util.timeout import run_within

_PIECE = re.compile(r"(\d{8})-(\d{12})\.jsonl")
_LOCK = "lock.json"
_PAUSE = 0.5
STORE_TIMEOUT = 60.0
"""Seconds for the store to answer."""
_TRIES = 5
"""How often a state is read that is being compacted meanwhile."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Image:
    """A whole state as it was read: its bytes, and where the next piece belongs."""

    data: bytes = b""
    generation: int = 0
    offsets: tuple[int, ...] = ()
    """Where each of its pieces begins."""


class Store:
    """A folder of shared states."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._is_checked = False

    def names(self) -> list[str]:
        """The stacks that have a state."""
        return [name for name in sorted(self._list("")) if self.pieces(name)]

    def read(self, stack: str) -> Image:
        """The state of a stack as it is now; an empty one where there is none."""
        for _ in range(_TRIES):
            pieces = self.pieces(stack)
            generation = max((generation for generation, _ in pieces), default=0)
            mine = sorted(offset for number, offset in pieces if number == generation)
            try:
                return Image(self._join_pieces(stack, generation, mine), generation, tuple(mine))
            except FileNotFoundError:
                continue  # it was compacted while we read
        raise Unavailable("State not readable", f"{self.url}/{stack} changes faster than it can be read",
                          "run the command again")

    def pieces(self, stack: str) -> list[tuple[int, int]]:
        """Generation and offset of each object of a state."""
        found = (_PIECE.fullmatch(name) for name in self._list(f"/{stack}"))
        return [(int(match[1]), int(match[2])) for match in found if match]

    def add(self, stack: str, generation: int, offset: int, data: bytes) -> None:
        """Creates a piece; raises `Stale` where somebody else was there first."""
        name = _name(generation, offset)
        if not self._create(f"{stack}/{name}", data):
            raise Stale("State taken over", f"{self.url}/{stack} was written by somebody else meanwhile",
                        "run the command again: it finds what was launched")

    def drop(self, stack: str) -> None:
        """Removes a whole state."""
        self.drop_before(stack, 10**8)

    def drop_before(self, stack: str, generation: int) -> None:
        """Removes the pieces of earlier generations: nobody needs them any more."""
        for number, offset in self.pieces(stack):
            if number < generation:
                with suppress(ExpiacError):
                    self._remove(f"{stack}/{_name(number, offset)}")

    @contextmanager
    def lock(self, stack: str, *, purpose: str, wait_seconds: float) -> Iterator[Holder]:
        """Held within a `with`: by one process of this machine, and by one machine. Gives who holds it: us."""
        until = monotonic() + wait_seconds
        mark = digest([self.url, stack])[:16]
        local = Path(gettempdir()) / f"expiac-{os.getuid()}" / f"{stack}.{mark}.lock"
        with Lock(local, purpose=purpose, wait_seconds=wait_seconds):
            me = Holder.me(purpose)
            while not self._create(f"{stack}/{_LOCK}", to_json(asdict(me))):
                who = self.holder(stack)
                if who is not None and _is_gone(who):
                    self.unlock(stack)
                elif monotonic() >= until:
                    raise self._locked_error(stack, who)
                else:
                    sleep(_PAUSE)
            try:
                yield me
            finally:
                if self.holder(stack) == me:  # it may have been taken from us
                    self.unlock(stack)

    def holder(self, stack: str) -> Holder | None:
        """Who holds the lock; None where nobody does."""
        try:
            return Holder(**from_json(self._read(f"{stack}/{_LOCK}")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            return Holder("something", "?", "?", 0, "1970-01-01T00:00:00+00:00")

    def unlock(self, stack: str) -> None:
        """Takes the lock from whoever holds it."""
        self._remove(f"{stack}/{_LOCK}")

    def _locked_error(self, stack: str, who: Holder | None) -> Locked:
        if who is None:
            return Locked("Locked", f"{stack} in {self.url}, a moment ago", "run the command again")
        return Locked("Locked", f"{who.purpose} of {stack} in {self.url} by {who.sentence}",
                      f"wait until it ends; if it is gone: expiac state unlock {stack}")

    def _join_pieces(self, stack: str, generation: int, offsets: list[int]) -> bytes:
        names = [f"{stack}/{_name(generation, offset)}" for offset in offsets]
        pieces = self._read_all(names)
        whole = b""
        for offset, piece in zip(offsets, pieces, strict=True):
            if offset != len(whole):
                missing = f"{self.url}/{stack}/{_name(generation, len(whole))}"
                raise ExpiacError("Damaged state", f"{missing} is missing",
                                  "restore it, or expiac state push a copy with --force")
            whole += piece
        return whole

    def _read_all(self, names: list[str]) -> list[bytes]:
        """The bytes of objects, asked for at once where the store can."""
        if len(names) < 2:
            return [self._read(name) for name in names]

        def contents(fs: Any, root: str) -> list[bytes]:
            paths = [f"{root}/{name}" for name in names]
            found = fs.cat(paths)
            return [bytes(found[path]) for path in paths]

        return self._call("reading", contents)

    def _list(self, folder: str) -> list[str]:
        """The names in a folder of the store; none where there is no such folder."""
        def names(fs: Any, root: str) -> list[str]:
            try:
                entries = fs.ls(root + folder, detail=False)
            except FileNotFoundError:
                return []
            return [str(entry).rstrip("/").rpartition("/")[2] for entry in entries]

        return self._call("listing", names)

    def _read(self, where: str) -> bytes:
        """The bytes of an object; raises `FileNotFoundError` where there is none."""
        return self._call("reading", lambda fs, root: bytes(fs.cat_file(f"{root}/{where}")))

    def _create(self, where: str, data: bytes) -> bool:
        """Whether it is ours: created now, or by a try of which we never heard the answer."""
        self._refuse_overwriting(where.partition("/")[0])
        return self._try_create(where, data)

    def _refuse_overwriting(self, stack: str) -> None:
        """Raises where the store writes over what it was told to create; asked once, before the first write."""
        if self._is_checked or self._is_on_disk or self.url.startswith("memory://"):
            return
        probe = f"{stack}/probe-{uuid4().hex}"
        try:
            if not self._try_create(probe, b"first") or self._try_create(probe, b"second"):
                raise ExpiacError("Store can't be shared", f"{self.url} writes over what is there, where it should "
                                  "create only what is not", "another store, or a newer package for this one")
        finally:
            self._remove(probe)
        self._is_checked = True

    def _try_create(self, where: str, data: bytes) -> bool:
        def create(fs: Any, root: str) -> bool:
            try:
                if self._is_on_disk:
                    file = Path(f"{root}/{where}")
                    file.parent.mkdir(parents=True, exist_ok=True)
                    create_file(file, data)
                else:
                    fs.pipe_file(f"{root}/{where}", data, mode="create")
            except FileExistsError:
                try:
                    return bool(fs.cat_file(f"{root}/{where}") == data)
                except FileNotFoundError:
                    return False
            return True

        return self._call("writing", create)

    def _remove(self, where: str) -> None:
        with suppress(FileNotFoundError):
            self._call("removing", lambda fs, root: fs.rm_file(f"{root}/{where}"))

    def _call(self, doing: str, call: Callable[[Any, str], T]) -> T:
        """What the store answers; its errors in our words, but for what is not there to be read."""
        fs, root = self._filesystem
        try:
            return run_within(STORE_TIMEOUT, lambda: call(fs, root), f"{doing} {self.url}")
        except Exception as error:
            if isinstance(error, FileNotFoundError) and doing != "writing":
                raise
            raise Unavailable("State not reachable", f"{doing} {self.url}: {type(error).__name__}: {error}",
                              "see that the address is right, that you may write there, and run the command again"
                              ) from error

    @property
    def _is_on_disk(self) -> bool:
        return self.url.partition("://")[0] in ("file", "local")

    @cached_property
    def _filesystem(self) -> tuple[Any, str]:
        try:
            fs, root = filesystem_of(self.url, **_settings(self.url))
        except ImportError as error:
            raise ExpiacError("State not reachable", f"{self.url}: {error}", "pip install 'expiac[shared]'") from error
        except ValueError as error:
            raise ExpiacError("State not reachable", f"{self.url}: {error}", "s3://bucket/folder") from error
        return fs, root.rstrip("/")


def _name(generation: int, offset: int) -> str:
    return f"{generation:08d}-{offset:012d}.jsonl"


def _is_gone(who: Holder) -> bool:
    """Of a process of this machine that runs no more: we hold the lock that it would hold beside."""
    if who.host != socket.gethostname():
        return False
    try:
        os.kill(who.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return who.pid == os.getpid()


def _settings(url: str) -> dict[str, bool]:
    """Stores over a network keep listings in memory unless they are told not to; a disk makes no folders by itself."""
    protocol = url.partition("://")[0]
    if protocol in ("file", "local"):
        return {"auto_mkdir": True}
    return {} if protocol == "memory" else {"use_listings_cache": False}

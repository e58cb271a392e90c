"""The file of a W&B run as a row of records: a log in LevelDB's format. Knows nothing of what a record says.

Some versions of W&B have no reader of their own for it. Blocks of 32 KiB hold parts of
records, each with its length, kind and checksum. One block and one record are in memory at a time. A file that is being
written, or whose writer was killed, ends in the middle of a record: reading stops there.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from expiac.apply.metrics.streams import open_regular
from expiac.util.errors import ExpiacError

_BLOCK = 32 * 1024
_START = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
_PART = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_SEEDS = tuple(zlib.crc32(bytes([kind])) for kind in range(_LAST + 1))
LIMIT = 256 * 1024 * 1024
"""Bytes of a record; a larger one is damage."""


class RunLog:
    """The records of one file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.damaged_at: int | None = None
        """After the reading: the block, by its first byte, from which nothing can be read although more follows."""

    def __iter__(self) -> Iterator[bytes]:
        """Each record. Raises `ExpiacError` where the file is none of W&B's, and `OSError` where it can't be read."""
        self.damaged_at = None
        with open_regular(self.file) as stream:
            yield from self._records(stream)

    def _records(self, stream: BinaryIO) -> Iterator[bytes]:
        block = stream.read(_BLOCK)
        if len(block) < len(_START):
            return  # just created
        if not block.startswith(_START):
            raise ExpiacError("Not a W&B run", f"{self.file} does not begin as W&B's files do",
                              "leave it out, or move it out of the folder")
        record = bytearray()
        position, start = len(_START), 0
        while block:
            while position + _PART.size <= len(block):
                part = _part(block, position)
                if part is None:
                    self._note_damage(start, len(block), stream)
                    return
                kind, content = part
                position += _PART.size + len(content)
                if kind in (_FULL, _FIRST):
                    record.clear()
                record += content
                if kind in (_FULL, _LAST):
                    yield bytes(record)
                    record.clear()
                elif len(record) > LIMIT:
                    self.damaged_at = start
                    return
            start += len(block)
            block, position = stream.read(_BLOCK), 0

    def _note_damage(self, start: int, length: int, stream: BinaryIO) -> None:
        """A bad part in the last block is one that is being written; an earlier one is damage."""
        if length == _BLOCK and stream.read(1):
            self.damaged_at = start


def _part(block: bytes, position: int) -> tuple[int, bytes] | None:
    """The kind and content of the part at a position; None where there is no whole one."""
    checksum, length, kind = _PART.unpack_from(block, position)
    begin = position + _PART.size
    content = block[begin:begin + length]
    if not _FULL <= kind <= _LAST or len(content) < length or zlib.crc32(content, _SEEDS[kind]) != checksum:
        return None
    return kind, content

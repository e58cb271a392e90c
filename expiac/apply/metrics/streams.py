"""Opens the files of runs and gives their lines. What stands at a path may be anything: this never waits for it, and
holds one line at a time.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

LONGEST_LINE = 1024 * 1024
"""Bytes; a longer line is no row of metrics, and left out."""
_END = 64 * 1024
_BOM = b"\xef\xbb\xbf"


def open_regular(file: Path) -> BinaryIO:
    """Opens a regular file to read; raises `OSError` at once for a pipe, a device or a folder in its place."""
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe without a writer would block
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "Not a regular file", str(file))
    return os.fdopen(fd, "rb")


def all_lines(file: Path) -> Iterator[bytes]:
    """The whole lines of a file, as it is now: what is appended meanwhile is left out."""
    with open_regular(file) as stream:
        yield from whole_lines(stream, os.fstat(stream.fileno()).st_size)


def end_lines(file: Path) -> Iterator[bytes]:
    """The whole lines of a file; of a long one those of its two ends."""
    with open_regular(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size <= 2 * _END:
            yield from whole_lines(stream, size)
            return
        yield from whole_lines(stream, _END)
        stream.seek(size - _END)
        cut = stream.readline(_END)
        yield from whole_lines(stream, _END - len(cut))


def lines_of_ends(read: Callable[[int, int], bytes], size: int) -> Iterator[bytes]:
    """The same of a file that is not here: `read` gives a range of its bytes."""
    if size <= 2 * _END:
        yield from whole_lines(BytesIO(read(0, size)), size)
        return
    yield from whole_lines(BytesIO(read(0, _END)), _END)
    end = BytesIO(read(size - _END, size))
    yield from whole_lines(end, _END - len(end.readline()))


def whole_lines(stream: BinaryIO, left: int) -> Iterator[bytes]:
    """The lines that end within so many bytes: a last line without its end is still being written."""
    is_too_long = False
    while left > 0 and (line := stream.readline(min(left, LONGEST_LINE))):
        left -= len(line)
        is_rest, is_too_long = is_too_long, not line.endswith(b"\n")
        if not is_rest and not is_too_long and line.strip():
            yield line.removeprefix(_BOM)

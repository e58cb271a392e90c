"""Files that keep what was worked out, so that the next command need not: one line says of what, the rest is content.

They are written whole, and never half-read: one that is damaged, cut short, or of something else is as one that is not
there, and then the work is done again. So they can be removed at any time, and several commands may read and write one
at once: the last one counts.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from expiac.util.durable import replace_file

_LONGEST_HEAD = 64 * 1024


def read_kept(file: Path, is_wanted: Callable[[Mapping[str, Any]], bool]) -> bytes | None:
    """The content of a file whose first line is wanted; None where there is none such."""
    try:
        if not file.is_file():
            return None  # a pipe would never answer
        with file.open("rb") as stream:
            head = json.loads(stream.readline(_LONGEST_HEAD))
            if not isinstance(head, dict) or not is_wanted(head):
                return None
            content = stream.read()
    except (OSError, ValueError, RecursionError):
        return None
    return content if head.get("checksum") == zlib.crc32(content) else None


def write_kept(file: Path, head: Mapping[str, Any], content: bytes) -> None:
    """Keeps the content, in the place of what was kept before; does nothing where the file can't be written."""
    first = json.dumps({**head, "checksum": zlib.crc32(content)}).encode()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, first + b"\n" + content, durable=False)

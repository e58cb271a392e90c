"""Writes a page to its place: whole or not at all, and over nothing but an earlier page."""

from __future__ import annotations

from pathlib import Path

from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError

MARK = b"<!-- made by expiac report -->"
"""Stands near the beginning of each report, so that it may be replaced and another file may not."""
REVIEW_MARK = b"<!-- made by expiac review -->"
"""The same, of the page of a review."""
_HEAD = 200
"""Within so many bytes stands the mark of a page."""


def check_place(file: Path, *, force: bool, may_replace_page: bool = True) -> None:
    """Raises where a report cannot be written, or would replace what is no report; before the work is done."""
    if file.is_dir():
        raise ExpiacError("Report not written", f"{file} is a folder", f"name a file in it: {file / 'report.html'}")
    if not file.absolute().parent.is_dir():
        raise ExpiacError("Report not written", f"there is no folder {file.absolute().parent}",
                          f"mkdir -p {file.absolute().parent}")
    if (file.exists() or file.is_symlink()) and not force and not (may_replace_page and _is_page(file)):
        what = "it is no report of expiac's" if may_replace_page else "a notebook may have cells of yours"
        raise ExpiacError("Already there", f"{file}: {what}", "--force replaces it, or name another file")


def write(file: Path, content: bytes) -> None:
    """Writes the file; what stood there is replaced at once, when all is written."""
    try:
        replace_file(file, content, durable=False)
    except OSError as error:
        raise ExpiacError("Report not written", f"{file}: {error.strerror or error}",
                          f"see that {file.absolute().parent} has room and can be written") from error


def _is_page(file: Path) -> bool:
    try:
        with open(file, "rb") as opened:
            head = opened.read(_HEAD)
            return MARK in head or REVIEW_MARK in head
    except OSError:
        return False

"""Text from outside in GitHub-flavoured markdown, as code, prose, a row or a fence: none of it is markup there.

Characters that turn the direction of writing or that do not show are spelled out. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from expiac.plan.formatting import printable


def code(text: str) -> str:
    """The text as a code span, whatever is in it."""
    text = printable(" ".join(text.splitlines()))
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def escape(text: str) -> str:
    """The text as prose, in which nothing is markup."""
    plain = "\n".join(map(printable, text.split("\n")))
    return re.sub(r"([\\`*_\[\]<>#~])", r"\\\1", plain)


def row(glyph: str, name: str, lines: Sequence[str]) -> str:
    """A row of a table of three columns; the last cell has several lines."""
    return cells([glyph, name, "<br>".join(lines)])


def cells(parts: Sequence[str]) -> str:
    """A row of a table."""
    return "| " + " | ".join(part.replace("|", "\\|").replace("\n", " ") for part in parts) + " |"


def fence(lines: Sequence[str], language: str = "") -> list[str]:
    """The lines as a block of code, which none of them ends."""
    shown = [printable(line) for line in lines]
    ticks = "`" * max(max(map(_longest_run, shown), default=0) + 1, 3)
    return [f"{ticks}{language}", *shown, ticks]


def details(summary: str, lines: Sequence[str]) -> list[str]:
    """What opens by a click; `summary` is HTML."""
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)

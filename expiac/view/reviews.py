"""What there is to review as lines of text. Pure: knows widths and words, and nothing of terminals or colours.

Whatever comes from a config or a file is printable: a terminal obeys nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from expiac.plan import formatting as inline
from expiac.review.changes import FileChange, JobChange, Kind, Review, stacks_of, varying
from expiac.review.differences import Difference
from expiac.review.resolved import Resolver
from expiac.review.text_lines import changed_lines, text_difference

_NAMES = 4
_PATHS = 40
"""Differences of one file that are shown, unless all are asked for."""
_MIN_VALUES = 30
_VALUES = 5
_LINES = 12
"""Lines of one text."""


def summary(review: Review) -> str:
    """`20 jobs changed, 1 new, 2 removed; 41 as reviewed`."""
    kinds = [change.kind for change in review.changes]
    parts = [f"{count:,} {'job' if count == 1 else 'jobs'} {kind.value}"
             for kind in (Kind.CHANGED, Kind.NEW, Kind.REMOVED) if (count := kinds.count(kind))]
    parts += [f"{len(review.errors):,} not rendered"] if review.errors else []
    rest = f"{review.unchanged:,} as reviewed"
    return f"{', '.join(parts)}; {rest}" if parts else rest


def group_lines(alike: Sequence[JobChange], width: int, *, every: bool = False) -> list[str]:
    """What changed in jobs that changed alike; `every` shows each difference, however many there are."""
    first = alike[0]
    lines = [f"{first.kind.value}: {names(alike)}", ""]
    if first.kind is Kind.CHANGED:
        lines += _changed(first, width, every=every)
    else:
        verb = "no snapshot" if first.kind is Kind.NEW else "not rendered any more"
        lines += [f"  {inline.printable(file.name)}: {verb}{size(file)}" for file in first.files]
        lines += _varying(alike, width, every=every) if first.kind is Kind.NEW and len(alike) > 1 else []
    return lines


def text_lines(change: JobChange) -> list[str]:
    """The textual difference of each of its files."""
    return [inline.printable(line) for file in change.files for line in [*file.text_lines, ""]]


def names(alike: Sequence[JobChange]) -> str:
    """`lr_ab_test job_0, job_1, and 18 more; arena train`."""
    return "; ".join(inline.printable(f"{name} {', '.join(jobs[:_NAMES])}"
                                      + (f", and {len(jobs) - _NAMES:,} more" if len(jobs) > _NAMES else ""))
                     for name, jobs in stacks_of(alike).items())


def _changed(change: JobChange, width: int, *, every: bool) -> Iterator[str]:
    resolver = Resolver(change)
    for file, found in change.differences:
        yield f"  {inline.printable(file.name)}"
        shown = found if every else found[:_PATHS]
        for one in shown:
            yield from difference_lines(one, resolver.told(file, one), width, every=every)
        if len(found) > len(shown):
            yield f"    and {len(found) - len(shown):,} more"
    for file in change.files:
        name = inline.printable(file.name)
        if file.is_text_only:
            yield f"  {name}: only its text differs, not what it says"
        elif file.kind is not Kind.CHANGED:
            yield f"  {name}: {file.kind.value}{size(file)}"


def difference_lines(one: Difference, resolved: tuple[Any, Any] | None, width: int, *,
                     every: bool = False) -> Iterator[str]:
    """A line or two of a value that is another, and one of what interpolations in it come to."""
    path = inline.printable(one.path)
    if one.moved_to:
        yield f"    {path} moved to {inline.printable(one.moved_to)}"
        return
    if lines := _lines_of(one):
        shown = lines if every else lines[:_LINES]
        yield f"    {path}:"
        yield from (f"      {inline.printable(line)}" for line in shown)
        if len(lines) > len(shown):
            yield f"      and {len(lines) - len(shown):,} more lines"
        return
    head = f"    {path}: "
    before, after = (inline.printable(inline.value(value)) for value in (one.before, one.after))
    whole = f"{before} → {after}"
    room = max(width - len(head), _MIN_VALUES)
    if every or len(whole) <= room:
        yield head + whole
    elif room > _MIN_VALUES * 2:
        yield head + inline.difference(before, after, room - 3)
    else:
        yield head.rstrip()
        yield f"      {inline.difference(before, after, max(width - 9, _MIN_VALUES))}"
    if resolved is not None:
        said = [inline.printable(inline.value(value), room=width // 2) for value in resolved]
        yield f"      which is {said[0]} → {said[1]}" if said[0] != said[1] else f"      which is {said[1]} as before"


def _lines_of(one: Difference) -> list[str]:
    """The lines in which two texts of several lines differ, such as commands; none of other values."""
    values = (one.before, one.after)
    if not all(isinstance(value, str) for value in values) or not any("\n" in value.strip() for value in values):
        return []
    return changed_lines(text_difference(*values, ""))


def _varying(alike: Sequence[JobChange], width: int, *, every: bool) -> Iterator[str]:
    found = varying(alike)
    yield ""
    yield "  they differ in" if found else "  they say the same"
    for number, (path, values) in enumerate(found.items()):
        if number == _PATHS and not every:
            yield f"    and {len(found) - number:,} more"
            return
        distinct = distinct_values(values)
        more = f", and {len(distinct) - _VALUES:,} more values" if len(distinct) > _VALUES else ""
        line = inline.printable(f"{path}: {', '.join(distinct[:_VALUES])}{more}", room=max(width - 4, _MIN_VALUES))
        yield f"    {line}"


def distinct_values(values: Sequence[Any]) -> list[str]:
    """The values of several jobs, each once, as they are shown."""
    return list(dict.fromkeys(map(inline.value, values)))


def size(file: FileChange) -> str:
    """` (3 lines)`: how long a file is that is new or removed."""
    content = file.after if file.after is not None else file.before
    lines = (content or b"").count(b"\n")
    return f" ({lines:,} {'line' if lines == 1 else 'lines'})"


def error_lines(review: Review) -> list[str]:
    """What could not be rendered, and why."""
    return [inline.printable(f"{name} is not rendered: {' '.join(said.split())}")
            for name, said in review.errors.items()]


def printable_path(path: Path) -> str:
    """A path as it can be shown."""
    return inline.printable(str(path))

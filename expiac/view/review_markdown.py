"""A review as GitHub-flavoured markdown, for a comment on a pull request. Pure.

GitHub shows no comment of more than 65,536 characters. What changed comes first, each group of jobs once; the textual
differences get the room that is left. What finds none is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape as html_escape

from expiac.plan import formatting as inline
from expiac.plan.model import MISSING
from expiac.review.changes import JobChange, Kind, Review, stacks_of, varying
from expiac.review.resolved import Resolver
from expiac.view.markdown_text import code, details, escape, fence
from expiac.view.reviews import distinct_values, size, summary

LIMIT = 65_000
"""Characters of a comment."""
_NAMES = 8
_PATHS = 40
"""Differences of one file."""
_STACKS = 20
_ERRORS = 10
_VALUES = 5
_VALUE = 120
_PATH = 200
_ERROR = 500
_LINES = 300
"""Lines of one textual difference."""
_LINE = 300
_COUNTS = 300
"""Characters for what is said of that which is left out."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Jobs that changed alike."""

    text: str
    """What changed."""
    diffs: tuple[tuple[str, Sequence[str]], ...]
    """The textual difference of each file of the first job, with a title in HTML."""


def markdown(review: Review, *, limit: int = LIMIT) -> str:
    """The summary, what could not be rendered, and each group of jobs with its textual difference behind a click."""
    head = [f"### Review: {escape(summary(review))}", *_errors(review)]
    left = limit - len("\n\n".join(head)) - _COUNTS
    shown: list[_Group] = []
    for alike in review.alike:
        group = _group(alike)
        if len(group.text) + 2 > left:
            break
        shown.append(group)
        left -= len(group.text) + 2
    body, cut = _with_diffs(shown, left)
    hidden = review.alike[len(shown):]
    return "\n\n".join([*head, *body, *_left_out(hidden, cut)])


def _errors(review: Review) -> list[str]:
    found = [f"- {code(name)} is not rendered: {code(inline.printable(' '.join(said.split()), room=_ERROR))}"
             for name, said in review.errors.items()]
    more = [f"- {len(found) - _ERRORS:,} more"] if len(found) > _ERRORS else []
    return ["\n".join(["> [!WARNING]", *(f"> {line}" for line in [*found[:_ERRORS], *more])])] if found else []


def _group(alike: Sequence[JobChange]) -> _Group:
    first = alike[0]
    jobs = "1 job" if len(alike) == 1 else f"{len(alike):,} jobs"
    lines = [f"**{jobs} {first.kind.value}**: {_names(alike)}", ""]
    lines += _changed(first) if first.kind is Kind.CHANGED else _whole(alike)
    of = f" of {html_escape(inline.printable(first.job, room=_PATH))}" if len(alike) > 1 else ""
    diffs = tuple((f"Textual difference of <code>{html_escape(inline.printable(file.name))}</code>{of}",
                   file.text_lines) for file in first.files)
    return _Group("\n".join(lines), diffs)


def _names(alike: Sequence[JobChange]) -> str:
    by_stack = stacks_of(alike)
    found = []
    for stack, jobs in list(by_stack.items())[:_STACKS]:
        more = f" and {len(jobs) - _NAMES:,} more" if len(jobs) > _NAMES else ""
        found.append(f"{_code(stack, _PATH)}: {', '.join(_code(job, _PATH) for job in jobs[:_NAMES])}{more}")
    rest = [f"{len(by_stack) - _STACKS:,} more stacks"] if len(by_stack) > _STACKS else []
    return "; ".join([*found, *rest])


def _changed(change: JobChange) -> Iterator[str]:
    resolver = Resolver(change)
    for file, found in change.differences:
        yield f"- {code(file.name)}"
        for one in found[:_PATHS]:
            if one.moved_to:
                yield f"  - {_code(one.path, _PATH)} moved to {_code(one.moved_to, _PATH)}"
                continue
            told = resolver.told(file, one)
            which = f", which is {_values(told[0])} → {_values(told[1])}" if told else ""
            yield f"  - {_code(one.path, _PATH)}: {_change(one.before, one.after)}{which}"
        if len(found) > _PATHS:
            yield f"  - and {len(found) - _PATHS:,} more"
    for file in change.files:
        if file.is_text_only:
            yield f"- {code(file.name)}: only its text differs, not what it says"
        elif file.kind is not Kind.CHANGED:
            yield f"- {code(file.name)}: {file.kind.value}{size(file)}"


def _whole(alike: Sequence[JobChange]) -> Iterator[str]:
    first = alike[0]
    verb = "no snapshot" if first.kind is Kind.NEW else "not rendered any more"
    yield from (f"- {code(file.name)}: {verb}{size(file)}" for file in first.files)
    if first.kind is Kind.NEW and len(alike) > 1:
        found = varying(alike)
        yield "- they differ in" if found else "- they say the same"
        for path, values in list(found.items())[:_PATHS]:
            distinct = distinct_values(values)
            more = f" and {len(distinct) - _VALUES:,} more values" if len(distinct) > _VALUES else ""
            yield f"  - {_code(path, _PATH)}: {', '.join(_code(one, _VALUE) for one in distinct[:_VALUES])}{more}"
        if len(found) > _PATHS:
            yield f"  - and {len(found) - _PATHS:,} more"


def _change(before: object, after: object) -> str:
    if before is MISSING:
        return f"{_values(after)}, new"
    if after is MISSING:
        return f"{_values(before)}, removed"
    old, new = inline.value(before), inline.value(after)
    if len(old) + len(new) <= _VALUE * 2:
        return f"{code(old)} → {code(new)}"
    return code(inline.difference(old, new, _VALUE * 2))


def _values(value: object) -> str:
    return "absent" if value is MISSING else _code(inline.value(value), _VALUE)


def _code(text: str, room: int) -> str:
    return code(text if len(text) <= room else text[:room - 1] + "…")


def _with_diffs(groups: Sequence[_Group], room: int) -> tuple[list[str], int]:
    """The text of each group with its textual differences, as far as there is room, and how many were left out."""
    parts: list[str] = []
    left_out = 0
    for group in groups:
        parts.append(group.text)
        for title, lines in group.diffs:
            text = _diff(title, lines, room)
            if text:
                parts.append(text)
                room -= len(text) + 2
            else:
                left_out += 1
    return parts, left_out


def _diff(title: str, lines: Sequence[str], room: int) -> str:
    """A textual difference behind a click, in so many characters; empty if there is no room for a line of it."""
    count = min(len(lines), _LINES)
    shown = [line if len(line) <= _LINE else line[:_LINE - 1] + "…" for line in lines[:count]]
    while count:
        more = [f"\n{len(lines) - count:,} more lines"] if count < len(lines) else []
        text = "\n".join(details(title, [*fence(shown[:count], "diff"), *more]))
        if len(text) + 2 <= room:
            return text
        count //= 2
    return ""


def _left_out(hidden: Sequence[Sequence[JobChange]], diffs: int) -> list[str]:
    parts = []
    if hidden:
        jobs = sum(map(len, hidden))
        parts.append(f"{len(hidden):,} more changes of {jobs:,} {'job' if jobs == 1 else 'jobs'}")
    if diffs:
        parts.append(f"{diffs:,} textual {'difference' if diffs == 1 else 'differences'}")
    return [f"Left out here: {' and '.join(parts)}. `expiac review` shows all."] if parts else []

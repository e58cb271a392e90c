"""How two texts differ as lines: a unified diff. Pure.

Lines that occur once in either text are paired first (patience diff), and difflib does the rest. difflib alone takes
the square of the number of changes: half a minute for 10,000 lines of which each second one changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import Match, SequenceMatcher

NO_END = " (no newline at the end)"
"""Follows the last line of a text that does not end with a newline, where only the ends of lines differ."""
_LARGEST = 2_000 * 2_000
"""Pairs of lines that difflib compares; where more lines have nothing that occurs once, all count as changed."""


def text_difference(before: str, after: str, name: str, *, context: int = 3) -> list[str]:
    """The lines of a unified diff, without line ends; where only line ends differ, those other than a newline show."""
    old, new = before.splitlines(), after.splitlines()
    if old == new and before != after:
        old, new = _with_ends(before), _with_ends(after)
    found: list[str] = []
    for group in _Lines(old, new).get_grouped_opcodes(context):
        (_, old_from, _, new_from, _), (_, _, old_to, _, new_to) = group[0], group[-1]
        found.append(f"@@ -{_range(old_from, old_to)} +{_range(new_from, new_to)} @@")
        for kind, first, last, first_new, last_new in group:
            if kind == "equal":
                found += [f" {line}" for line in old[first:last]]
                continue
            found += [f"-{line}" for line in old[first:last]]
            found += [f"+{line}" for line in new[first_new:last_new]]
    return [f"--- {name} (reviewed)", f"+++ {name} (rendered)", *found] if found else []


def _with_ends(text: str) -> list[str]:
    """Lines with what ends them: a newline does not show, `\\r` and the like do, and so does that nothing ends one."""
    return [line.removesuffix("\n") if line.splitlines() != [line] else f"{line}{NO_END}"
            for line in text.splitlines(keepends=True)]


def changed_lines(difference: Sequence[str]) -> list[str]:
    """Of a unified diff the lines that are gone (`-`) and that have come (`+`), without those around them."""
    return [line for line in difference[2:] if not line.startswith(("@@", " "))]


class _Lines(SequenceMatcher[str]):
    """Two texts, matched as this module does it."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, old, new)
        self._old, self._new = old, new

    def get_matching_blocks(self) -> list[Match]:
        blocks: list[Match] = []
        for block in _matches(self._old, self._new):
            last = blocks[-1] if blocks else None
            if last and (last.a + last.size, last.b + last.size) == (block.a, block.b):
                blocks[-1] = Match(last.a, last.b, last.size + block.size)
            else:
                blocks.append(block)
        return [*blocks, Match(len(self._old), len(self._new), 0)]


def _matches(old: Sequence[str], new: Sequence[str]) -> Iterator[Match]:
    """Equal stretches in their order; two may adjoin each other."""
    old_from = new_from = 0
    for old_at, new_at in [*_pairs(old, new), (len(old), len(new))]:
        yield from _between(old, new, old_from, old_at, new_from, new_at)
        if old_at < len(old):
            yield Match(old_at, new_at, 1)
        old_from, new_from = old_at + 1, new_at + 1


def _between(old: Sequence[str], new: Sequence[str], old_from: int, old_to: int, new_from: int, new_to: int
             ) -> Iterator[Match]:
    """The equal stretches of two parts: what they begin with, what they end with, and what difflib finds."""
    size = 0
    shorter = min(old_to - old_from, new_to - new_from)
    while size < shorter and old[old_from + size] == new[new_from + size]:
        size += 1
    if size:
        yield Match(old_from, new_from, size)
    old_from, new_from = old_from + size, new_from + size
    end = 0
    while end < shorter - size and old[old_to - 1 - end] == new[new_to - 1 - end]:
        end += 1
    left, right = old[old_from:old_to - end], new[new_from:new_to - end]
    if left and right and len(left) * len(right) <= _LARGEST:
        for found in SequenceMatcher(None, left, right).get_matching_blocks()[:-1]:
            yield Match(old_from + found.a, new_from + found.b, found.size)
    if end:
        yield Match(old_to - end, new_to - end, end)


def _pairs(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The places of lines that occur once in either text, as many as stand in the same order in both."""
    once_old, once_new = (_places_of_single_lines(lines) for lines in (old, new))
    places = [(at, once_new[line]) for line, at in once_old.items() if line in once_new]
    ends: list[int] = []
    """For each length, the lowest last place in `new` of an ascending sequence of that length."""
    heads: list[int] = []
    before: list[int] = []
    for index, (_, at) in enumerate(places):
        length = bisect_left(ends, at)
        before.append(heads[length - 1] if length else -1)
        ends[length:length + 1] = [at]
        heads[length:length + 1] = [index]
    found: list[tuple[int, int]] = []
    index = heads[-1] if heads else -1
    while index >= 0:
        found.append(places[index])
        index = before[index]
    return found[::-1]


def _places_of_single_lines(lines: Sequence[str]) -> dict[str, int]:
    counts = Counter(lines)
    return {line: at for at, line in enumerate(lines) if counts[line] == 1}


def _range(start: int, stop: int) -> str:
    """A range of lines as a unified diff has it: from 1, and the line before where it is empty."""
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"

"""The review on a terminal: one change after the other, decided by single keys. What is accepted is written at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from expiac.cli import review_output
from expiac.cli.exits import DONE, ERROR
from expiac.cli.keys import read_key
from expiac.review.changes import Kind, Review
from expiac.review.decisions import Decision, Decisions
from expiac.review.snapshots import Snapshots
from expiac.review.writing import write, write_stack_files
from expiac.view import reviews
from expiac.view.console import console

_KEYS = """\
  a  accept            A  accept this and all like it
  r  reject            R  reject this and all like it
  s  skip for now      S  skip this and all like it
  d  show the lines that differ
  m  show all differences
  b  back to the one before (also ← and →)
  u  undo the last decision
  q  end the review; what was accepted stays"""
_DECISIONS = {"a": Decision.ACCEPT, "r": Decision.REJECT, "s": Decision.SKIP}
_STYLES = {Kind.NEW: "green", Kind.CHANGED: "yellow", Kind.REMOVED: "red"}
_LINE_STYLES = {"+": "green", "-": "red", "@": "cyan"}


@dataclass
class _Screen:
    """Where a review is shown."""

    out: Console
    read: Callable[[], str]
    shown: int = -1
    """The change that is on the screen; -1 when none is."""


def ask_about(review: Review, snapshots: Snapshots, read: Callable[[], str] = read_key) -> int:
    """Asks about each change; gives the exit code, which is 0 if nothing is left to review."""
    screen = _Screen(console(), read)
    review_output.print_errors(review)
    write_stack_files(review, snapshots)
    if not review.changes:
        screen.out.print(reviews.summary(review), soft_wrap=True)
        return ERROR if review.errors else DONE
    now = Decisions.begin(review)
    try:
        while (key := _next_key(now, screen)) not in ("q", ""):
            after = _answered(now, key, screen)
            write(now, after, snapshots)
            now = after
            if now.current is None and key == "enter":
                break
    except KeyboardInterrupt:
        screen.out.print()
    _print_result(now, screen.out)
    return DONE if now.count()[Decision.ACCEPT] == len(now.taken) and not review.errors else ERROR


def _next_key(now: Decisions, screen: _Screen) -> str:
    if now.current is None:
        screen.out.print(f"\n{', '.join(_counts(now))}", soft_wrap=True)
        prompt = "All decided. u undo, b back, q end: "
    else:
        if screen.shown != now.at:
            _show(now, screen.out)
            screen.shown = now.at
        others = len(now.alike()) - 1
        more = f"   A accept all {others + 1:,} alike" if others else ""
        prompt = f"a accept{more}   r reject   s skip   d lines   ? help: "
    screen.out.print(prompt, end="", style="bold")
    key = screen.read()
    screen.out.print(key if key.isprintable() else "")
    return key


def _answered(now: Decisions, key: str, screen: _Screen) -> Decisions:
    """The review after a key; prints what the key asks for."""
    if now.current is not None and key.lower() in _DECISIONS:
        alike = key.isupper()
        count = len(now.alike()) if alike else 1
        decision = _DECISIONS[key.lower()]
        screen.out.print(f"{count:,} {decision.value}", style="dim")
        screen.shown = -1
        return now.decide(decision, alike=alike)
    match key:
        case "b" | "left":
            screen.shown = -1
            return now.back()
        case "right":
            screen.shown = -1
            return now.forward()
        case "u":
            screen.shown = -1
            return now.undo()
        case "d" if now.current is not None:
            _show_lines(reviews.text_lines(now.current), screen.out)
        case "m" if now.current is not None:
            _show_lines(reviews.group_lines([now.current], screen.out.width, every=True), screen.out)
        case "enter":
            pass
        case _:
            screen.out.print(_KEYS)
    return now


def _show(now: Decisions, out: Console) -> None:
    current = now.current
    assert current is not None
    alike = [now.review.changes[place] for place in now.alike()]
    first, *rest = reviews.group_lines(alike, out.width)
    was = now.taken[now.at]
    place = f"[{now.at + 1}/{len(now.taken)}] "
    out.print()
    out.print(Text.assemble((place, "bold"), (first, _STYLES[current.kind]), f" ({was.value})" if was else ""),
              soft_wrap=True)
    for line in rest:
        out.print(line, soft_wrap=True)
    out.print()


def _show_lines(lines: list[str], out: Console) -> None:
    """Prints lines of a diff; more than fit the screen go through a pager."""
    styled = Text("\n").join(Text(line, style=_LINE_STYLES.get(line[:1], "")) for line in lines)
    if len(lines) < shutil.get_terminal_size().lines - 2:
        out.print(styled, soft_wrap=True)
        return
    with out.pager():
        out.print(styled, soft_wrap=True)


def _counts(now: Decisions) -> list[str]:
    """`20 accepted` and `1 skipped`."""
    counted = now.count()
    return [f"{counted[one]:,} {one.value}" for one in Decision if counted[one]]


def _print_result(now: Decisions, out: Console) -> None:
    counted = now.count()
    left = len(now.taken) - sum(counted.values())
    told = [*_counts(now), *([f"{left:,} not decided"] if left else [])]
    out.print(f"{', '.join(told)}; {now.review.unchanged:,} as they were", soft_wrap=True)
    if counted[Decision.REJECT]:
        out.print("What was rejected is still rendered so: change the declaration, the template or the configs.",
                  soft_wrap=True)

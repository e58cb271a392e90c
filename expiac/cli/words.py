"""What the first words of a command line mean: which of them may be left out, and which one stands in its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from expiac.cli.completion import stacks
from expiac.declare.override_words import SWEEP


def stack_and_overrides(first: str | None, others: list[str] | None, *,
                        sweep: bool = False) -> tuple[str | None, list[str]]:
    """The stack and the overrides of a command line; if the stack is left out, its first word is an override."""
    overrides = [*([SWEEP] if sweep else []), *(others or [])]
    if first is None or not _is_override(first):
        return first, overrides
    return None, [first, *overrides]


def _is_override(word: str) -> bool:
    return "=" in word or word.startswith(("+", "~"))


def stacks_and_overrides(words: Sequence[str], *, sweep: bool = False) -> tuple[list[str], list[str]]:
    """The stacks and the overrides of a command line that takes several stacks, in any order."""
    overrides = [word for word in words if _is_override(word)]
    return [word for word in words if not _is_override(word)], [*([SWEEP] if sweep else []), *overrides]


def program_name(first: str | None, stack: str) -> str:
    """What you call the stack on the command line, for commands that you can paste; its own name if you left it out."""
    name, _ = stack_and_overrides(first, None)
    return name or stack


def stack_and_serial(stack: str | None, serial: int | None) -> tuple[str | None, int | None]:
    """The two words of `history`: if the stack is left out, a single number is the serial."""
    is_serial = serial is None and stack is not None and stack.isdigit()
    if stack is None or not is_serial:
        return stack, serial
    return None, int(stack)


def stack_and_job(stack: str | None, job: str | None) -> tuple[str | None, str | None]:
    """The two words of `logs`: where there is only one stack, a single word may be the job."""
    if stack is None or job is not None:
        return stack, job
    known = stacks("")
    could_be_stack = stack in known or Path(stack).suffix == ".py" or Path(stack).is_file()
    is_job = len(known) == 1 and not could_be_stack
    return (None, stack) if is_job else (stack, None)

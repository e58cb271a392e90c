"""Shows what a command finds of one stack, or of each stack of the project where none was named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from expiac.cli.exits import DONE
from expiac.cli.output import Answer, print_answer, print_json
from expiac.declare.project import find_project
from expiac.state import lookup
from expiac.util.errors import ExpiacError
from expiac.view import show
from expiac.view.console import console

__all__ = ["Answer", "print_answer", "show_stacks"]


def show_stacks(stack: str | None, ask: Callable[[str], Answer], *, json: bool) -> int:
    """Shows the answer of one stack, or those of all stacks; a stack that cannot be read hides no other one."""
    names = lookup.stacks_of(find_project(Path.cwd()), stack)
    if len(names) == 1:
        print_answer(ask(names[0]), json=json)
        return DONE
    documents, unread = [], []
    for place, name in enumerate(names):
        if not json:
            console().print("\n" * bool(place) + name, style="bold")
        try:
            answer = ask(name)
        except ExpiacError as error:
            unread.append(f"{name}: {error.summary}: {error.detail}".rstrip(": "))
            continue
        documents.append(answer.document)
        if not json:
            answer.print_text()
    if json:
        print_json({"format_version": show.FORMAT, "stacks": documents})
    if unread:
        raise ExpiacError("Stacks not read", "\n".join(unread), "name one of them: then its error says what to do")
    return DONE

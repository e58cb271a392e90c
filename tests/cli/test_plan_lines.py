"""The lines of a plan on a terminal: their text, and the colour of each sign."""

from __future__ import annotations

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from expiac.cli.output import PlanLines
from expiac.plan.model import Action
from expiac.view.console import COLOURS

SIGNS = {action.glyph: COLOURS[action] for action in Action}
LINES = st.lists(st.builds("{}{}{}".format, st.sampled_from((*SIGNS, "", "x")), st.sampled_from((" ", "")),
                           st.text(st.sampled_from("a[]:é字 \t*\x07"), max_size=200)), max_size=6)


def printed(what: object, *, terminal: bool) -> str:
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, color_system="standard" if terminal else None, width=40,
                      highlight=False, emoji=False, markup=False)
    console.print(what, soft_wrap=True)
    return out.getvalue()


def as_rich_has_it(line: str) -> Text:
    colour = SIGNS.get(line[:1], "") if line[1:2] == " " else ""
    if colour == "dim":
        return Text(line, style=colour)
    return Text.assemble((line[:1], f"bold {colour}"), line[1:]) if colour else Text(line)


@given(lines=LINES.filter(bool))
def test_lines_are_printed_as_rich_prints_them(lines):
    """In a pipe and on a terminal: nothing is wrapped, and what would move the cursor is left out."""
    meant = Text("\n").join(map(as_rich_has_it, lines))
    for terminal in (False, True):
        assert printed(PlanLines(lines), terminal=terminal) == printed(meant, terminal=terminal)


def test_each_sign_has_its_colour():
    """And the line of what is forgotten is dim as a whole."""
    text = printed(PlanLines(["+ a   new", "· b   gone", "1 to create"]), terminal=True)
    assert text == "\x1b[1;32m+\x1b[0m a   new\n\x1b[2m· b   gone\x1b[0m\n1 to create\n"


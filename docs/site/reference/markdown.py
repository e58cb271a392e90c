"""Pieces of Markdown from which the pages of the reference are made."""

from __future__ import annotations

import re
import textwrap

_CODE = re.compile(r"(`[^`]*`)")
_MARKUP = str.maketrans({"*": r"\*", "|": r"\|", "<": "&lt;"})


def definition(term: str, text: str) -> str:
    """An entry of a definition list; `term` is Markdown, and `text` may have several paragraphs."""
    body = textwrap.indent(text.strip() or "<!-- nothing more to say -->", "    ").lstrip()
    return f"{term}\n:   {body}\n"


def code(text: str) -> str:
    """Inline code, also where the text has backticks."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def block(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text.strip()}\n```\n"


def sentence(text: str) -> str:
    """A text of the code as one line of prose: what is in backticks is code, and all else is no markup."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") else part.translate(_MARKUP) for part in parts)


def paragraphs(text: str) -> str:
    """A docstring: its paragraphs, with blocks that are indented as code, and lists as they are."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(_paragraph(part) for part in parts) + "\n"


def _paragraph(text: str) -> str:
    if text.startswith("    "):
        return block(textwrap.dedent(text), "python").rstrip()
    return text if text.startswith("- ") else sentence(text)

"""A page as a browser reads it, by the parser of the standard library."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Element:
    """One element: its attributes, and the text in it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """All elements of a page, in their order."""

    elements: list[Element] = field(default_factory=list)
    text: str = ""
    """What a reader sees, with the names of nothing."""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attributes)))
        self._open.append(self.elements[-1])

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open[-1:]:
            element.text += data
        if not self._open or self._open[-1].tag not in ("script", "style"):
            self.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    @property
    def data(self) -> dict[str, Any]:
        """What the scripts read."""
        (element,) = (one for one in self.all("script") if one.attributes.get("id") == "data")
        return dict(json.loads(element.text))


def parse(html: str | bytes) -> Page:
    page = Page()
    page.feed(html if isinstance(html, str) else html.decode())
    return page

"""Makes one HTML page of a review: everything is in it, and it loads nothing.

All that comes from configs is data: the scripts make text of it, never markup. Characters that do not show, or that
turn the direction of writing, are spelled out. Lines that are in many differences are in the page once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from expiac.plan import formatting as inline
from expiac.plan.model import MISSING
from expiac.report.embedding import asset, content_policy, environment, json_text
from expiac.report.files import REVIEW_MARK
from expiac.review.changes import FileChange, JobChange, Kind, Review, varying
from expiac.review.resolved import Resolver
from expiac.util.version import VERSION
from expiac.view.reviews import distinct_values, size, summary

LONGEST = 2000
"""Characters of a value or a line in the page."""
ROWS = 1000
"""Differences of one file in the page; its textual difference has all."""
_VALUES = 20
_FOLDER = "review"
_SCRIPTS = ("diff.js", "detail.js", "page.js")


class _Lines:
    """The lines of all textual differences, each once."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def places(self, lines: Sequence[str]) -> list[int]:
        return [self._places.setdefault(line, len(self._places)) for line in lines]

    def texts(self) -> list[str]:
        return [_shown(line) for line in self._places]


def page(review: Review) -> bytes:
    """The page as a file."""
    scripts = [Markup(asset(_FOLDER, name)) for name in _SCRIPTS]
    html = environment(_FOLDER).get_template("page.html").render(
        mark=Markup(REVIEW_MARK.decode()), version=VERSION, policy=content_policy(scripts), scripts=scripts,
        style=Markup(asset(_FOLDER, "style.css")), title=f"Review: {summary(review)}", summary=summary(review),
        data=json_text(_data(review)),
        errors=[(_shown(name), _shown(" ".join(said.split()))) for name, said in review.errors.items()])
    return html.encode(errors="replace")


def _data(review: Review) -> dict[str, Any]:
    lines = _Lines()
    groups = [_group(alike, lines) for alike in review.alike]
    return {"groups": groups, "lines": lines.texts()}


def _group(alike: Sequence[JobChange], lines: _Lines) -> dict[str, Any]:
    first = alike[0]
    return {
        "kind": first.kind.value,
        "jobs": [{"set": _shown(one.of.name), "job": _shown(one.job),
                  "files": [_text(file, lines) for file in one.files]} for one in alike],
        "files": _rows(first) if first.kind is Kind.CHANGED else [],
        "varies": _varies(alike) if first.kind is Kind.NEW and len(alike) > 1 else None,
    }


def _text(file: FileChange, lines: _Lines) -> dict[str, Any]:
    return {"name": _shown(file.name), "kind": file.kind.value, "textOnly": file.is_text_only,
            "size": size(file).strip(" ()"), "lines": lines.places(file.text_lines)}


def _rows(change: JobChange) -> list[dict[str, Any]]:
    resolver = Resolver(change)
    found = []
    for file, differences in change.differences:
        rows = [[_shown(one.path), _value(one.before), _value(one.after), _shown(one.moved_to),
                 *map(_value, resolver.resolved(file, one))] for one in differences[:ROWS]]
        found.append({"name": _shown(file.name), "rows": rows, "more": max(len(differences) - ROWS, 0)})
    return found


def _varies(alike: Sequence[JobChange]) -> list[tuple[str, list[str], int]]:
    """In what new jobs of one kind differ: the key path, values, and how many more there are."""
    found = []
    for path, values in list(varying(alike).items())[:ROWS]:
        distinct = list(dict.fromkeys(map(_shown, distinct_values(values))))
        found.append((_shown(path), distinct[:_VALUES], max(len(distinct) - _VALUES, 0)))
    return found


def _value(value: Any) -> str | None:
    return None if value is MISSING else _shown(inline.value(value))


def _shown(text: str) -> str:
    more = len(text) - LONGEST
    return inline.printable(text[:LONGEST]) + (f"… ({more:,} more characters)" if more > 0 else "")

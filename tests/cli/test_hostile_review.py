"""Whatever stands in configs and in names of files, each form of a review shows it, and nothing obeys it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from markdown_it.token import Token

from expiac.cli import review_output
from expiac.declare.project import Project
from expiac.plan.formatting import printable, value
from expiac.report.review_page import page
from expiac.review.changes import Review, compare, gather
from expiac.review.snapshots import Snapshots, SnapshotSet
from expiac.view import reviews, schema
from expiac.view.review_markdown import markdown

TEXTS = ("<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "\x1b[31mred", "\x1b]0;title\x07",
         "\x9b1m", "\u202ereversed", "\u2066isolated", "a\u200bb", "`", "``````", "~~~~", "a | b", "]]>", "-->", "<!--",
         "&lt;b&gt;", "[x](javascript:alert(1))", "![x](http://example.invalid/x.png)", "*bold*", "@everyone",
         "two\nlines", "\r", "\x00", "\ud800", "\\", "$(reboot)", "{{ x }}", "</details>")
NAMES = tuple(text for text in TEXTS if not {"/", "\x00", "\n", "\r"} & {*text})
"""Those that a file may have as a name."""
RAW = "a: \x1b[2J\n`````\n</pre></script>]]> | \u202e\x00\n<script>alert(1)</script>\n"
"""No YAML: it is compared as text."""
LONG = 10_000


def config(*texts: str) -> str:
    """A config with these texts as keys and as values."""
    return json.dumps({f"{text}key": text for text in texts}, indent=2)


def review(before: str, after: str, name: str = "config.json") -> Review:
    """A review with these two configs, new and removed jobs of any name, and an error."""
    lab = SnapshotSet("lab", ("words=<b>,\u202e",))
    accepted = {f"changed.{name}": before.encode(), "raw.config.yaml": b"a: 1\n",
                **{f"{name}.config.yaml": b"a: 1\n" for name in NAMES}}
    rendered = {"changed": {name: after}, "raw": {"config.yaml": RAW}, "new": {"config.json": config("a")},
                "other": {"config.json": config("b")}}
    return gather([compare(lab, rendered, accepted)], {name: f"why\n{name}" for name in TEXTS})


@pytest.fixture(scope="module")
def hostile() -> Review:
    return review(json.dumps({f"{text}key": "old" for text in TEXTS}), config(*TEXTS))


@pytest.fixture(scope="module")
def long() -> Review:
    lines = [f"key_{number}: {number}" for number in range(1, LONG + 1)]
    return review("\n".join(lines), "\n".join(f"{line}0" for line in lines), "config.yaml")


def said(text: str) -> str:
    """A text as each form but JSON has to show it."""
    return printable(value(text))


def is_inert(text: str) -> bool:
    return text.replace("\n", "").isprintable()


def test_on_a_terminal(hostile):
    lines = [line for alike in hostile.alike for line in reviews.group_lines(alike, 80, every=True)]
    lines += [line for change in hostile.changes for line in reviews.text_lines(change)]
    lines += reviews.error_lines(hostile)
    assert all(line.isprintable() for line in lines)
    shown = "\n".join(lines)
    assert [text for text in TEXTS if said(text) not in shown] == []


def test_in_a_pipe(hostile, capsys):
    review_output.print_review(hostile, verbose=True)
    shown = capsys.readouterr().out
    assert is_inert(shown)
    assert [text for text in TEXTS if said(text) not in shown] == []


def test_as_json(hostile, capsys):
    """A parser reads the very texts, which are escaped as JSON has it."""
    review_output.print_form(hostile, Snapshots(Project(Path("/nowhere"))), json=True)
    shown = capsys.readouterr().out
    assert is_inert(shown)
    found = json.loads(shown)
    Draft202012Validator(schema.schema()).validate(found)
    (changed,) = (one for one in found["changes"] if one["job"] == "changed")
    differences = changed["files"][0]["differences"]
    assert {one["path"]: one["after"] for one in differences} == {f"{text}key": text for text in TEXTS}
    assert {*NAMES} <= {one["job"] for one in found["changes"]}
    assert {*found["errors"]} == {*TEXTS}


def tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").parse(text):
        yield token
        yield from token.children or ()


def test_as_markdown(hostile):
    """Texts are code; the only markup is ours."""
    shown = markdown(hostile)
    assert is_inert(shown)
    found = list(tokens(shown))
    assert not {token.type for token in found} & {"html_inline", "link_open", "image", "em_open"}
    ours = ("<details><summary>", "</details>")
    assert all(token.content.startswith(ours) and "<script" not in token.content
               for token in found if token.type == "html_block")
    spans = "\n".join(token.content for token in found if token.type == "code_inline")
    assert [text for text in TEXTS if said(text) not in spans] == []
    fences = "\n".join(token.content for token in found if token.type == "fence")
    assert "</pre></script>]]> |" in fences


class Parsed(HTMLParser):
    """The elements of a page, and its data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        self.data += data if tag == "script" and attributes.get("id") == "data" else ""


def test_as_a_page(hostile):
    """No element and no attribute comes from a text; the data of the scripts ends nowhere but at its end."""
    html = page(hostile).decode()
    assert is_inert(html)
    parsed, plain = Parsed(html), Parsed(page(Review()).decode())
    ours = [tag for tag, _ in plain.tags]
    assert [tag for tag, _ in parsed.tags if tag not in ("section", "p", "code")] == [
        tag for tag in ours if tag not in ("section", "p", "code")]
    assert not [name for _, attributes in parsed.tags for name in attributes if name.startswith("on")]
    found = json.loads(parsed.data)
    assert all(line.isprintable() for line in found["lines"])
    rows = {row[0]: row[2] for group in found["groups"] for file in group["files"] for row in file["rows"]}
    assert rows == {printable(f"{text}key"): said(text) for text in TEXTS}


def test_a_page_loads_nothing_and_runs_only_its_own_scripts(hostile):
    html = page(hostile).decode()
    policy = next(attributes["content"] or "" for tag, attributes in Parsed(html).tags
                  if attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline'" not in policy.partition("style-src")[0]
    assert "innerHTML" not in html
    assert "connect-src 'none'" in policy


def test_a_config_of_ten_thousand_lines(long, capsys):
    """Text and markdown show the first differences and count the others; JSON and the page's data have all."""
    (alike,) = (alike for alike in long.alike if alike[0].job == "changed")
    assert f"    and {LONG - 40:,} more" in reviews.group_lines(alike, 80)
    shown = markdown(long)
    assert len(shown) < 65_536
    assert f"  - and {LONG - 40:,} more" in shown
    assert " more lines" in shown
    review_output.print_form(long, Snapshots(Project(Path("/nowhere"))), json=True)
    found = json.loads(capsys.readouterr().out)
    assert sum(len(file["differences"]) for one in found["changes"] for file in one["files"]) == LONG
    data = json.loads(Parsed(page(long).decode()).data)
    (group,) = (group for group in data["groups"] if group["jobs"][0]["job"] == "changed")
    assert len(group["files"][0]["rows"]) + group["files"][0]["more"] == LONG
    assert len(group["jobs"][0]["files"][0]["lines"]) > 2 * LONG

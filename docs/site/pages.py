"""The pages of the site, by their names: those of `docs/`, some of the project's folder, and the reference.

A link to a file of the project that is no page, such as a stack, leads to a page that shows this file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from docs.site import reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FROM_ROOT = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "README.md": "index.md"}
"""Files of the project's folder → the pages that they are, or that stand for them."""
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))")
_FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
_LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".json": "json"}


def all_pages() -> dict[str, str]:
    """Name → Markdown. Raises `LookupError` if a link of a page leads to no file of the project."""
    pages = reference.pages()
    sources: dict[str, Path] = {}
    for file, name in _written():
        pages[name] = _with_links_of_the_site(file, name, sources)
    return pages | {name: _source(file) for name, file in sources.items()}


def _written() -> Iterator[tuple[Path, str]]:
    """The Markdown files that people write, and the names of their pages."""
    for file in sorted(DOCS.rglob("*.md")):
        yield file, file.relative_to(DOCS).as_posix()
    for path, name in FROM_ROOT.items():
        if not (DOCS / name).exists():
            yield ROOT / path, name


def _with_links_of_the_site(file: Path, page: str, sources: dict[str, Path]) -> str:
    """The text of a file as a page; adds the files that its links show to `sources`."""

    def link(found: re.Match[str]) -> str:
        target = (file.parent / found["path"]).resolve()
        if not target.is_relative_to(ROOT) or not target.exists():
            raise LookupError(f"{file.relative_to(ROOT)} has a link to {found['path']}, which is not there")
        name = _page_of(target)
        if name.startswith("source/"):
            sources[name] = target
        return os.path.relpath(name, Path(page).parent) + (found["anchor"] or "")

    parts = _FENCE.split(file.read_text(encoding="utf-8"))
    return "".join(part if part.startswith("```") else _LINK.sub(link, part) for part in parts)


def _page_of(file: Path) -> str:
    path = file.relative_to(ROOT).as_posix()
    if path in FROM_ROOT:
        return FROM_ROOT[path]
    return file.relative_to(DOCS).as_posix() if file.is_relative_to(DOCS) else f"source/{path}.md"


def _source(file: Path) -> str:
    language = _LANGUAGES.get(file.suffix, "text")
    text = file.read_text(encoding="utf-8").rstrip("\n")
    return f"# {file.relative_to(ROOT).as_posix()}\n\n````{language}\n{text}\n````\n"

"""Writes the pages and settings of the site into a folder, and lets Zensical build it; warnings are errors."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from docs.site.pages import DOCS, all_pages

HERE = Path(__file__).parent
PAGES, SITE = "pages", "site"
"""The folders in which the pages are written, and the site is made of them."""


def build(folder: Path, pages: Mapping[str, str] | None = None, nav: Any = None) -> Path:
    """Builds the site and returns its first page; of all pages in the usual navigation, if no others are given.

    Raises `LookupError` if a page is not in the navigation, or a link leads out of the project;
    `subprocess.CalledProcessError` if Zensical warns, such as of a link to a page or heading that does not exist.
    """
    for made in (PAGES, SITE):
        shutil.rmtree(folder / made, ignore_errors=True)
    pages = all_pages() if pages is None else pages
    settings = _settings(pages, nav)
    for name, text in pages.items():
        file = folder / PAGES / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    shutil.copytree(DOCS / "images", folder / PAGES / "images")
    shutil.copytree(HERE / "assets", folder / PAGES / "assets")
    file = folder / "zensical.toml"
    file.write_text(tomli_w.dumps(settings), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(file)],
                   check=True)
    return folder / SITE / "index.html"


def _settings(pages: Mapping[str, str], nav: Any) -> dict[str, Any]:
    """Those of `zensical.toml`, with the pages of a folder in place of `"folder/"` in the navigation."""
    settings = tomllib.loads((HERE / "zensical.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    project["nav"] = _expanded(nav or project["nav"], pages)
    project |= {"docs_dir": PAGES, "site_dir": SITE}
    shown = set(_names(project["nav"]))
    hidden = [name for name in pages if name not in shown and not name.startswith("source/")]
    if hidden:
        raise LookupError(f"not in the nav of docs/site/zensical.toml: {', '.join(hidden)}")
    if missing := shown - pages.keys():
        raise LookupError(f"in the nav of docs/site/zensical.toml, and not there: {', '.join(sorted(missing))}")
    return settings


def _expanded(nav: Any, pages: Mapping[str, str]) -> Any:
    match nav:
        case str() if nav.endswith("/"):
            return sorted(name for name in pages if name.startswith(nav))
        case dict():
            return {title: _expanded(part, pages) for title, part in nav.items()}
        case list():
            return [_expanded(part, pages) for part in nav]
    return nav


def _names(nav: Any) -> Iterator[str]:
    match nav:
        case str():
            yield nav
        case dict():
            for part in nav.values():
                yield from _names(part)
        case list():
            for part in nav:
                yield from _names(part)

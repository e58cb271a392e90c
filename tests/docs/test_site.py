"""The site of the documentation: it is built without a warning, and needs no network to be read."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from docs.site import pages
from docs.site.build import build

pytestmark = pytest.mark.slow

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Elements of a page → the attribute that names what the browser loads for it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly."""
    return build(tmp_path_factory.mktemp("site")).parent


class _Loaded(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.urls += [value for name, value in attributes if value and LOADS.get(tag) == name]


def _loaded(page: Path) -> Iterator[str]:
    parser = _Loaded()
    parser.feed(page.read_text(encoding="utf-8"))
    yield from parser.urls


def _is_elsewhere(url: str) -> bool:
    return ":" in url or url.startswith("//")


def test_no_page_loads_anything_from_elsewhere(site: Path):
    """Scripts, styles, icons and images are files of the site, which are there."""
    loaded = {(page, url) for page in site.rglob("*.html") for url in _loaded(page)}
    assert len(loaded) > 100
    assert [(page.name, url) for page, url in loaded if _is_elsewhere(url)] == []
    pages_at_their_place = [(page, url) for page, url in loaded if page.name != "404.html"]  # shown at any address
    assert [(page.name, url) for page, url in pages_at_their_place
            if not (page.parent / url.partition("?")[0]).is_file()] == []


def test_no_style_loads_anything_from_elsewhere(site: Path):
    """No font either."""
    texts = [file.read_text(encoding="utf-8") for file in site.rglob("*.css")]
    named = [url for text in texts for url in re.findall(r"(?:url\(|@import )['\"]?([^)'\"]*)", text)]
    assert texts
    assert [url for url in named if _is_elsewhere(url) and not url.startswith("data:")] == []


def test_the_search_works_from_a_folder(site: Path):
    """Its index is a script, which a page may load from `file://`, and so is what runs it there."""
    index = (site / "search.js").read_text(encoding="utf-8")
    assert all(f'"location":"{page}' in index for page in ("tutorial.html", "reference/commands.html"))
    assert "assets/iframe-worker.js" in (site / "index.html").read_text(encoding="utf-8")


def test_each_page_of_docs_is_in_the_site(site: Path):
    """And the changelog and the page for contributors."""
    names = [file.relative_to(pages.DOCS).with_suffix(".html") for file in pages.DOCS.rglob("*.md")]
    assert len(names) > 30
    assert [str(name) for name in (*names, "changelog.html", "contributing.html") if not (site / name).is_file()] == []


@pytest.mark.parametrize("link", ["missing.md", "#missing", "other.md#missing"])
def test_a_link_that_leads_nowhere_is_an_error(link: str, tmp_path: Path):
    """To a page and to a heading."""
    texts = {"index.md": f"# Here\n\n[there]({link})\n", "other.md": "# Other\n"}
    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path, texts, nav=["index.md", "other.md"])


def test_a_page_that_nobody_would_find_is_an_error(tmp_path: Path):
    """It is not in the navigation."""
    with pytest.raises(LookupError, match=r"not in the nav of docs/site/zensical\.toml: lost\.md"):
        build(tmp_path, {"index.md": "# Here\n", "lost.md": "# Lost\n"}, nav=["index.md"])
    with pytest.raises(LookupError, match=r"not there: gone\.md"):
        build(tmp_path, {"index.md": "# Here\n"}, nav=["index.md", "gone.md"])


def test_a_link_to_a_file_of_the_project_shows_it():
    """As a page of its own."""
    made = pages.all_pages()
    stack = (pages.ROOT / "stacks" / "lr_ab_test.py").read_text(encoding="utf-8")
    assert "](source/stacks/lr_ab_test.py.md)" in made["ab-tests.md"]
    assert stack in made["source/stacks/lr_ab_test.py.md"]

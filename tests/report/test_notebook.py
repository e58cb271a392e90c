"""The notebook: a file of Jupyter's, whose cells run to the end without network, and in which hostile text is inert."""

from __future__ import annotations

import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
from curves_lab import apply

from expiac.analysis.at import At
from expiac.report.model import Request
from expiac.report.notebook import notebook
from expiac.util.errors import ExpiacError

ROOT = Path(__file__).parents[2]
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e"


def executed(folder: Path, request: Request) -> str:
    """The notebook with its outputs, as a file."""
    made = nbformat.reads(notebook("lab", request).decode(), as_version=4)
    nbclient.NotebookClient(made, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return str(nbformat.writes(made))


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))


@pytest.mark.slow
def test_its_cells_run_to_the_end(applied):
    """The table of runs, the comparison with its warning, and a chart as SVG."""
    text = executed(applied, Request(by=["LR"]))
    for words in ("lr_2_seed_1", "fewer than 5 seeds", "image/svg+xml"):
        assert words in text
    assert "cdn.jsdelivr" not in text


@pytest.mark.slow
def test_hostile_names_are_inert_in_its_outputs(project):
    """A metric's name makes no element of the page that a notebook is."""
    apply(seeds_of_each=1)
    for file in (project / ".expiac/local").glob("lab.*/home/metrics.jsonl"):
        file.write_text(file.read_text().replace('"loss"', f'"{HOSTILE}"').replace('"reward"', f'"{HOSTILE}b"'))
    made = nbformat.reads(executed(project, Request(metric=f"{HOSTILE}b")), as_version=4)
    shown = [text for cell in made["cells"] for output in cell.get("outputs", ())
             for kind, text in output.get("data", {}).items() if kind in ("text/html", "image/svg+xml")]
    assert any("&lt;img" in text for text in shown)
    assert not any("<img" in text for text in shown)


@pytest.mark.parametrize("at", ["last", 300.0, "auc"])
def test_its_code_says_what_was_asked(at: At):
    """As Python values, whatever is in them."""
    text = notebook('x"""', Request('m"\n', at, ["a'b"], archived=True)).decode()
    cells = [cell["source"] for cell in nbformat.reads(text, as_version=4)["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        compile(cell, "cell", "exec")
    assert any(f"at={at!r}" in cell and "archived=True" in cell for cell in cells)


def test_a_missing_package_is_named(monkeypatch):
    """With the extra that brings it."""
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(ExpiacError, match=r"(?s)nbformat is not installed.*expiac\[report\]"):
        notebook("lab", Request())

"""The section of a sweep: its best trials, what mattered, and its charts; inert, whatever its settings are called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from curves_lab import HOSTILE
from parsed import Page, parse

import expiac
from expiac import api
from expiac.analysis.ranking import ranking_of
from expiac.report import sweep_charts
from expiac.report.charts import curves, library
from expiac.report.collect import collect
from expiac.report.model import Report, Request
from expiac.report.notebook import notebook
from expiac.report.page import page
from expiac.session import Session

STACK = f'''
from expiac import Job, SkypilotJobConfig, Stack, Sweep

WRITE = """
awk -v lr=$LR 'BEGIN {{
  printf "{{\\\\"step\\\\": 1, \\\\"elapsed\\\\": 1, \\\\"metrics\\\\": {{\\\\"loss\\\\": %f}}}}\\\\n", log(lr) ^ 2
}}' > metrics.jsonl
"""

def stack():
    here = SkypilotJobConfig(gpus=0, workdir=None, envs={{"LR": "0", "WORD": "a"}})
    job = Job("train", run=WRITE, outputs={{"metrics": "metrics.jsonl"}}, skypilot=here)
    return Stack("lab", [Sweep("rates", job, metric="loss", goal="minimize", over={{
        "LR": [10.0 ** -place for place in range(9)], "WORD": ["b", {HOSTILE!r}]}})])
'''


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("swept")
    (folder / "pyproject.toml").write_text("[tool.expiac]\n")
    (folder / "stacks").mkdir()
    (folder / "stacks" / "lab.py").write_text(STACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("EXPIAC_LOCAL_CPUS", "8")
        patch.setenv("EXPIAC_LOCAL_MACHINE", str(folder / "machine"))
        assert api.apply("lab", wait=True, timeout=120).is_well
        yield folder


@pytest.fixture(scope="module")
def report(swept) -> Report:
    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        return collect(session, Request(), asks=True)


@pytest.fixture(scope="module")
def shown(report) -> Page:
    return parse(page(report))


def test_it_shows_the_best_trials_and_how_to_launch_the_best_again(report, shown):
    (section,) = report.sweeps
    text = " ".join(shown.text.split())
    assert section.title == "The best 10 of 18 trials of the sweep rates"
    assert section.best[1][:2] == ["1", "rates/LR_1_0-WORD_b"]
    for words in (section.title, section.command, *section.importance):
        assert words in text
    assert section.command.startswith("expiac rerun lab.rates.LR_1_0-WORD_b.")
    assert "#sweep-0" in [link.attributes.get("href") for link in shown.all("a")]


def test_many_arms_are_neither_compared_one_by_one_nor_drawn(report, shown):
    """The best ones are; the page says so."""
    assert len(report.arms) == 10
    assert report.compared.differences == ()
    assert "The best 10 arms are shown, and 8 are not." in " ".join(shown.text.split())
    assert len(report.run_rows) == 19


def test_its_charts(shown):
    """Bars, a line through the axes for each trial, and a chart for each setting, with an axis by decades."""
    (charts,) = shown.data["sweeps"]
    drawn = [one.attributes for one in shown.all("div") if "data-sweep-chart" in one.attributes]
    assert [one["data-sweep-chart"] for one in drawn] == ["importance", "parallel", "slice", "slice"]
    bars = charts["importance"]["data"]["values"]
    assert next(bar["setting"] for bar in bars) == "LR"
    assert {line["number"] for line in charts["parallel"]["layer"][1]["data"]["values"]} == {*range(18)}
    assert charts["slices"][0]["encoding"]["x"]["scale"]["type"] == "log"
    assert charts["slices"][1]["encoding"]["x"]["type"] == "nominal"


def test_hostile_settings_are_inert(report, shown):
    """As values, and as the names of settings and metrics; no field of a chart is called after them."""
    (section,) = report.sweeps
    long = f"{HOSTILE}<b>"
    axes = tuple(replace(axis, name=long) for axis in section.drawn.axes)
    hostile = replace(section, title=long, heading=long, command=long, importance=(long,), notes=(long,),
                      drawn=replace(section.drawn, axes=axes, metric=long, shares=((long, 0.5),)))
    html = page(replace(report, sweeps=(hostile,))).decode()
    found = parse(html)
    assert not {"b", "img"} & {element.tag for element in found.elements}
    assert len(found.all("script")) == len(shown.all("script"))
    assert not {"\x1b", "\u202e"} & {*html.replace(library(), "")}
    fields = {line.split('"')[1] for line in json.dumps(found.data["sweeps"]).split('"field": ')[1:]}
    assert fields <= {"setting", "share", "order", "axis", "next", "at", "to", "low", "high", "label", "value", "trial",
                      "settings"}


def test_the_charts_in_python(swept):
    """Of more arms than a legend holds, the best ones have curves."""
    ranking = ranking_of(expiac.compare("lab", sweep="rates", refresh=False), "rates")
    for chart in (sweep_charts.importance, sweep_charts.parallel, sweep_charts.slices):
        assert chart(ranking).to_dict(validate=True)
    drawn = curves(expiac.results("lab", refresh=False), "loss").to_dict()
    rows = drawn["data"]["values"]
    assert len({row["arm"] for row in rows}) == 10


def test_the_notebook_has_cells_for_it():
    """As Python values, whatever the address is."""
    text = notebook("lab", Request(), ["a'b\n"]).decode()
    cells = [cell["source"] for cell in nbformat.reads(text, as_version=4)["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        compile(cell, "cell", "exec")
    assert any("ranking_of" in cell for cell in cells)
    assert "ranking_of" not in notebook("lab", Request()).decode()

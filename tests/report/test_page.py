"""The page: all in one file, inert whatever is in it, and to be read by everybody."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from curves_lab import HOSTILE, apply, replay_values
from parsed import Page, parse

from expiac import api
from expiac.analysis.curves import curves_of
from expiac.report.charts import library
from expiac.report.collect import ROOM, collect
from expiac.report.episode import episode_of
from expiac.report.inert import inert
from expiac.report.model import Log, Replay, Report, Request
from expiac.report.page import page
from expiac.session import Session
from expiac.state.status import Status


@pytest.fixture(scope="module")
def report(ended) -> Report:
    """Of runs that have ended, one of them badly; with an episode."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ended)
        with Session.open("lab", reporter=api.Silent(), declared=False) as session:
            session.status()
            found = collect(session, Request(), asks=True)
    return replace(found, replays=(Replay("lr_1_seed_0, step_100", episode_of(replay_values())),))


@pytest.fixture(scope="module")
def shown(report) -> Page:
    return parse(page(report))


def elements(found: Page) -> list[str]:
    return [element.tag for element in found.elements]


def test_it_loads_nothing(shown):
    """Neither an address in an attribute nor one in the style; and its policy forbids it besides."""
    addresses = [value for element in shown.elements for name, value in element.attributes.items()
                 if name in ("src", "href", "action", "srcset", "poster")
                 and not (value or "").startswith(("#", "data:"))]
    assert addresses == []
    assert "url(" not in shown.all("style")[0].text
    (policy,) = (one.attributes["content"] for one in shown.all("meta")
                 if one.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_only_its_own_scripts_run(shown):
    """Each has its digest in the policy."""
    policy = next(one.attributes["content"] for one in shown.all("meta") if "http-equiv" in one.attributes)
    scripts = [one for one in shown.all("script") if one.attributes.get("type") != "application/json"]
    digests = [base64.b64encode(hashlib.sha256(one.text.encode()).digest()).decode() for one in scripts]
    assert digests == re.findall(r"'sha256-([^']+)'", policy)


def test_it_says_what_the_runs_came_to(report, shown):
    """The comparison with its warning, what differs, the runs, and where they come from."""
    for words in ("fewer than 5 seeds (A has 2, B has 2)", "envs.LR", "lr_2_seed_1", "4 succeeded, 1 failed",
                  "stacks/lab.py", "Every value that was logged is shown", *report.compared.sentences):
        assert words in " ".join(shown.text.split())


def test_charts_have_each_run_and_its_arm(shown):
    """The scripts make bands of them."""
    data = shown.data
    assert [arm["label"] for arm in data["arms"]] == ["A: LR 1", "B: LR 2"]
    reward = data["charts"][0]
    assert (reward["metric"], len(reward["steps"]), len(reward["values"])) == ("reward", 200, 5)
    assert {run for arm in data["arms"] for run in arm["runs"]} < reward["values"].keys()


@pytest.mark.parametrize("place", ["metric", "setting", "log", "note", "replay"])
def test_hostile_text_is_inert(report, shown, place):
    """It makes no element, ends no script, and neither colours nor turns what is written."""
    long = f"{HOSTILE}<b>"
    rows = [["job"], [long]]
    hostile = {
        "metric": lambda: replace(report, curves=(replace(report.curves[0], metric=long),), step=long),
        "setting": lambda: replace(report, run_rows=rows, differing=rows, arms=tuple(
            replace(arm, label=long) for arm in report.arms)),
        "log": lambda: replace(report, logs=(Log(long, Status.FAILED, long, (long, "\x1b]0;title\x07end")),)),
        "note": lambda: replace(report, notes=(long,), facts=((long, long),)),
        "replay": lambda: replace(report, replay_notes=(long,), replays=(Replay(long, episode_of(replay_values(
            item_names=[long], objects=[{"type_name": long, "location": [1, 1]}]))),)),
    }[place]()
    html = page(hostile).decode()
    found = parse(html)
    assert "b" not in elements(found)
    assert elements(found).count("script") == elements(shown).count("script")
    assert not {"\x1b", "\u202e", "\x07"} & {*html.replace(library(), "")}
    assert json.dumps(found.data)


def test_a_line_of_10_mb_is_cut(project):
    """In the page, and while it is read."""
    stack = project / "stacks" / "lab.py"
    write = "head -c 10000000 /dev/zero | tr '\\\\0' x; printf 'first"
    stack.write_text(stack.read_text().replace("printf 'first", write))
    apply(seeds_of_each=0, fails=True)
    found = parse(html := api.report("lab"))
    assert len(html) < len(library()) + 300_000
    assert "more characters)" in found.text


def test_inert_text_keeps_what_people_write():
    """Umlauts, signs and other scripts stay; what is obeyed is spelled out, or gone with its sequence."""
    assert inert("Grüße → 学习率 ±1 שלום", 100) == "Grüße → 学习率 ±1 שלום"
    assert inert("a\x1b[2Jb\x00c\u2066d\r\ne\tf", 100) == "ab\\x00c\\u2066d\ne\tf"
    assert inert("x" * 50, 10) == "x" * 10 + "… (40 more characters)"


def test_readers_without_a_mouse_or_a_screen(shown):
    """Landmarks, one first heading and no gap below it, a label for each control, a name for each picture."""
    assert [elements(shown).count(tag) for tag in ("main", "header", "footer", "nav", "h1")] == [1] * 5
    levels = [int(element.tag[1]) for element in shown.all("h1", "h2", "h3")]
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    labelled = {element.attributes.get("for") for element in shown.all("label")}
    inside = {"log-y", "log-x", "each-run"}  # stand in their labels
    assert {element.attributes["id"] for element in shown.all("input", "select")} <= labelled | inside
    assert all(element.attributes.get("aria-label") for element in shown.all("canvas"))
    ids = [element.attributes["id"] for element in shown.elements if "id" in element.attributes]
    assert len(ids) == len({*ids})
    assert shown.all("html")[0].attributes["lang"] == "en"


def test_light_dark_paper_and_phones():
    """The style sheet knows of each."""
    from expiac.report.embedding import asset

    style = asset("page", "style.css")
    for words in ("prefers-color-scheme: dark", "@media print", "max-width: 30rem", ":focus-visible"):
        assert words in style


def test_a_hundred_long_runs_fit_on_a_page(report):
    """Ten metrics of 100 runs of 10,000 values each are thinned, which the page says."""
    runs, rows, metrics = 100, 10_000, 10
    instances = [f"lab.run_{place}.0a1b2c3d" for place in range(runs)]
    frame = pl.DataFrame({"instance": instances}).join(
        pl.DataFrame({"step": [float(step) for step in range(rows)]}), how="cross").with_columns(
        metric=pl.lit("loss"), value=pl.col("step") / 7)
    one = curves_of(frame, "loss", ROOM // (metrics * runs))
    many = tuple(replace(one, metric=f"loss_{place}") for place in range(metrics))
    html = page(replace(report, curves=many))
    assert len(html) - len(library()) < 5_000_000
    assert "of up to 10,000 that a run has logged" in " ".join(parse(html).text.split())

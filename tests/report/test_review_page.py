"""The page of a review: its data, and what a browser makes of it, where there is one."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from parsed import parse

from expiac.report.review_page import page
from expiac.review.changes import Review, compare, gather
from expiac.review.snapshots import SnapshotSet

LAB = SnapshotSet("lab")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
Files = Mapping[str, Mapping[str, str]]


def review(before: Files, after: Files, errors: Mapping[str, str] | None = None) -> Review:
    accepted = {f"{job}.{name}": text.encode() for job, files in before.items() for name, text in files.items()}
    return gather([compare(LAB, after, accepted)], errors or {})


def data(of: Review) -> dict[str, Any]:
    return parse(page(of)).data


def texts(found: dict[str, Any], file: dict[str, Any]) -> list[str]:
    return [found["lines"][place] for place in file["lines"]]


@pytest.fixture
def several() -> Review:
    """Three jobs that changed alike, one that changed otherwise, two new ones and one that is gone."""
    before = {f"job_{n}": {"config.yaml": "lr: 0.1\nsize: 8\n"} for n in range(4)}
    before["gone"] = {"task.yaml": "run: x\n"}
    after = {f"job_{n}": {"config.yaml": "lr: 0.2\nsize: 8\n"} for n in range(3)}
    after["job_3"] = {"config.yaml": "lr: 0.1\nsize: 9\n"}
    after |= {f"new_{n}": {"config.yaml": f"x: {n}\n"} for n in (1, 2)}
    return review(before, after, {"broken": "Invalid config: x"})


def test_what_changed_alike_is_one_group(several):
    groups = data(several)["groups"]
    assert [(group["kind"], [one["job"] for one in group["jobs"]]) for group in groups] == [
        ("changed", ["job_0", "job_1", "job_2"]), ("changed", ["job_3"]), ("new", ["new_1", "new_2"]),
        ("removed", ["gone"])]
    assert groups[0]["files"] == [
        {"name": "config.yaml", "rows": [["lr", "0.1", "0.2", "", None, None]], "more": 0}]
    assert groups[2]["varies"] == [["x", ["1", "2"], 0]]


def test_each_job_has_its_text_and_a_line_is_there_once(several):
    found = data(several)
    first, second, _ = found["groups"][0]["jobs"]
    assert texts(found, first["files"][0])[2:] == ["@@ -1,2 +1,2 @@", "-lr: 0.1", "+lr: 0.2", " size: 8"]
    assert first["files"][0]["lines"] == second["files"][0]["lines"]
    assert len(found["lines"]) == len(set(found["lines"]))


def test_what_interpolations_come_to():
    (group,) = data(review({"a": {"composed.yaml": "run: here\ndir: ${run}/old\n"}},
                           {"a": {"composed.yaml": "run: here\ndir: ${run}/new\n"}}))["groups"]
    assert group["files"][0]["rows"] == [["dir", "${run}/old", "${run}/new", "", "here/old", "here/new"]]


def test_long_values_and_many_differences_are_cut_and_counted():
    before = "".join(f"k{n}: 1\n" for n in range(1500))
    after = before.replace(": 1", ": " + "x" * 3000, 1).replace(": 1", ": 2")
    (group,) = data(review({"a": {"config.yaml": before}}, {"a": {"config.yaml": after}}))["groups"]
    (file,) = group["files"]
    assert (len(file["rows"]), file["more"]) == (1000, 500)
    assert file["rows"][0][2] == "x" * 2000 + "… (1,000 more characters)"


def test_it_says_what_could_not_be_rendered_and_how_many_changed(several):
    shown = parse(page(several))
    assert "4 jobs changed, 2 jobs new, 1 job removed, 1 not rendered; 0 as reviewed" in shown.text
    assert "broken is not rendered: Invalid config: x" in shown.text


def test_nothing_to_review():
    assert data(Review(unchanged=2)) == {"groups": [], "lines": []}


def in_a_browser(html: str, folder: Path, script: str = "") -> str:
    """The document after its scripts and one of the test have run, under the page's own policy."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    html = html.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    file = folder / "page.html"
    file.write_text(html.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    assert BROWSER
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
               "--window-size=1400,900", "--dump-dom"]
    done = subprocess.run([BROWSER, *options, file.as_uri()], capture_output=True, encoding="utf-8", timeout=120,
                          check=False)
    return done.stdout


SCRIPT = """
const key = (name) => dispatchEvent(new KeyboardEvent("keydown", {key: name}));
const told = [];
const tell = (what) => told.push(String(what));
const current = () => document.querySelector("[aria-current] .names").textContent;
const search = (words) => {
  const field = document.getElementById("search");
  field.value = words; field.dispatchEvent(new Event("input"));
};
tell(current());
key("j"); tell(current());
key("k"); key("k"); tell(current());
key("d"); tell(document.querySelectorAll(".diff.side td.came mark").length);
key("v"); tell(document.querySelectorAll(".diff.side").length);
key("/"); tell(document.activeElement.id);
document.activeElement.blur();
const pressed = [...document.querySelectorAll("main button")].find((one) => one.textContent.startsWith("Next"));
pressed.focus(); pressed.click(); tell(current()); tell(document.activeElement.textContent);
search("size 9"); tell(current()); tell(document.getElementById("found").textContent);
search("nowhere"); tell(document.getElementById("found").textContent);
search(""); document.activeElement.blur();
key("?"); tell(document.getElementById("help").open); document.getElementById("help").close();
const theme = document.getElementById("theme");
theme.value = "dark"; theme.dispatchEvent(new Event("change"));
tell(getComputedStyle(document.body).backgroundColor);
dispatchEvent(new Event("beforeprint")); tell(document.querySelectorAll("#paper section").length);
document.body.dataset.told = told.join("; ");
"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
def test_keys_search_colours_and_paper(several, tmp_path):
    """The scripts run under the policy of the page."""
    shown = in_a_browser(page(several).decode(), tmp_path, SCRIPT)
    (told,) = re.findall(r'data-told="([^"]*)"', shown)
    assert told.split("; ") == [
        "job_0, job_1, job_2", "job_3", "job_0, job_1, job_2", "1", "0", "search", "job_3", "Next j", "job_3",
        "1 of 4 changes", "0 of 4 changes", "true", "rgb(21, 24, 29)", "4"]


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
def test_a_thousand_changes_are_shown(tmp_path):
    """Each of its own kind."""
    before = {f"job_{n}": {"config.yaml": f"lr: {n}\n"} for n in range(1000)}
    after = {f"job_{n}": {"config.yaml": f"lr: {n}.5\n"} for n in range(1000)}
    shown = in_a_browser(page(review(before, after)).decode(), tmp_path)
    assert shown.count("<li>") == 1000
    assert re.search(r'data-ready="\d+"', shown)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
def test_a_browser_makes_no_element_of_a_text(tmp_path):
    """In keys, values, lines, names of jobs and errors."""
    hostile = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>\u202e'
    before = {"a": {"config.json": json.dumps({hostile: 1, "x": hostile})},
              hostile.replace("/", ""): {"task.yaml": hostile}}
    after = {"a": {"config.json": json.dumps({hostile: hostile, "x": 1})},
             "b": {"config.json": json.dumps({"y": hostile})}}
    script = """
const key = (name) => dispatchEvent(new KeyboardEvent("keydown", {key: name}));
key("d"); let images = 0, scripts = 0, text = "";
for (const _ of document.querySelectorAll("#groups li")) {
  images += document.querySelectorAll("img").length;
  scripts += document.querySelectorAll("main script, nav script").length;
  text += document.getElementById("detail").textContent;
  key("j");
}
document.body.dataset.told = `${images} ${scripts} ${text.split("onerror").length > 8} ${text.includes("\\u202e")}`;
"""
    shown = in_a_browser(page(review(before, after, {hostile: hostile})).decode(), tmp_path, script)
    assert re.findall(r'data-told="([^"]*)"', shown) == ["0 0 true false"]
    assert "<title>Review: 1 job changed" in shown

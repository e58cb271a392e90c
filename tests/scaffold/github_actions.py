"""A workflow of GitHub Actions without GitHub: its `run:` steps in bash, and a `gh` that keeps comments in a file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

GH = """#!{python}
import json, re, subprocess, sys
from pathlib import Path

FILE, ME, PAGE = Path({file!r}), "github-actions[bot]", 30
options, words = {{}}, sys.argv[1:]
assert words.pop(0) == "api"
flags = {{"--silent", "--paginate"}}
path = ""
while words:
    word = words.pop(0)
    if word in flags:
        options[word] = True
    elif word.startswith("--"):
        options[word] = words.pop(0)
    else:
        path = word
comments = json.loads(FILE.read_text())
if "--field" in options:
    key, _, source = options["--field"].partition("=@")
    assert key == "body"
    body = Path(source).read_text()
    if len(body) > 65536:
        sys.exit("HTTP 422: Body is too long")
match options.get("--method", "GET"), re.fullmatch("repos/lab/runs/issues/(?:comments/([0-9]+)|7/comments)", path):
    case "GET", found if found and not found[1]:
        last = len(comments) if "--paginate" in options else PAGE
        for first in range(0, last, PAGE):  # gh applies the filter to each page
            page = json.dumps(comments[first:first + PAGE])
            subprocess.run(["jq", "-r", options["--jq"]], input=page, text=True, check=True)
    case "POST", found if found and not found[1]:
        comments.append({{"id": max([0, *(one["id"] for one in comments)]) + 1, "user": {{"login": ME}}, "body": body}})
    case "PATCH", found if found and found[1]:
        (comment,) = [one for one in comments if one["id"] == int(found[1])]
        comment["body"] = body
    case call:
        sys.exit(f"HTTP 404: {{call}} {{path}}")
FILE.write_text(json.dumps(comments))
"""
VALUES = {
    "vars.EXPIAC": "", "github.token": "a-token", "github.repository": "lab/runs",
    "github.event.pull_request.number": "7"}


@dataclass(frozen=True)
class Ended:
    """How a job ended."""

    code: int
    summary: str
    printed: str


@dataclass(frozen=True)
class Actions:
    """A repository with pull request 7, whose code is in `folder`."""

    folder: Path
    place: Path
    """An empty folder, for what is GitHub's."""

    def __post_init__(self) -> None:
        self.place.mkdir()
        self.write_comments([])
        gh = self.place / "bin" / "gh"
        gh.parent.mkdir()
        gh.write_text(GH.format(python=sys.executable, file=str(self.place / "comments.json")))
        gh.chmod(0o755)

    @property
    def workflow(self) -> Mapping[Any, Any]:
        """What the file says."""
        found: Mapping[Any, Any] = yaml.safe_load((self.folder / ".github/workflows/review.yml").read_text())
        return found

    @property
    def comments(self) -> list[dict[str, Any]]:
        """Those of the pull request."""
        found: list[dict[str, Any]] = json.loads((self.place / "comments.json").read_text())
        return found

    def write_comments(self, comments: list[dict[str, Any]]) -> None:
        """Puts others in their place."""
        (self.place / "comments.json").write_text(json.dumps(comments))

    def run(self, job: str, folder: Path) -> Ended:
        """Runs the `run:` steps of a job in a folder, up to the first that fails."""
        settings = self.workflow["jobs"][job]
        summary = self.place / "summary.md"
        summary.write_text("")
        printed = ""
        for step in settings["steps"]:
            if "run" not in step:
                continue
            env = {**settings.get("env", {}), **step.get("env", {})}
            kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXPIAC_", "GITHUB_"))}
            done = subprocess.run(
                ["bash", "-e", "-c", _filled(step["run"])], cwd=folder, capture_output=True, text=True, timeout=240,
                env={**kept, **{name: _filled(value) for name, value in env.items()},
                     "GITHUB_STEP_SUMMARY": str(summary), "PATH": f"{self.place / 'bin'}:{os.environ['PATH']}"},
                check=False)
            printed += done.stdout + done.stderr
            if done.returncode:
                return Ended(done.returncode, summary.read_text(), printed)
        return Ended(0, summary.read_text(), printed)


def _filled(text: str) -> str:
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: VALUES[found[1]], text)

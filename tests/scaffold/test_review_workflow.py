"""The workflow of a new project: on each pull request one comment, kept up to date, on what would run."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from github_actions import Actions

from expiac.scaffold.create import create

ROOT = Path(__file__).parents[2]
MARKER = "<!-- expiac review -->"
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="gh filters by jq, and there is none here")


def install(folder: Path, script: str) -> None:
    """What `make setup` makes, so that it finds nothing to do: an expiac of `.venv`."""
    for name in ("expiac", "python"):
        path = folder / ".venv" / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
    (folder / ".venv" / ".installed").touch()


@pytest.fixture
def actions(tmp_path: Path) -> Actions:
    """A new project as a repository, with a pull request."""
    folder = tmp_path / "demo"
    create(str(folder), bare=False)
    install(folder, f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m expiac "$@"\n')
    return Actions(folder, tmp_path / "github")


def replay(actions: Actions) -> tuple[int, str]:
    """Both jobs, as on a push to a pull request: the exit code of the first, and the body of the comment."""
    review = actions.run("review", actions.folder)
    elsewhere = actions.place / f"runner-{len(os.listdir(actions.place))}"
    elsewhere.mkdir()
    shutil.copy(actions.folder / "comment" / "comment.md", elsewhere)
    comment = actions.run("comment", elsewhere)
    assert comment.code == 0, comment.printed
    (own,) = [one for one in actions.comments if one["user"]["login"] == "github-actions[bot]"
              and one["body"].startswith(MARKER)]
    assert own["body"] == f"{MARKER}\n{review.summary}"
    return review.code, own["body"]


@needs_jq
@pytest.mark.slow
def test_one_comment_is_kept_up_to_date(actions):
    """It is made once, and found again among those of others; an unreviewed change fails the first job."""
    quoted = [{"id": 1000 + place, "user": {"login": login}, "body": body} for place, (login, body) in enumerate([
        ("ada", f"{MARKER}\nis what the bot writes"), ("github-actions[bot]", "coverage: 97 %"),
        *[("ada", "more")] * 40])]
    actions.write_comments(quoted)
    code, body = replay(actions)
    assert (code, len(actions.comments)) == (0, len(quoted) + 1)
    assert "### Review: 2 as reviewed" in body
    assert "### `digits`: 2 to create" in body

    stack = actions.folder / "stacks" / "digits.py"
    stack.write_text(stack.read_text().replace("epochs: int = 30", "epochs: int = 31"))
    code, body = replay(actions)
    assert (code, len(actions.comments)) == (1, len(quoted) + 1)
    assert "`trainer.epochs`: `30` → `31`" in body

    (actions.folder / "stacks" / "broken.py").write_text("1 / 0\n")
    code, body = replay(actions)
    assert code == 1
    assert "    Stack program failed\n      stacks/broken.py:1: ZeroDivisionError" in body
    assert "### `digits`: 2 to create" in body
    assert actions.comments[:-1] == quoted


def test_a_long_description_is_cut_to_what_github_takes(actions):
    """It says so first; the summary of the job has all."""
    install(actions.folder, "#!/bin/sh\nseq -f 'line %.0f — of a long review' 1 4000\n")
    done = actions.run("review", actions.folder)
    comment = (actions.folder / "comment" / "comment.md").read_text()
    assert len(comment) < 65_536
    assert comment.startswith("This is a part. The summary of the job has all.\n\nline 1 ")
    assert "line 4000 " in done.summary


def test_a_bare_project_has_nothing_to_describe(actions):
    """Its stacks are yet to come, and policies are no stack."""
    (actions.folder / "stacks" / "digits.py").rename(actions.folder / "stacks" / "policies.py")
    install(actions.folder, '#!/bin/sh\necho "called: $@"\n')
    done = actions.run("review", actions.folder)
    assert (done.code, done.summary) == (0, "called: review --markdown\n")


def test_code_of_a_pull_request_meets_no_secret_and_no_right_to_write(actions):
    """Only the job that runs none of it may write, and not for a pull request from a fork."""
    text = (actions.folder / ".github/workflows/review.yml").read_text()
    assert list(actions.workflow[True]) == ["pull_request"], "yaml reads the key `on` as true"
    assert "secrets." not in text
    review, comment = actions.workflow["jobs"]["review"], actions.workflow["jobs"]["comment"]
    assert (actions.workflow["permissions"], review["permissions"]) == ({}, {"contents": "read"})
    assert comment["permissions"] == {"pull-requests": "write"}
    assert [step["uses"] for step in comment["steps"] if "uses" in step] == ["actions/download-artifact@v4"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in comment["if"]
    (checkout,) = [step for step in review["steps"] if step.get("uses", "").startswith("actions/checkout")]
    assert checkout["with"] == {"persist-credentials": False}
    scripts = [step["run"] for job in (review, comment) for step in job["steps"] if "run" in step]
    assert [script for script in scripts if "${{" in script] == [], "values reach a shell by its environment"

"""The blocks of README and docs: what each is, and how the tests hold it to its word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md")))
RUN_AS_PROJECTS = {
    "docs/extending.md": "tests/e2e/test_extending.py", "docs/your-trainer.md": "tests/e2e/test_trainers_page.py",
    "docs/testing.md": "tests/docs/test_testing_page.py", "docs/tutorial.md": "tests/e2e/test_tutorial.py",
    "docs/your-project.md": "tests/e2e/test_project_page.py"}
"""The pages whose files a test makes a project of, and runs."""
RUN_BY_A_SHELL = ("docs/ab-tests.md", "docs/lifecycle.md", "docs/report.md", "docs/results.md", "docs/review.md",
                  "docs/runs.md", "docs/templates.md")
"""The pages whose commands tests/e2e/test_page_commands.py runs, as they stand."""
RUN_ELSEWHERE = {
    ("docs/ci-review.md", "expiac new"): "tests/scaffold/test_create_project.py",
    ("docs/cost.md", "expiac cost"): "tests/analysis/test_spending.py",
    ("docs/disk.md", "expiac prune"): "tests/cli/test_prune.py",
    ("docs/evaluations.md", "expiac apply"): "tests/e2e/test_real_evaluation.py",
    ("docs/json.md", "expiac"): "tests/cli/test_json.py",
    ("docs/stack-references.md", "expiac apply"): "tests/e2e/test_stack_references.py",
    ("docs/testing.md", "expiac review"): "tests/docs/test_testing_page.py",
    ("docs/tutorial.md", ""): "tests/e2e/test_tutorial.py",
    ("docs/verify.md", "expiac"): "tests/cli/test_verify.py",
    ("docs/wandb.md", "expiac sync"): "tests/cli/test_sync.py",
    ("docs/your-project.md", "expiac new"): "tests/scaffold/test_create_project.py",
    ("docs/your-project.md", "expiac plan"): "tests/e2e/test_project_page.py",
    ("docs/your-trainer.md", "expiac plan"): "tests/e2e/test_trainers_page.py"}
"""A page and the beginning of a block: the same commands are run by that test."""
NOT_RUN = {
    "get_skypilot_service": "asks SkyPilot about a job; tests/slurm/test_skypilot.py calls the same functions",
    "python3 -m venv": "makes an environment, which the tests have",
    ". tutorial/": "enters that environment",
    "pip install": "asks a package index",
    "cd demo": "goes to a folder, where tests/e2e/test_tutorial.py stands too",
    "trainer.evaluate_policy": "needs a policy; tests/trainer/test_evaluate_policy.py runs the command",
    "sky check": "asks SkyPilot",
    "sky gpus": "asks SkyPilot",
    "tests.slurm": "needs a Slurm cluster: `make test-slurm`",
    "EXPIAC_SLURM_CLUSTER": "needs a Slurm cluster: `make test-slurm`",
    "benchmarks": "takes minutes: `make bench`",
    "from experiments.": "a program of another framework; tests/docs/test_migrating.py turns it into one of expiac",
}
"""A word of a line, and why no test runs it."""
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARKER = re.compile(r"<!-- not run: ([^>]*) -->\s*\Z")
_INDENTED = re.compile(r"(?:^    \S.*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One block of a page."""

    page: str
    line: int
    language: str
    """`sh` for what is to be typed; empty for what a screen shows, or a picture."""
    text: str
    marker: str = ""
    """Why no test runs its commands, as the page says itself: `<!-- not run: it needs SkyPilot -->`."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The lines that are to be typed, without what is said of them."""
        lines = [re.split(r"\s{2,}|\s#\s", line.strip())[0] for line in self.text.splitlines()]
        return [re.sub(r"\s*>\s*\S+$", "", line) for line in lines if line]


def blocks() -> Iterator[Block]:
    """Every block of every page."""
    for page in PAGES:
        text = (ROOT / page).read_text()
        for found in _FENCED.finditer(text):
            yield Block(page, _line(text, found.start()), found[1], found[2], _marker(text, found.start()))
        rest = _FENCED.sub(lambda found: "\n" * found[0].count("\n"), text)
        for found in _INDENTED.finditer(rest):
            is_python = found[0].lstrip().startswith(("TrainingJob(", "Job("))
            yield Block(page, _line(rest, found.start()), "python" if is_python else "sh", found[0],
                        _marker(rest, found.start()))


def _marker(text: str, position: int) -> str:
    """The remark of the page right above a block."""
    found = _MARKER.search(text[:position])
    return found[1] if found else ""


def runner_elsewhere(block: Block) -> str:
    """The test that runs the same commands; empty where there is none."""
    return next((test for (page, begins), test in RUN_ELSEWHERE.items()
                 if block.language == "sh" and block.page == page and block.text.strip().startswith(begins)), "")


def is_run(block: Block) -> bool:
    """Whether a shell runs it in a project, as it stands."""
    return block.language == "sh" and block.page in RUN_BY_A_SHELL and not block.marker


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def reason_not_run(text: str) -> str:
    """Why no test runs it; empty for what one does."""
    return next((why for word, why in NOT_RUN.items() if word in text), "")


def how(block: Block) -> str:
    """How the tests hold a block to its word, in a few words; empty where none does."""
    is_file = bool(re.match(r"# \S+\.\w+\n", block.text))
    if block.page in RUN_AS_PROJECTS and (is_file or block.language == "python"):
        return f"a file of a project: {RUN_AS_PROJECTS[block.page]}"
    if is_run(block):
        return "run by a shell: tests/e2e/test_page_commands.py"
    if other := runner_elsewhere(block):
        return f"run by {other}"
    if why := block.marker:
        return f"parsed, and not run: {why}"
    if why := reason_not_run(block.text):
        return f"not run: {why}"
    return {
        "python": "executed", "toml": "read as settings", "json": "read; documents of commands by their schema",
        "sh": "each command parsed, each script run", "yaml": "a file of a project",
        "": "not run: a screen or a picture", "text": "not run: a picture",
    }.get(block.language, "")

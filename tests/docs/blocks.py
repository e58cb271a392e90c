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
    "docs/your-project.md": "tests/e2e/test_project_page.py"}
"""The pages whose files a test makes a project of, and runs."""
NOT_RUN = {
    "get_skypilot_service": "asks SkyPilot about a job; tests/slurm/test_skypilot.py calls the same functions",
    "tests.slurm": "needs a Slurm cluster: `make test-slurm`",
    "EXPIAC_SLURM_CLUSTER": "needs a Slurm cluster: `make test-slurm`",
    "benchmarks": "takes minutes: `make bench`",
}
"""A word of a line, and why no test runs it."""
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:^    \S.*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One block of a page."""

    page: str
    line: int
    language: str
    """`sh` for what is to be typed; empty for what a screen shows, or a picture."""
    text: str

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
            yield Block(page, _line(text, found.start()), found[1], found[2])
        rest = _FENCED.sub(lambda found: "\n" * found[0].count("\n"), text)
        for found in _INDENTED.finditer(rest):
            is_python = found[0].lstrip().startswith(("TrainingJob(", "Job("))
            yield Block(page, _line(rest, found.start()), "python" if is_python else "sh", found[0])


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
    if why := reason_not_run(block.text):
        return f"not run: {why}"
    return {
        "python": "executed", "toml": "read as settings", "json": "read; documents of commands by their schema",
        "sh": "each command parsed, each script run", "yaml": "a file of a project",
        "": "not run: a screen or a picture", "text": "not run: a picture",
    }.get(block.language, "")

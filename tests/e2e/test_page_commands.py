"""The commands of a page, as they stand there, by a shell in a project of the repository's stacks."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from throwaway import LIMIT, ROOT, Folder

from tests.docs.blocks import Block, blocks, is_run

SHELL = 'set -e\nexpiac() { "$PYTHON" -m expiac "$@"; }\n'
ASKS = ("expiac apply", "expiac state push", "expiac state rm", "expiac state repair")
"""What asks for consent, for which there is no terminal."""
RUN = [block for block in blocks() if is_run(block)]


@pytest.fixture
def applied(project: Folder) -> Folder:
    """The stack of the pages, with a stand-in trainer; its runs have ended."""
    shutil.copy(ROOT / "stacks" / "lr_ab_test.py", project.root / "stacks")
    project.apply("lr_ab_test", "git_check=false")
    return project


@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_block_runs_as_it_stands(applied: Folder, block: Block) -> None:
    """Each line does what it says, one after the other; the block is what a shell reads."""
    lines = [_with_consent(line.strip()) for line in block.text.splitlines()]
    done = subprocess.run(["bash", "-c", SHELL + "\n".join(lines)], cwd=applied.root, text=True, capture_output=True,
                          env={**applied.env, "PYTHON": sys.executable}, timeout=LIMIT, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def _with_consent(line: str) -> str:
    command, hash_, comment = line.partition("  #")
    return f"{command} --yes{hash_}{comment}" if line.startswith(ASKS) else line

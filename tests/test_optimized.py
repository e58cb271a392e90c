"""`make test-optimized` leaves out what can't differ under `python -O`."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_packages_that_it_leaves_out_assert_nothing():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (named,) = re.findall(r"^WITHOUT_ASSERTIONS := (.+)$", makefile, re.MULTILINE)
    files = [file for name in named.split() for file in (ROOT / "expiac" / name).rglob("*.py")]
    asserting = [str(file.relative_to(ROOT)) for file in files
                 if any(isinstance(node, ast.Assert | ast.Name) and _is_optimized_away(node)
                        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))]
    assert len(files) > 50
    assert asserting == []


def _is_optimized_away(node: ast.Assert | ast.Name) -> bool:
    return isinstance(node, ast.Assert) or node.id == "__debug__"

"""Under `python -O` (`make test-optimized`) the assertions of expiac are gone, and those of the tests are not."""

from __future__ import annotations

import ast
import dis
import os
import re
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from expiac.testing.contract import wait_until

ROOT = Path(__file__).parents[1]
TESTS_TO_SHIP = tuple(ROOT / "expiac" / "testing" / name for name in ("contract.py", "bench.py"))
"""Modules of tests that are part of expiac: their assertions are tests' assertions."""


def assertions_in(code: CodeType) -> int:
    """How many `assert` statements this code runs, functions within it included."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    here = sum(instruction.opname == "LOAD_ASSERTION_ERROR" for instruction in dis.get_instructions(code))
    return here + sum(assertions_in(one) for one in inner)


@pytest.mark.parametrize("package", ["expiac", "trainer"])
def test_the_assertions_of_a_package_run_only_without_O(package):
    """Were none stripped, a run under `python -O` would prove nothing."""
    files = [file for file in (ROOT / package).rglob("*.py") if file not in TESTS_TO_SHIP]
    codes = [SourceFileLoader("any", str(file)).get_code("any") for file in files]
    assert (sum(assertions_in(code) for code in codes) == 0) == bool(sys.flags.optimize)


def test_child_processes_are_optimized_as_this_one_is():
    """Workers of pytest-xdist and the commands that tests start take it from the environment, not from `-O`."""
    assert int(os.environ.get("PYTHONOPTIMIZE") or 0) == sys.flags.optimize, "set PYTHONOPTIMIZE=1 in place of -O"


def test_an_assertion_of_a_test_fails():
    """With or without `-O`."""
    with pytest.raises(AssertionError):
        assert sys.flags.optimize < 0


def test_an_assertion_of_the_contract_suite_fails():
    """With or without `-O`."""
    with pytest.raises(AssertionError, match="waited too long"):
        wait_until(lambda: False, 0.0)


def test_the_assertions_of_every_helper_fail():
    """Of each helper module that the tests collected with this one have imported."""
    helpers = [module for module in list(sys.modules.values())
               if (ROOT / "tests") in Path(getattr(module, "__file__", None) or "/").parents]
    plain = [module.__name__ for module in helpers if not isinstance(module.__loader__, AssertionRewritingHook)
             and "assert " in Path(str(module.__file__)).read_text()]
    assert plain == []


def test_packages_that_are_left_out_assert_nothing():
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

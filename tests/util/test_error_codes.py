"""Each error has a code that programs can match; the table, the code and the docs say the same."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from expiac.util import errors
from expiac.util.error_codes import SUMMARIES
from expiac.util.errors import ExpiacError, Locked, Stale, UsageError, did_you_mean

ROOT = Path(__file__).parents[2]
KINDS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, ExpiacError)}


def summaries_in_code() -> Iterator[tuple[str, str]]:
    """Each summary that the package raises, and where."""
    for file in sorted((ROOT / "expiac").rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(summary)), *_]) if name in KINDS:
                    yield summary, f"{file.relative_to(ROOT)}:{node.lineno}"
                case ast.Tuple(elts=[ast.Constant(value=str(summary)), _]) if file.stem == "error_translation":
                    yield summary, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_each_error_of_the_package_has_a_code() -> None:
    assert [place for summary, place in summaries_in_code() if summary not in SUMMARIES.values()] == []


def test_each_code_belongs_to_an_error() -> None:
    text = "".join(file.read_text("utf-8") for file in (ROOT / "expiac").rglob("*.py") if file.stem != "error_codes")
    assert [code for code, summary in SUMMARIES.items() if f'"{summary}' not in text] == [], "no row for nothing"


def test_no_two_codes_share_a_summary() -> None:
    assert len(set(SUMMARIES.values())) == len(SUMMARIES)


def test_the_docs_list_the_codes() -> None:
    rows = [line for line in (ROOT / "docs/errors.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    assert rows == [f"| `{code}` | {summary} |" for code, summary in SUMMARIES.items()]


def test_the_table_is_sorted() -> None:
    assert list(SUMMARIES) == sorted(SUMMARIES)


@pytest.mark.parametrize(("error", "code"), [
    (UsageError("No such stack", "x"), "no-such-stack"),
    (Locked("Locked"), "locked"),
    (ExpiacError("A mistake in my own provider"), "error"),
    (Stale("My own summary"), "stale"),
    (ExpiacError("A mistake in my own provider", code="mine"), "mine"),
])
def test_an_error_knows_its_code(error: ExpiacError, code: str) -> None:
    assert error.code == code


def test_the_code_survives_a_trip_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(ExpiacError("My own summary", "x", code="mine"))).code == "mine"


def test_a_hint_of_thousands_of_words_is_short():
    hint = did_you_mean("x", [f"job_{number:04}" for number in range(3000)])
    assert hint.endswith("job_0039, and 2,960 more")

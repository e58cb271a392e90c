"""A pytest plugin: what stacks render to and what a plan of them says, in tests of your own (docs/testing.md).

    def test_arena(expiac_stack, expiac_snapshot):
        assert expiac_stack("arena").renderings == expiac_snapshot

pytest loads this module at the start of every session, also where no test is of expiac. So it imports nothing but
pytest until a fixture of it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from expiac.pytest_plugin.snapshots import ReviewedSnapshot
    from expiac.pytest_plugin.stacks import LoadStack, StackUnderTest

__all__ = ["expiac_each_stack", "expiac_snapshot", "expiac_stack"]

_EACH = "expiac_each_stack"
_HERE = __name__


@pytest.fixture(scope="session")
def _expiac_empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which plans find no state; nothing is ever recorded there."""
    return tmp_path_factory.mktemp("expiac")


@pytest.fixture
def expiac_stack(request: pytest.FixtureRequest, _expiac_empty_state: Path) -> LoadStack:
    """Loads a stack of the project that the test file lies in: `expiac_stack("arena", "gpus=4")`, or `{"gpus": 4}`.

    Raises what `expiac plan` would print, as an `ExpiacError`: `UsageError` for an override that there is not.
    """
    from expiac.pytest_plugin.stacks import LoadStack, project_of

    return LoadStack(project_of(request.path, request.config.rootpath), _expiac_empty_state)


@pytest.fixture
def expiac_each_stack(request: pytest.FixtureRequest, expiac_stack: LoadStack) -> StackUnderTest:
    """One stack of the project: a test with this argument runs once for each, and for each set of overrides that has
    snapshots."""
    program, overrides = request.param
    return expiac_stack(program, *overrides)


@pytest.fixture
def expiac_snapshot(request: pytest.FixtureRequest) -> ReviewedSnapshot:
    """Equal to the renderings of a stack if the project's reviewed snapshots are. Needs syrupy."""
    from expiac.pytest_plugin.requirements import require_syrupy

    require_syrupy(request.config)
    from expiac.pytest_plugin.snapshots import ReviewedSnapshot

    return ReviewedSnapshot(request)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes a test for each stack of a function with the argument `expiac_each_stack`."""
    if _EACH not in metafunc.fixturenames:
        return
    from expiac.pytest_plugin.stacks import cases, project_of

    found = cases(project_of(metafunc.definition.path, metafunc.config.rootpath))
    metafunc.parametrize(_EACH, found.values(), ids=found, indirect=True)


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> list[str] | None:
    """What a failed comparison with the snapshots shows."""
    if op != "==" or (snapshots := sys.modules.get(f"{_HERE}.snapshots")) is None:
        return None
    explanation: list[str] | None = snapshots.explanation(left, right)
    return explanation


@pytest.hookimpl(wrapper=True, trylast=True)  # after syrupy's own, and before the summary is printed
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Reports or removes the snapshots of jobs that are gone."""
    result = yield
    if (unused := sys.modules.get(f"{_HERE}.unused")) is not None:
        unused.finish(session)
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes what a worker of pytest-xdist found unused."""
    if names := getattr(node, "workeroutput", {}).get("expiac_unused"):
        from expiac.pytest_plugin import unused

        unused.add(node.config, names)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what syrupy's own summary does not say."""
    if (unused := sys.modules.get(f"{_HERE}.unused")) is not None:
        for line in unused.summary_lines(config):
            terminalreporter.write_line(line)

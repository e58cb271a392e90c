"""Renders a stack where there is no state, also one that uses outputs of other stacks.

A job finds such an output in its environment, and no rendered file of it says what it is. So a stand-in will do, and
where the value would be written into a file, there is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from expiac.compile.prepare import desired
from expiac.compile.run_addresses import Address, Elsewhere
from expiac.declare.project import Project
from expiac.declare.stack import Stack
from expiac.declare.stack_reference import StackRef
from expiac.review.changes import Rendered
from expiac.review.renderings import reviewed_files
from expiac.state.facts import Reference
from expiac.util.errors import ExpiacError

_HINT = "renderings to be reviewed go by no state: use the output in an environment variable of the job"


def render(stack: Stack, project: Project) -> Rendered:
    """The texts by job and file name, as `expiac review` has them. `project` has an empty state.

    Raises `ExpiacError` for a file in which a value or a run of another stack would stand.
    """
    found: dict[str, dict[str, str]] = {}
    for want in desired(stack, project, elsewhere=Elsewhere(_refuse_run, _stand_in)):
        found[want.address] = dict(reviewed_files(want, project, stack.name))
        for name, ref in _shown(found[want.address], want.references):
            raise ExpiacError("No such stack", f"{want.address}: {name} would show the value of {ref}", _HINT)
    return found


def _stand_in(ref: StackRef) -> Reference:
    return Reference(str(ref), ref.stack, ref.resource, ref.output, "", 0, f"@{ref.said}@")


def _refuse_run(address: str) -> Address:
    raise ExpiacError("No such run", f"{address}: no state is known here", _HINT)


def _shown(texts: Mapping[str, str], references: tuple[Reference, ...]) -> Iterator[tuple[str, str]]:
    """The files in which a stand-in has got, each with what it stands for."""
    for name, text in texts.items():
        yield from ((name, one.text) for one in references if one.value in text)

"""Compares a patched stack file, without overrides, with a run: `python -m expiac.apply.promotion_check`, with JSON on
stdin. A process of its own, so that neither the patched file nor what it imports stays in this one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from expiac.apply.stack_outputs import elsewhere
from expiac.compile.prepare import desired
from expiac.declare.fields import Kind
from expiac.declare.program import load
from expiac.declare.project import find_project
from expiac.plan import formatting
from expiac.plan.diff import diff
from expiac.util.errors import ExpiacError


def check(root: str, file: str, addresses: list[str], inputs: dict[str, Any], stack: str) -> list[str]:
    """How what the file declares under a name of a run differs from its settings; nothing where it does not."""
    project = find_project(Path(root))
    declared = load(project, file).stack
    if declared.name != stack:
        return [f"the stack would be called {declared.name}"]
    found = [[f"{one.path}: {formatting.value(one.before)} → {formatting.value(one.after)}"
              for one in diff(inputs, want.inputs, want.kinds) if one.kind is Kind.IDENTITY]
             for want in desired(declared, project, elsewhere=elsewhere(project)) if want.address in addresses]
    return min(found, key=len) if found else [f"it would declare no {addresses[0]}"]


if __name__ == "__main__":
    try:
        found = check(**json.load(sys.stdin))
    except ExpiacError as error:
        found = [str(error)]
    print(json.dumps(found))

"""What a stack exports: the outputs, by name, that other stacks and scripts use. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expiac.declare.resource import refs_in
from expiac.plan.model import Plan
from expiac.state.model import Record, State


@dataclass(frozen=True, slots=True)
class Exported:
    """One exported output, as the state has it."""

    name: str
    address: str
    """The resource that has the output."""
    output: str
    record: Record | None
    """The present record of that resource; None where there is none."""

    @property
    def value(self) -> Any:
        """Its value; None where the run has not left it, or has not ended well."""
        return self.record.outputs.get(self.output) if self.record is not None and self.record.is_met else None


def exported_by(state: State) -> list[Exported]:
    """Every output that a stack exports, in the order of its declaration."""
    found = [(name, *_source(text)) for name, text in state.outputs.items()]
    return [Exported(name, address, output, state.records.get(address)) for name, address, output in found]


def exported_under(name: str, state: State) -> Exported | None:
    """The output that a stack exports under a name; None where there is none."""
    return next((one for one in exported_by(state) if one.name == name), None)


def changes_of_exports(plan: Plan) -> list[str]:
    """A line for each output that the plan exports otherwise than the last apply."""
    if plan.previous_outputs is None:
        return []
    before, after = plan.previous_outputs, plan.outputs
    return [_change(name, before, after) for name in {**before, **after} if before.get(name) != after.get(name)]


def _change(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    if name not in after:
        return f"no longer exports {name}"
    earlier = f"{'.'.join(_source(before[name]))} → " if name in before else ""
    return f"exports {name}: {earlier}{'.'.join(_source(after[name]))}"


def _source(text: str) -> tuple[str, str]:
    """The resource and its output."""
    ref = next(refs_in(text))
    return ref.resource, ref.output

"""What the documents and lines of `--json` are made of: names, numbers and words, each with its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from expiac.plan.model import MISSING, Action

Json = Mapping[str, Any]
FormatVersion = TypeAliasType("FormatVersion", Literal[1])
Name = TypeAliasType("Name", Annotated[str, Field(min_length=1)])
Names = TypeAliasType("Names", Sequence[Name])
Instance = TypeAliasType("Instance", Annotated[str, Field(
    pattern=r"^.+\..+\.[0-9a-f]{8}$",
    description="Folder, backend job name and W&B run id: `<stack>.<address>.<8 hex>`.")])
Launch = TypeAliasType("Launch", Annotated[int, Field(ge=1, description="Which launch of the run, from 1.")])
Lineage = TypeAliasType("Lineage", Annotated[str, Field(
    pattern="^[0-9a-f]{32}$", description="The name of one state file.")])
Serial = TypeAliasType("Serial", Annotated[int, Field(
    ge=0, description="How many decisions the state has seen.")])
AsOf = TypeAliasType("AsOf", Annotated[str | None, Field(
    description="When the backends were last asked about what had not ended then, ISO 8601, UTC; null where they were "
                "asked just now, and where nothing here may change by itself.",
    json_schema_extra={"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]})])
Overrides = TypeAliasType("Overrides", Mapping[str, str])
Count = Annotated[int, Field(ge=0)]
Dollars = TypeAliasType("Dollars", Annotated[float, Field(ge=0)] | None)
Figure = TypeAliasType("Figure", Annotated[float | None, Field(
    description="Null where it is no number, as of a loss that diverged.")])
Figures = TypeAliasType("Figures", Mapping[str, Figure])
_ACTIONS = [action.value for action in Action]
Absent = Literal["before", "after"] | None
Summary = TypeAliasType("Summary", Annotated[Mapping[str, Count], Field(
    description="How many steps of each action, zeros included.",
    json_schema_extra={"required": _ACTIONS, "propertyNames": {"enum": _ACTIONS}})])


def or_null(value: Any) -> Any:
    """A value, and null for one that is not there."""
    return None if value is MISSING else value


def absent(before: Any, after: Any) -> Absent:
    """Which of two values is not there."""
    return "before" if before is MISSING else "after" if after is MISSING else None

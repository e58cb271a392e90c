"""The lines of events that `--json` prints, as types. `schema` makes a JSON Schema of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from expiac.plan.model import Action
from expiac.state.status import Status
from expiac.view.documents import Plan, Resource
from expiac.view.parts import FormatVersion, Instance, Launch, Name, Names


class _Line(TypedDict):
    """What every line has."""

    format_version: FormatVersion
    at: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
    """When it was told: ISO 8601, UTC."""


class NamedStep(TypedDict):
    """Which step a line is about."""

    address: Name
    action: Action
    instance: Instance
    launch: Launch


class Error(TypedDict):
    """An error, as it is printed."""

    code: str
    """Stable; docs/errors.md lists the codes."""
    summary: str
    """The same words for each mistake of a kind."""
    detail: str
    hint: str
    """What can be pasted; may be empty."""


class Began(_Line):
    """The plan is being carried out."""

    event: Literal["began"]
    plan: Plan


class StepBegan(_Line, NamedStep):
    """The step has begun."""

    event: Literal["step_began"]


class StepEnded(_Line, NamedStep):
    """The step was done; `status` is how its resource is now."""

    event: Literal["step_ended"]
    status: Status
    detail: str


class StepFailed(_Line, NamedStep):
    """The step was not done, or it is not known whether it was."""

    event: Literal["step_failed"]
    error: Error


class StepSkipped(_Line, NamedStep):
    """The step will not be done by this command."""

    event: Literal["step_skipped"]
    why: str


class StepDeferred(_Line, NamedStep):
    """The step waits for a run to succeed; with --wait it may begin later."""

    event: Literal["step_deferred"]
    why: str


class Seen(_Line, Resource):
    """A resource at a look while waiting, where something of it has changed since the last one."""

    event: Literal["seen"]


class SearchLeft(_Line):
    """A search with which the watch does not go on, at the first look and where that has changed."""

    event: Literal["search_left"]
    search: Name
    left: int
    """How many of its trials are still to be proposed."""
    trials: int
    """How many it has in all."""
    command: str
    """What goes on with it."""


class Warned(_Line):
    """What goes wrong besides; the command goes on."""

    event: Literal["warned"]
    text: str


class Stopping(_Line):
    """^C was heard: nothing new is begun."""

    event: Literal["stopping"]


class Results(TypedDict):
    """What a command came to."""

    is_well: bool
    """Everything that was to be done now was done, and no run that was waited for ended badly."""
    interrupted: bool
    done: Names
    failed: Names
    skipped: Names
    deferred: Names
    seen: Sequence[Resource]
    """Where it waited: how each resource is at the last look."""


class Finished(_Line, Results):
    """What it came to; the last line."""

    event: Literal["finished"]


class ErrorLine(_Line, Error):
    """An error has ended the command; the last line of every command with `--json`."""

    event: Literal["error"]


Event = TypeAliasType("Event", Annotated[
    Began | StepBegan | StepEnded | StepFailed | StepSkipped | StepDeferred | Seen | SearchLeft | Warned | Stopping
    | Finished | ErrorLine,
    Field(discriminator="event", description="One line of `--json` of apply, destroy, import and status --watch, and "
                                             "the error that ended any command.")])

"""How expiac treats a resource, whatever the resource is: options decide no result and are no inputs.

The record of a resource holds the options that count after its declaration is gone.
"""

from __future__ import annotations

from dataclasses import field, fields, replace
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict
from pydantic.dataclasses import dataclass

from expiac.declare.expectations import Expectations
from expiac.util import duration


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Hooks:
    """Shell commands around a create and a delete, run where expiac runs, in the project's root.

    Each gets `EXPIAC_STACK`, `EXPIAC_JOB`, `EXPIAC_INSTANCE` and `EXPIAC_LAUNCH`; all but `before_create` also get each
    known output `x` as `EXPIAC_OUTPUT_x`. If a `before_` hook fails, its create or delete is not carried out. If expiac
    is killed while a `before_` hook runs, the next apply runs the hook again; it does not run an `after_` hook again.
    """

    before_create: str = ""
    after_create: str = ""
    before_delete: str = ""
    after_delete: str = ""
    notify: str = ""
    """When the run has succeeded or failed, or is stuck: docs/notify.md says what it gets."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Options:
    """What may happen to a resource, and how."""

    protect: bool = False
    """Refuse every plan that would stop, replace or forget it, or move it while it runs."""
    retain: bool = False
    """Where it is replaced, removed or destroyed while it runs, forget it and let it go on."""
    timeout: Annotated[int | str | None, AfterValidator(duration.validate)] = None
    """How long a create, update or delete may take: seconds, or `10m`; the next apply sees what became of it."""
    hooks: Hooks = Hooks()
    expect: Expectations = field(default_factory=dict)
    """Metric → the bound that its last value has to meet, such as `>= 12`: a run that ends well and misses one has
    failed. The field `expect` of a job is short for this one."""
    max_idle: Annotated[int | str | None, AfterValidator(duration.validate)] = None
    """How long a run may print and log nothing before a notice says that it is stuck: seconds, or `30m`. It ends
    nothing. The field `max_idle` of a job is short for this one."""
    ignore_changes: tuple[str, ...] = ()
    """Key paths, as a plan shows them, that keep the values of the run that is recorded: `total_timesteps`, `env.*`."""
    replace_on_changes: tuple[str, ...] = ()
    """Key paths whose change makes a new run, whatever kind of field it is: `gpus`, `image`."""
    aliases: tuple[str, ...] = ()
    """Names that it had before: a record under one of them becomes its own, and nothing is launched."""
    reuse: bool = True
    """Take a run of the same settings that exists already, whatever its name. False where the settings do not decide
    the result, so that every new job needs a run of its own."""

    def __deepcopy__(self, memo: Any) -> Options:
        return self  # pydantic copies a default for each resource and each record, and nothing changes this one

    @property
    def lasting(self) -> Options:
        """What is recorded; the rest speaks of a declaration."""
        if self.reuse and not (self.ignore_changes or self.replace_on_changes or self.aliases):
            return self
        return replace(self, ignore_changes=(), replace_on_changes=(), aliases=(), reuse=True)

    def by_path(self) -> dict[str, Any]:
        """The recorded options by key path, as a plan shows them."""
        own = {"protect": self.protect, "retain": self.retain, "timeout": self.timeout,
               "expect": dict(self.expect), "max_idle": self.max_idle}
        hooks = {f"hooks.{field.name}": getattr(self.hooks, field.name) for field in fields(Hooks)}
        return {f"options.{name}": value for name, value in (own | hooks).items()}


"""A `Job`: any command on any backend, and what every job says of where it runs.

Knows the declarations only; `expiac.compile` makes texts of them, and what planning compares.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import to_jsonable_python

from expiac.declare.config import Config
from expiac.declare.expectations import Expectations
from expiac.declare.fields import Annotation, Kind, Option, Placement, kinds_of, non_default_fields
from expiac.declare.placement_fields import (
    Cpus,
    Disk,
    Folder,
    Gpus,
    Memory,
    Place,
    Port,
    VariableName,
    VariableText,
)
from expiac.declare.resource import Resource
from expiac.util import duration
from expiac.util.errors import ExpiacError
from expiac.util.gpus import parse_gpus


class SkypilotJobConfig(Config):
    """Where and on what a job runs, on any backend."""

    gpus: Placement[Gpus] = None
    """Per node: a count, or a type and a count such as `H100:8`. By default 1 for a training job, and none for another.
    A machine without any runs the job on its CPU."""
    nodes: Annotated[Placement[int], Field(ge=1)] = 1
    spot: Placement[bool] = False
    """Use preemptible machines."""
    infra: Placement[Place] = None
    """A backend (`local`, or one of the project's own), or a place of SkyPilot's (`aws/us-east-1`, `k8s/ctx`,
    `slurm/name`); None is the project's backend."""
    cpus: Placement[Cpus] = None
    """Per node: `4`, or `4+` for at least."""
    memory: Placement[Memory] = None
    """GiB per node: `16`, or `16+` for at least."""
    region: Placement[Place] = None
    image: Placement[Place] = None
    disk: Placement[Disk] = None
    """GiB."""
    envs: dict[VariableName, VariableText] = dataclasses.field(default_factory=dict)
    """Environment variables of the job."""
    file_mounts: dict[str, str | dict[str, Any]] = dataclasses.field(default_factory=dict)
    """Target on the machine → source here, compared by target and content. On a cloud also `s3://bucket/path`, which is
    copied, or what SkyPilot mounts: `{"source": "s3://bucket", "mode": "MOUNT"}`."""
    data_dir: Placement[Folder] = None
    """Where the job leaves what it makes, in its `DATA_DIR`; None is the project's. What is to outlive the machine,
    such as the checkpoints that a recovery resumes from, needs a shared file system or a mounted bucket."""
    workdir: str | None = "."
    """The folder, from the project's root, that goes along as working directory; None for none."""
    run: str = ""
    """Shell command of a training job in place of the project's."""
    setup: str = ""
    """Shell script that runs once before the job."""
    managed: Placement[bool] = True
    """A managed job, which SkyPilot recovers; False for one on a cluster of its own, which goes with the job."""
    autostop: Annotated[Placement[int], Field(ge=1)] = 60
    """Minutes after which the cluster of a job that is not managed goes by itself, once the job has ended."""
    any_of: Placement[list[dict[str, Any]]] = dataclasses.field(default_factory=list)
    """Alternatives for SkyPilot to choose from, in its own keys (`infra`, `accelerators`, `use_spot`, …)."""
    ports: Placement[list[Port]] = dataclasses.field(default_factory=list)
    """Ports to open on a cloud: `8080`, or `10020-10040`."""
    secrets: Placement[list[VariableName]] = dataclasses.field(default_factory=list)
    """Names of variables that the job gets from the environment of whoever launches it; no value is ever written."""
    max_runtime: Annotated[Placement[int | str | None], AfterValidator(duration.validate)] = None
    """Seconds, or `90m`, `12h`, `2d`: the command is ended when it runs longer; counts anew after a recovery."""
    max_restarts: Annotated[Placement[int], Field(ge=0)] = 0
    """How often SkyPilot starts the job again after it failed by itself; preemptions are recovered always."""
    recover_on_exit_codes: Placement[list[Annotated[int, Field(ge=0, le=255)]]] = dataclasses.field(
        default_factory=list)
    """Exit codes after which SkyPilot starts the job again, however often."""
    priority: Annotated[Annotation[int | None], Field(ge=-1000, le=1000)] = None
    """In SkyPilot's queue, of the next launch; higher goes first."""
    labels: Annotation[dict[str, str]] = dataclasses.field(default_factory=dict)
    """What a cloud writes on the machines of the next launch."""
    git_check: Option[bool | None] = None
    """Refuse to launch from a tree that is not committed and pushed; None is the project's choice."""


PLACEMENT_KINDS: Mapping[str, Kind] = MappingProxyType(kinds_of(SkypilotJobConfig))
"""What kind of thing each field of a placement is."""


class Job(Resource):
    """Any command on any backend."""

    type: ClassVar[str] = "job"
    completes: ClassVar[bool] = True
    default_gpus: ClassVar[int] = 0

    run: str
    """The shell command."""
    skypilot: SkypilotJobConfig = dataclasses.field(default_factory=SkypilotJobConfig)
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    """Output name → its path from the job's working directory; what other resources refer to."""
    tags: Annotation[tuple[str, ...]] = ()
    notes: Annotation[str] = ""
    expect: Option[Expectations] = dataclasses.field(default_factory=dict)
    """Metric → the bound that its last value has to meet, such as `>= 12`; a run that misses one has failed."""
    max_idle: Option[Annotated[int | str | None, AfterValidator(duration.validate)]] = None
    """How long it may print and log nothing before a notice says that it is stuck: seconds, or `30m`."""
    pin_code: Option[bool] = False
    """Count the working tree's content as part of what the job is."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.skypilot.run:
            raise ExpiacError("Two commands", f"job {self.name} has a run of its own, and one in skypilot",
                              f"Job({self.name!r}, run=…)")

    def inputs(self) -> dict[str, Any]:
        """As of any resource, with the placement's fields among the others."""
        given = super().inputs()
        given.pop("skypilot", None)
        return given | placement_inputs(self.skypilot)

    def kinds(self) -> dict[str, Kind]:
        return kinds_of(type(self)) | kinds_of(SkypilotJobConfig)

    def output_names(self) -> frozenset[str] | None:
        return frozenset(self.outputs)

    def output_paths(self) -> dict[str, str]:
        return dict(self.outputs)


def placement_inputs(place: SkypilotJobConfig) -> dict[str, Any]:
    """The placement's fields as inputs of the job itself."""
    kinds = PLACEMENT_KINDS
    placed = non_default_fields(place)
    return {name: to_jsonable_python(value) for name, value in placed.items() if kinds[name] is not Kind.OPTION}


def accelerators(gpus: int | str, default: str) -> str | None:
    """SkyPilot's `TYPE:COUNT` of a `gpus` field, or None for no GPU.

    A bare count takes the project's `accelerator`; `default` may be empty, and then the count stands alone.
    """
    text = str(gpus).strip()
    if text in ("0", ""):
        return None
    try:
        asked = parse_gpus(text)
    except ValueError as error:
        raise ExpiacError("Invalid gpus", f"gpus={text!r}",
                          "a count such as 4, or a type and a count: H100:8") from error
    name = asked.type or default
    return f"{name}:{asked.count}" if name else asked.count

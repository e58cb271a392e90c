"""A project: the nearest parent folder whose `pyproject.toml` has `[tool.expiac]`, and what it says there."""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from expiac.declare.evaluation_settings import EvaluationSettings
from expiac.declare.metrics import MetricSettings
from expiac.declare.notify import NotifySettings
from expiac.declare.training_settings import TrainingSettings
from expiac.util.errors import ExpiacError, UsageError, did_you_mean

STATE = "EXPIAC_STATE"
"""The variable that says where the states are, in place of `[tool.expiac] state`."""
EVALUATION = "evaluation"
"""The type of evaluations among resources."""
_NEARLY_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)(?::(?!//)/?|//)")
RUN = """\
set -e
launch="python -m"
if [ "${SKYPILOT_NUM_NODES:-1}" -gt 1 ] || [ "${SKYPILOT_NUM_GPUS_PER_NODE:-0}" -gt 1 ]; then
  processes=${SKYPILOT_NUM_GPUS_PER_NODE:-1}
  [ "$processes" -gt 0 ] || processes=1
  # A port of its own for each run, so that several can share a machine.
  port=$((20000 + 0x${EXPIAC_INSTANCE##*.} % 20000))
  launch="python -m torch.distributed.run --nnodes=$SKYPILOT_NUM_NODES --node-rank=$SKYPILOT_NODE_RANK"
  launch="$launch --nproc-per-node=$processes --master-addr=$(echo "$SKYPILOT_NODE_IPS" | head -n1)"
  launch="$launch --master-port=$port -m"
fi
exec $launch trainer +experiments=@instance@ run_name=@instance@
"""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Project:
    """Where things are and what the project chose; every path is from the root."""

    root: Path
    backend: str = "local"
    """The backend, or the place of SkyPilot's, of jobs that do not say."""
    schema: str = ""
    """`module:Class` of the trainer's config; empty where it has none, and then nothing is composed."""
    stacks: Path = Path("stacks")
    """The folder of the stack files."""
    templates: Path = Path("templates")
    """The folder of templates that replace expiac's own."""
    configs: Path = Path("configs")
    """The folder of the Hydra configs."""
    snapshots: Path = Path("snapshots")
    """The folder of reviewed renderings."""
    state: Annotated[str, BeforeValidator(str)] = ".expiac"
    """The folder of the states, or the address of a store that a team shares: `s3://bucket/expiac`."""
    run: str = RUN
    """The shell command of a training job."""
    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Output name → path, with interpolations of the composed config."""
    data_dir: str = "./train_dir"
    """Where training jobs leave what they make, on their machine; they find it in `DATA_DIR`."""
    git_check: bool | None = None
    """Refuse launches of jobs that do not say from a tree that is not committed and pushed; None: those that SkyPilot
    runs."""
    max_running: Annotated[int | None, Field(ge=1)] = None
    """How many jobs of a stack that does not say may be live at once."""
    accelerator: str = ""
    """The GPU type of a bare count."""
    providers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Resource type, or name of a backend, → `module:Class` of its provider."""
    training: TrainingSettings = dataclasses.field(default_factory=TrainingSettings)
    """What training configs stand on, and how a job gets its own."""
    evaluation: EvaluationSettings = dataclasses.field(default_factory=EvaluationSettings)
    """How policies are evaluated: the command, and what configs of evaluations stand on."""
    metrics: MetricSettings = dataclasses.field(default_factory=MetricSettings)
    """Which metrics `status` and results show, and how."""
    notify: NotifySettings = dataclasses.field(default_factory=NotifySettings)
    """What is called when a run has ended, or is stuck."""
    policies: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Shipped policies by name, with what each is given: `max_gpus = 16`."""

    @property
    def state_folder(self) -> Path:
        """What is of this checkout alone; the states too, unless they are shared."""
        return self.root / (".expiac" if self.state_url else self.state)

    @property
    def state_url(self) -> str:
        """The store of shared states; empty where they are files in the folder."""
        return self.state if "://" in self.state else ""

    def of_resource(self, type: str) -> Project:
        """The project as a resource of this type finds it: an evaluation has a command and a schema of its own."""
        if type != EVALUATION:
            return self
        own = self.evaluation
        return dataclasses.replace(self, schema=own.schema, run=own.run, outputs=own.outputs, training=own)


def find_project(start: Path) -> Project:
    """The project that `start` lies in."""
    for folder in (start, *start.parents):
        settings = _settings(folder / "pyproject.toml")
        if settings is not None:
            return _validate(folder, settings)
    raise ExpiacError("No project here", f"no pyproject.toml with [tool.expiac] in {start} or above",
                      "expiac new NAME, or make this folder a project: echo '[tool.expiac]' >> pyproject.toml")


def _settings(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ExpiacError("Invalid pyproject.toml", f"{file}: {error}") from error
    tool = document.get("tool", {})
    settings = tool.get("expiac") if isinstance(tool, dict) else None
    if settings is not None and not isinstance(settings, dict):
        raise ExpiacError("Invalid pyproject.toml", f"{file}: tool.expiac is {settings!r}, and should be a table",
                          "[tool.expiac]")
    return settings


def _refuse_unclear_state(state: str, source: str) -> None:
    """Raises where an address lacks a character: as a folder it would be empty, and all would be launched anew."""
    if not (match := _NEARLY_URL.match(state)):
        return
    scheme, rest = match["scheme"], state[match.end():].lstrip("/")
    raise UsageError("Unclear place of the states", f"{source}: {state} is no address, and hardly a folder",
                     f"{scheme}://{rest} is a store, ./{state} a folder")


def _validate(root: Path, settings: dict[str, Any]) -> Project:
    from_environment = {"state": state} if (state := os.environ.get(STATE)) else {}
    try:
        project = TypeAdapter(Project).validate_python({"root": root, **settings, **from_environment})
        _refuse_unclear_state(project.state, "--state or EXPIAC_STATE" if state else "[tool.expiac] state")
        return project
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        known = [field.name for field in dataclasses.fields(Project) if field.name != "root"]
        hint = did_you_mean(key, known) if first["type"] == "unexpected_keyword_argument" else ""
        where = ".".join(str(part) for part in first["loc"] if str(part) in str(settings) or part == first["loc"][0])
        raise ExpiacError("Invalid pyproject.toml", f"{root / 'pyproject.toml'}: [tool.expiac] {where}: {first['msg']}",
                          hint) from error

"""What the commands of the trainer share: a composed and checked config, ranks, signals, the tracker, and exit codes.

Imports no torch before the config is checked.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from trainer.config import Device, WandbConfig
from trainer.errors import TrainerError

if TYPE_CHECKING:
    from trainer.ranks import Ranks
    from trainer.stop import Stop
    from trainer.tracking import Tracker

C = TypeVar("C")


class RunConfig(Protocol):
    """What the config of every command has."""

    run_name: str
    run_dir: str
    device: Device
    wandb: WandbConfig

    def to_json(self) -> str: ...


def config_folder() -> Path:
    """The working folder's `configs/` if it has one, else the one beside this package."""
    here = Path.cwd() / "configs"
    return here if (here / "config.yaml").is_file() else Path(__file__).resolve().parent.parent / "configs"


def validate(composed: DictConfig, schema: type[C], primary: str) -> C:
    """The composed config as a value. Exits with a message for each key that is wrong."""
    try:
        config = OmegaConf.to_object(composed)
    except ValidationError as error:
        sys.exit("\n".join(["Invalid config", *(_describe(error.title, problem) for problem in error.errors())]))
    except OmegaConfBaseException as error:
        sys.exit(f"Invalid config\n  {error.__cause__ or error}")
    if not isinstance(config, schema):
        sys.exit(f"Invalid config\n  configs/{primary}.yaml: root_schema is not among its defaults")
    return config


def main(schema: type[C], primary: str, launch: Callable[[C], int]) -> None:
    """Compose the primary config with what the command line says, launch it, and exit with the code of that."""
    store: Any = ConfigStore.instance()
    store.store("root_schema", node=schema)  # the first default of the primary config
    configs: list[C] = []

    @hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=primary)  # type: ignore[untyped-decorator]
    def compose(composed: DictConfig) -> None:
        configs.append(validate(composed, schema, primary))

    compose()
    try:
        # Outside of Hydra, which would cut our tracebacks short. With --help or --cfg there is nothing to run.
        sys.exit(launch(configs[0]) if configs else 0)
    except KeyboardInterrupt:
        sys.exit(130)


def do_share(config: RunConfig, work: "Callable[[Ranks, Stop, Tracker], None]", *, stopped: str) -> int:
    """Do this process's share of the work, and give its exit code. Where a signal has stopped it, say what is next.

    The first process of the first node has the tracker; the others have one that keeps nothing.
    """
    from trainer import ranks
    from trainer.stop import Stop, Stopped
    from trainer.tracking import NullTracker, Tracker, track

    stop = Stop().install_handlers()
    joined = ranks.join(config.device)
    code = 1
    tracker: Tracker = NullTracker()
    try:
        if is_first(joined):
            values = json.loads(config.to_json())
            tracker = track(config.wandb, run_name=config.run_name, run_dir=Path(config.run_dir), values=values)
        work(joined, stop, tracker)
        code = 0
    except Stopped as by_signal:
        code = by_signal.exit_code
        print(f"stopped; {stopped}", flush=True)
    except TrainerError as error:
        print(f"error: {error}", file=sys.stderr)
    finally:
        tracker.finish(code)
        ranks.leave()
    return code


def is_first(joined: "Ranks") -> bool:
    """Whether this is the first process of all: nodes that have not joined each other each have a first one."""
    return joined.is_first and os.environ.get("SKYPILOT_NODE_RANK", "0") == "0"


def _describe(title: str, problem: object) -> str:
    assert isinstance(problem, dict)
    where = ".".join([title, *map(str, problem["loc"])])
    return f"  {where}: {problem['msg']}" + (f" (given: {problem['input']!r})" if problem["loc"] else "")

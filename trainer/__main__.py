"""The command line: `python -m trainer +experiments=<instance> run_name=<instance> [key=value …]`.

Composes the config with Hydra, checks it with the schema, trains. Exit codes: 0 trained, 1 error, 143 stopped by
SIGTERM with its checkpoint written, 130 by ^C. Imports torch only after the config is checked.
"""

import json
import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from trainer.config import Config, register


def config_folder() -> Path:
    """The working folder's `configs/` if it has one, else the one beside this package."""
    here = Path.cwd() / "configs"
    return here if (here / "config.yaml").is_file() else Path(__file__).resolve().parent.parent / "configs"


def validate(composed: DictConfig) -> Config:
    """The composed config as a value. Exits with a message for each key that is wrong."""
    try:
        config = OmegaConf.to_object(composed)
    except ValidationError as error:
        sys.exit("\n".join(["Invalid config", *(_describe(error.title, problem) for problem in error.errors())]))
    except OmegaConfBaseException as error:
        sys.exit(f"Invalid config\n  {error.__cause__ or error}")
    if not isinstance(config, Config):
        sys.exit("Invalid config\n  configs/config.yaml: root_schema is not among its defaults")
    return config


def launch(config: Config) -> int:
    """Train, and return the exit code."""
    from trainer import ranks
    from trainer.errors import TrainerError
    from trainer.stop import Stop, Stopped
    from trainer.tracking import NullTracker, Tracker, track
    from trainer.train import train

    stop = Stop().install_handlers()
    joined = ranks.join(config.device)
    code = 1
    tracker: Tracker = NullTracker()
    try:
        if joined.is_first:
            values = json.loads(config.to_json())
            tracker = track(config.wandb, run_name=config.run_name, run_dir=Path(config.run_dir), values=values)
        train(config, joined, stop, tracker)
        code = 0
    except Stopped as stopped:
        code = stopped.exit_code
        print(f"stopped; {config.trainer.checkpoint.checkpoint_dir} has all that is needed to resume", flush=True)
    except TrainerError as error:
        print(f"error: {error}", file=sys.stderr)
    finally:
        tracker.finish(code)
        ranks.leave()
    return code


def _describe(title: str, problem: object) -> str:
    assert isinstance(problem, dict)
    where = ".".join([title, *map(str, problem["loc"])])
    return f"  {where}: {problem['msg']}" + (f" (given: {problem['input']!r})" if problem["loc"] else "")


def main() -> None:
    register()
    configs: list[Config] = []

    @hydra.main(version_base="1.3", config_path=str(config_folder()), config_name="config")  # type: ignore[untyped-decorator]
    def compose(composed: DictConfig) -> None:
        configs.append(validate(composed))

    compose()
    try:
        # Outside of Hydra, which would cut our tracebacks short. With --help or --cfg there is nothing to run.
        sys.exit(launch(configs[0]) if configs else 0)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

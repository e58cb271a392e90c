"""The command line: `python -m trainer +experiments=<instance> run_name=<instance> [key=value …]`.

Composes the config with Hydra, checks it with the schema, trains. Exit codes: 0 trained, 1 error, 143 stopped by
SIGTERM with its checkpoint written, 130 by ^C. Imports torch only once the config is known to be good.
"""

import json
import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from trainer.config import Config, register


def configs() -> Path:
    """The working folder's `configs/`, where there is one; else the ones that lie beside this package."""
    here = Path.cwd() / "configs"
    return here if (here / "config.yaml").is_file() else Path(__file__).resolve().parent.parent / "configs"


def validated(composed: DictConfig) -> Config:
    """The composed config as a value. Exits with what is wrong, key by key."""
    try:
        config = OmegaConf.to_object(composed)
    except ValidationError as error:
        sys.exit("\n".join(["Invalid config", *(_sentence(error.title, problem) for problem in error.errors())]))
    except OmegaConfBaseException as error:
        sys.exit(f"Invalid config\n  {error.__cause__ or error}")
    assert isinstance(config, Config)
    return config


def launch(config: Config) -> int:
    """Train, and give the process's exit code."""
    from trainer import ranks
    from trainer.errors import TrainerError
    from trainer.stop import Stop, Stopped
    from trainer.tracking import Tracker, Untracked, track
    from trainer.train import train

    stop = Stop().listen()
    together = ranks.join(config.device)
    code = 1
    tracker: Tracker = Untracked()
    try:
        if together.is_first:
            values = json.loads(config.to_json())
            tracker = track(config.wandb, run_name=config.run_name, run_dir=Path(config.run_dir), values=values)
        train(config, together, stop, tracker)
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


def _sentence(title: str, problem: object) -> str:
    assert isinstance(problem, dict)
    where = ".".join([title, *map(str, problem["loc"])])
    return f"  {where}: {problem['msg']}" + (f" (given: {problem['input']!r})" if problem["loc"] else "")


def main() -> None:
    register()
    given: list[Config] = []

    @hydra.main(version_base="1.3", config_path=str(configs()), config_name="config")  # type: ignore[untyped-decorator]
    def take(composed: DictConfig) -> None:
        given.append(validated(composed))

    take()
    try:
        # Outside of Hydra, which would cut our tracebacks short. With --help or --cfg there is nothing to run.
        sys.exit(launch(given[0]) if given else 0)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

"""The command line: `python -m trainer +experiments=<instance> run_name=<instance> [key=value …]`.

Composes the config with Hydra, checks it with the schema, trains. Exit codes: 0 trained, 1 error, 143 stopped by
SIGTERM and 130 by ^C, with the checkpoint of the last whole epoch written.
"""

import os
import sys

import hydra
from omegaconf import DictConfig, OmegaConf
from pydantic import ValidationError

from trainer.config import Config
from trainer.stop import Stop


@hydra.main(version_base="1.3", config_path="../configs", config_name="config")
def main(composed: DictConfig) -> None:
    """Trains one run, and exits with its code."""
    stop = Stop().install_handlers()
    try:
        config = Config.model_validate(OmegaConf.to_container(composed, resolve=True))
    except ValidationError as error:
        sys.exit(f"Invalid config\n{error}")

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the arrays are small: more threads take more time
    from trainer.train import train  # imports NumPy, which reads this variable

    is_complete = train(config, stop)
    sys.exit(0 if is_complete else stop.exit_code)


if __name__ == "__main__":
    main()

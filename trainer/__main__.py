"""The command line: `python -m trainer +experiments=<instance> run_name=<instance> [key=value …]`.

Composes the config with Hydra, checks it with the schema, trains. Exit codes: 0 trained, 1 error, 143 stopped by
SIGTERM with its checkpoint written, 130 by ^C. Imports torch only after the config is checked.
"""

from functools import partial

from trainer import command
from trainer.config import Config


def launch(config: Config) -> int:
    """Train, and return the exit code."""
    from trainer.train import train

    folder = config.trainer.checkpoint.checkpoint_dir
    return command.do_share(config, partial(train, config), stopped=f"{folder} has all that is needed to resume")


def main() -> None:
    command.main(Config, "config", launch)


if __name__ == "__main__":
    main()

"""The command line: `python -m trainer +experiments=<instance> run_name=<instance> [key=value …]`.

Composes the config with Hydra, checks it with the schema, trains. Exit codes: 0 trained, 1 error, 143 stopped by
SIGTERM with its checkpoint written, 130 by ^C. Imports torch only after the config is checked.
"""

import json
import sys
from pathlib import Path

from trainer import command
from trainer.config import Config


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


def main() -> None:
    command.main(Config, "config", launch)


if __name__ == "__main__":
    main()

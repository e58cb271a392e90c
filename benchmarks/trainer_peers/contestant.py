"""`python -m benchmarks.trainer_peers.contestant NAME [OVERRIDE …]`: one contestant, which trains in the turns it gets.

It reads its turns from stdin and answers on stdout; what libraries print goes to stderr.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import torch

from benchmarks.trainer_peers.case import config_of
from benchmarks.trainer_peers.turns import NoMoreTurns, Turns
from trainer.config import Config

Train = Callable[[Config, Turns], None]
"""Trains until `Turns.count`, which it calls after each update, raises `NoMoreTurns`."""
CONTESTANTS = {
    "simulator": "simulator:train", "expiac": "expiac_trainer:train", "loop": "plain_loop:train",
    "sb3": "stable_baselines:train", "sb3-separate": "stable_baselines:train_separate",
    "torchrl": "torchrl_loop:train",
}  # fmt: skip
"""The module and the function of each contestant, imported in its own process only."""


def run(name: str, overrides: list[str], turns: Turns) -> None:
    """Train as the contestant of this name does, until there are no more turns."""
    module, function = CONTESTANTS[name].split(":")
    train: Train = getattr(import_module(f"benchmarks.trainer_peers.{module}"), function)
    with tempfile.TemporaryDirectory(prefix="expiac-trainer-peers-") as folder, suppress(NoMoreTurns):
        config = config_of(Path(folder), *overrides)
        torch.set_num_threads(config.trainer.torch_threads)
        torch.manual_seed(config.seed)
        train(config, turns)


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    run(sys.argv[1], sys.argv[2:], Turns(sys.stdin, answers))


if __name__ == "__main__":
    main()

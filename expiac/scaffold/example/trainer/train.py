"""The training loop: an epoch, its metrics, its checkpoint.

What a run computes depends on its config and seed only: interrupted and resumed, it ends with the same weights.
"""

import time
from pathlib import Path

import numpy as np

from trainer import checkpoint, digits
from trainer.checkpoint import Checkpoint
from trainer.config import Config, TrainerConfig
from trainer.metrics import MetricsFile
from trainer.network import Weights, accuracy, initial_weights, loss_and_gradients
from trainer.optimizer import Optimizer
from trainer.stop import Stop


def train(config: Config, stop: Stop) -> bool:
    """Trains to the last epoch, or until `stop` is requested; returns whether the run is complete."""
    settings, folder = config.trainer, Path(config.run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    train_set, test_set = digits.load()
    file = folder / "checkpoint.npz"
    start = checkpoint.load(file) or first_checkpoint(config)
    weights, optimizer = start.weights, Optimizer(settings.optimizer, start.weights)
    optimizer.state |= start.optimizer
    metrics = MetricsFile(folder / "metrics.jsonl", epoch=start.epoch, epochs=settings.epochs)
    started_at = time.monotonic() - start.elapsed

    for epoch in range(start.epoch + 1, settings.epochs + 1):
        if stop.is_requested:
            return False
        loss = train_epoch(epoch, weights, optimizer, train_set, config)
        elapsed = time.monotonic() - started_at
        metrics.write(epoch, elapsed, {"loss": loss, "accuracy": accuracy(weights, *test_set)})
        checkpoint.save(file, Checkpoint(epoch, elapsed, weights, optimizer.state))
    return True


def first_checkpoint(config: Config) -> Checkpoint:
    """Where a run begins."""
    weights = initial_weights(config.trainer.network, np.random.default_rng(config.seed))
    return Checkpoint(epoch=0, elapsed=0.0, weights=weights, optimizer={})


def train_epoch(epoch: int, weights: Weights, optimizer: Optimizer, data: digits.Digits, config: Config) -> float:
    """Takes a step for each batch, in an order that the seed and the epoch decide. Returns the mean loss."""
    settings = config.trainer
    order = np.random.default_rng((config.seed, epoch)).permutation(len(data.labels))
    losses = []
    for batch in np.split(order, range(settings.batch_size, len(order), settings.batch_size)):
        loss, gradients = loss_and_gradients(weights, data.images[batch], data.labels[batch])
        optimizer.step(weights, gradients, learning_rate(epoch, settings))
        losses.append(loss)
    return float(np.mean(losses))


def learning_rate(epoch: int, settings: TrainerConfig) -> float:
    """Falls in a line, from the whole rate in the first epoch towards zero after the last."""
    return settings.optimizer.learning_rate * (1 - (epoch - 1) / settings.epochs)

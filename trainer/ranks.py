"""The processes that train together: one by default, several under `torchrun`.

Every rank has environments of its own and the same policy; gradients are averaged, and rank 0 alone writes. Decisions
that all ranks must share (to stop, to resume) go through here. Knows nothing of what is trained.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from trainer.config import Device


@dataclass(frozen=True)
class Ranks:
    """This process's rank among `world` processes, and the device that it computes on."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter], flag: bool = False) -> bool:
        """Replace every gradient by its mean over all ranks; gives whether `flag` is true on any rank.

        One exchange on CPUs. On GPUs two: to read a flag from among the gradients would wait for them.
        """
        if self.world == 1:
            return flag
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([*(g.flatten() for g in gradients), gradients[0].new_full((1,), flag)])
        dist.all_reduce(flat)
        flat /= self.world
        *means, flags = torch.split(flat, [*(g.numel() for g in gradients), 1])
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))
        return self.any(flag) if flags.is_cuda else bool(flags > 0)

    def mean(self, *values: float) -> list[float]:
        """The means of some numbers over all ranks."""
        means = torch.tensor(values, dtype=torch.float32)  # on the CPU, where reading them waits for no GPU
        if self.world > 1:
            dist.all_reduce(means)
            means /= self.world
        return list(means.tolist())

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true on any rank; every rank gets the same answer."""
        return flag if self.world == 1 else self.mean(float(flag))[0] > 0

    def gather(self, value: Any) -> list[Any]:
        """Every rank's value, in order, on every rank."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        dist.all_gather_object(values, value)
        return values

    def broadcast(self, value: Any) -> Any:
        """The first rank's value, on every rank."""
        if self.world == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]


def join(device: Device) -> Ranks:
    """Join the process group that `torchrun` describes in the environment; alone if it describes none."""
    world, rank, local = (int(os.environ.get(name, default)) for name, default in _ENVIRONMENT)
    cuda = torch.cuda.is_available() if device is Device.auto else device is Device.cuda
    own_device = torch.device("cuda", local % max(1, torch.cuda.device_count())) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(own_device)
    if world > 1:
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    return Ranks(rank, world, own_device)


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


_ENVIRONMENT = (("WORLD_SIZE", "1"), ("RANK", "0"), ("LOCAL_RANK", "0"))

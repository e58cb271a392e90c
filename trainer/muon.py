"""Muon: orthogonalized momentum, for matrices. Jordan et al. 2024, https://kellerjordan.github.io/posts/muon

Does what `torch.optim.Muon` with `match_rms_adamw` does, in float32: torch's goes through bfloat16, which most CPUs
emulate, thirty times slower on matrices of our size.
"""

from collections.abc import Iterable
from math import sqrt
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Steps 2-D parameters; its learning rate means what Adam's does (Liu et al. 2025, arXiv:2502.16982)."""

    def __init__(self, parameters: Iterable[Tensor], *, lr: float, weight_decay: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                mean = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                mean.lerp_(weight.grad, 1 - group["momentum"])
                update = orthogonalize(weight.grad.lerp(mean, group["momentum"]))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-group["lr"] * 0.2 * sqrt(max(weight.shape)))


def orthogonalize(matrix: Tensor, *, steps: int = 5) -> Tensor:
    """Near to U Vᵀ of the matrix's U S Vᵀ, by Newton–Schulz: singular values end between about 0.7 and 1.2."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    orthogonal: Tensor = x.T if tall else x
    return orthogonal

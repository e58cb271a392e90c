"""Features that are 0 or 1, and mostly 0, as the places of their ones: all that a linear layer needs to know of them.

Of what agents see in a grid, one feature in twenty is 1. Adding up the weights at the ones costs a fraction of a
product with all the zeros. Exact, but for the order in which numbers are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag


@dataclass(frozen=True)
class Ones:
    """The ones of B rows of F features: row after row, the column of each."""

    features: int
    columns: NDArray[np.int32]  # (K,) of all rows, one after the other
    ends: NDArray[np.int64]  # (B,) where each row's columns end

    @classmethod
    def of(cls, features_BF: Tensor) -> Ones:
        """The ones of features in the CPU's memory, each a byte that is 0 or 1."""
        is_one_BF = features_BF.numpy().view(np.bool_)
        rows, features = is_one_BF.shape
        counts = np.count_nonzero(is_one_BF, axis=1)
        columns = np.flatnonzero(is_one_BF) - np.repeat(np.arange(0, rows * features, features), counts)
        return cls(features, columns.astype(np.int32), counts.cumsum())

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index_B: Tensor) -> Ones:
        """These rows, in this order."""
        rows = index_B.numpy()
        counts = self.counts[rows]
        ends = counts.cumsum()
        places = np.repeat(self.ends[rows] - ends, counts) + np.arange(counts.sum())
        return Ones(self.features, self.columns[places], ends)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many ones each row has (B)."""
        return np.diff(self.ends, prepend=0)

    def transposed(self) -> Ones:
        """The ones column by column: the rows, as columns."""
        order = np.argsort(self.columns.astype(np.min_scalar_type(self.features)), kind="stable")  # a radix sort
        rows = np.repeat(np.arange(len(self), dtype=np.int32), self.counts)
        ends = np.bincount(self.columns, minlength=self.features).cumsum()
        return Ones(len(self), rows[order], ends)

    def times(self, weight_FH: Tensor) -> Tensor:
        """The matrix product (B, H) with a weight, to which gradients flow."""
        product_BH: Tensor = _Product.apply(weight_FH, self)  # type: ignore[no-untyped-call]
        return product_BH


def _product(ones: Ones, weight_FH: Tensor) -> Tensor:
    begins = torch.from_numpy((ones.ends - ones.counts).astype(np.int32))
    return embedding_bag(torch.from_numpy(ones.columns), weight_FH, begins, mode="sum")


class _Product(torch.autograd.Function):
    """The gradient of a weight is the same product, of the ones transposed and the gradient that arrives."""

    @staticmethod
    def forward(ctx: Any, weight_FH: Tensor, ones: Ones) -> Tensor:
        ctx.ones = ones
        return _product(ones, weight_FH)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient_BH: Tensor) -> tuple[Tensor, None]:
        return _product(ctx.ones.transposed(), gradient_BH.contiguous()), None


class Linear(torch.nn.Linear):
    """A linear layer that takes rows of numbers as well as the places of their ones."""

    def forward(self, input: Tensor | Ones) -> Tensor:
        """The outputs (B, H) for features (B, F)."""
        if isinstance(input, Ones):
            return input.times(self.weight.t().contiguous()).add_(self.bias)
        return super().forward(input)

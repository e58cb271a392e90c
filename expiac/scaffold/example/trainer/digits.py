"""The data: 1797 handwritten digits of 8 × 8 pixels, which ship with scikit-learn. A fifth of them is the test set."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

DARKEST = 16.0
TEST_SHARE = 0.2
SPLIT_SEED = 0  # the same test set for every run


class Digits(NamedTuple):
    """Images in (N, 8, 8) with pixels from 0 to 1, and their labels in (N,)."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def load() -> tuple[Digits, Digits]:
    """The training set and the test set."""
    data = load_digits()
    images = (data.images / DARKEST).astype(np.float32)
    parts = train_test_split(images, data.target, test_size=TEST_SHARE, random_state=SPLIT_SEED, stratify=data.target)
    train_images, test_images, train_labels, test_labels = parts
    return Digits(train_images, train_labels), Digits(test_images, test_labels)

"""What an agent may observe, made by hand."""

import numpy as np

from trainer.envs.spec import ObservationKind, ObservationSpec


def vector(size: int) -> ObservationSpec:
    """Features (size), as marked cells are."""
    return ObservationSpec(ObservationKind.features, (size,), np.uint8)

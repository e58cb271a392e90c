"""A small convolutional network with its gradients, as pure functions of arrays.

    image → 3 × 3 convolution → ReLU → 2 × 2 max pooling → hidden layer → ReLU → logits

The letters at the end of a name are its axes: B images of a batch, H rows and W columns, F filters, P patch of pixels,
U units of the hidden layer, C classes.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from trainer.config import NetworkConfig

Array = NDArray[Any]
Weights = dict[str, Array]
SIZE, CLASSES = 8, 10
PATCH = 3
POOL = 2


class Activations(NamedTuple):
    """What the layers compute for a batch: the gradients need it."""

    patches_BHWP: Array
    filtered_BHWF: Array
    pooled_BHWF: Array
    hidden_BU: Array
    logits_BC: Array


def initial_weights(config: NetworkConfig, generator: np.random.Generator) -> Weights:
    """Normally distributed, with the variance 2 / fan-in of He et al. 2015; the biases are zero."""
    pooled = (SIZE // POOL) ** 2 * config.filters
    shapes = {
        "filters": (PATCH * PATCH, config.filters),
        "hidden": (pooled, config.hidden),
        "output": (config.hidden, CLASSES),
    }
    weights: Weights = {}
    for name, (fan_in, fan_out) in shapes.items():
        scale = np.sqrt(2 / fan_in)
        weights[name] = generator.normal(0, scale, (fan_in, fan_out)).astype(np.float32)
        weights[f"{name}_bias"] = np.zeros(fan_out, np.float32)
    return weights


def forward(weights: Weights, images_BHW: Array) -> Activations:
    """From images to logits."""
    patches_BHWP = _patches(images_BHW)
    filtered_BHWF = _relu(patches_BHWP @ weights["filters"] + weights["filters_bias"])
    pooled_BHWF = _windows(filtered_BHWF).max(axis=(2, 4))
    flat = pooled_BHWF.reshape(len(images_BHW), -1)
    hidden_BU = _relu(flat @ weights["hidden"] + weights["hidden_bias"])
    logits_BC = hidden_BU @ weights["output"] + weights["output_bias"]
    return Activations(patches_BHWP, filtered_BHWF, pooled_BHWF, hidden_BU, logits_BC)


def loss_and_gradients(weights: Weights, images_BHW: Array, labels_B: Array) -> tuple[float, Weights]:
    """The mean cross entropy of a batch, and its gradient for each weight, by the chain rule from back to front."""
    layers = forward(weights, images_BHW)
    loss, logits_gradient_BC = _cross_entropy(layers.logits_BC, labels_B)
    gradients: Weights = {
        "output": layers.hidden_BU.T @ logits_gradient_BC,
        "output_bias": logits_gradient_BC.sum(axis=0),
    }

    hidden_gradient_BU = (logits_gradient_BC @ weights["output"].T) * (layers.hidden_BU > 0)
    flat = layers.pooled_BHWF.reshape(len(images_BHW), -1)
    gradients["hidden"] = flat.T @ hidden_gradient_BU
    gradients["hidden_bias"] = hidden_gradient_BU.sum(axis=0)

    pooled_gradient_BHWF = (hidden_gradient_BU @ weights["hidden"].T).reshape(layers.pooled_BHWF.shape)
    filtered_gradient_BHWF = _unpool(pooled_gradient_BHWF, layers) * (layers.filtered_BHWF > 0)
    gradients["filters"] = _rows(layers.patches_BHWP).T @ _rows(filtered_gradient_BHWF)
    gradients["filters_bias"] = filtered_gradient_BHWF.sum(axis=(0, 1, 2))
    return loss, gradients


def accuracy(weights: Weights, images_BHW: Array, labels_B: Array) -> float:
    """The share of images whose label has the largest logit."""
    predicted_B = forward(weights, images_BHW).logits_BC.argmax(axis=1)
    return float((predicted_B == labels_B).mean())


def _patches(images_BHW: Array) -> Array:
    """The pixels around each pixel, in (B, H, W, P); there are zeros around the image."""
    margin = PATCH // 2
    padded = np.pad(images_BHW, ((0, 0), (margin, margin), (margin, margin)))
    return sliding_window_view(padded, (PATCH, PATCH), axis=(1, 2)).reshape(*images_BHW.shape, PATCH * PATCH)


def _windows(filtered_BHWF: Array) -> Array:
    """The same values with each row and each column of pooling windows as an axis of its own."""
    batch, height, width, filters = filtered_BHWF.shape
    return filtered_BHWF.reshape(batch, height // POOL, POOL, width // POOL, POOL, filters)


def _unpool(pooled_gradient_BHWF: Array, layers: Activations) -> Array:
    """The gradient of each window goes to the value that was its maximum."""
    is_maximum = _windows(layers.filtered_BHWF) == layers.pooled_BHWF[:, :, None, :, None]
    spread: Array = is_maximum * pooled_gradient_BHWF[:, :, None, :, None]
    return spread.reshape(layers.filtered_BHWF.shape)


def _rows(values: Array) -> Array:
    """All but the last axis as one."""
    return values.reshape(-1, values.shape[-1])


def _relu(values: Array) -> Array:
    return np.maximum(values, 0)


def _cross_entropy(logits_BC: Array, labels_B: Array) -> tuple[float, Array]:
    """The mean over the batch, and its gradient for the logits: softmax minus one-hot."""
    shifted_BC = logits_BC - logits_BC.max(axis=1, keepdims=True)
    logprob_BC = shifted_BC - np.log(np.exp(shifted_BC).sum(axis=1, keepdims=True))
    batch = np.arange(len(labels_B))
    loss = -float(logprob_BC[batch, labels_B].mean())
    gradient_BC = np.exp(logprob_BC)
    gradient_BC[batch, labels_B] -= 1
    return loss, gradient_BC / len(labels_B)

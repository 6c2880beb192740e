"""Logits and gold spans -> the loss of the paper (section 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def focal_loss(
    logits: Tensor,
    targets: Tensor,
    mask: Tensor,
    *,
    alpha: float = 0.75,
    gamma: float = 0.0,
    smoothing: float = 0.0,
) -> Tensor:
    """Return the summed binary cross-entropy, positives weighted `alpha`, negatives `1 - alpha`.

    Args:
        logits: any shape.
        targets: 0 or 1, same shape.
        mask: 1 where the position counts; broadcasts to the shape of `logits`.
        alpha: weight of positives; a negative value switches the weighting off.
        gamma: focal exponent, 0 for none.
        smoothing: label smoothing, `y <- y (1 - a) + 0.5 a` (paper 2.3, self-learning).

    Returns:
        The sum, a scalar in float32.
    """
    logits = logits.float()
    soft = targets * (1 - smoothing) + 0.5 * smoothing if smoothing else targets
    loss = functional.binary_cross_entropy_with_logits(logits, soft, reduction="none")
    if gamma:
        p = torch.sigmoid(logits)
        p_right = p * targets + (1 - p) * (1 - targets)
        loss = loss * (1 - p_right) ** gamma
    if alpha >= 0:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return (loss * mask).sum()

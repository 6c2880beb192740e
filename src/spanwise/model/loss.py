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


def ranking_loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the summed cross-entropy of a softmax over all words and "nowhere", label by label.

    Where one span is wanted, as the answer of a question, its first and its last word compete with
    all other words and with "nowhere", whose logit is 0: the logit at which a probability of one
    half is reached, so that what wins against it passes the usual threshold. SQuAD readers are
    trained so (Devlin et al. 2018, arXiv 1810.04805, section 4.3), with a learned score in place of
    that 0. Of several wanted spans it is enough that one wins.

    Args:
        logits: `[batch, words, labels, 3]`; only those of starts and ends are read.
        targets: 0 or 1, same shape.
        mask: 1 where the position counts; `[batch, words, labels, 1]`.

    Returns:
        The sum, a scalar in float32.
    """
    least = -1e4  # of a word that is none: no part in any sum, and no infinity to subtract
    scores = logits[..., :2].float().masked_fill(mask == 0, least)
    gold = targets[..., :2] > 0
    everywhere = functional.pad(scores, (0, 0, 0, 0, 0, 1)).logsumexp(dim=1)
    right = scores.masked_fill(~gold, least).logsumexp(dim=1)
    loss = everywhere - torch.where(gold.any(dim=1), right, 0.0)
    return (loss * mask.amax(dim=1)).sum()

"""Parameter groups and the learning-rate schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from spanwise.model.network import Network
    from spanwise.training.config import OptimConfig


def optimizer(network: Network, config: OptimConfig) -> torch.optim.AdamW:
    """Return AdamW over four groups: encoder and rest, each with and without weight decay.

    Each group keeps its peak rate as `peak`. Biases and norms (one-dimensional) are not decayed.
    """
    rates = {"encoder": (config.lr_encoder, config.decay_encoder)}
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        lr, decay = rates.get(name.split(".")[0], (config.lr_rest, config.decay_rest))
        groups.setdefault((lr, decay if parameter.dim() > 1 else 0.0), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": lr, "peak": lr, "weight_decay": decay}
            for (lr, decay), parameters in groups.items()
        ],
        betas=(config.betas[0], config.betas[1]),
        fused=True,
    )


def rate(progress: float, warmed: float, config: OptimConfig) -> float:
    """Return the share of the peak learning rate.

    Args:
        progress: share of the run that is over, 0..1.
        warmed: share of the warm-up that is over, 0..1.
        config: names the schedule.
    """
    if warmed < 1:
        return warmed
    if config.schedule == "constant":
        return 1.0
    if config.schedule == "linear":
        return max(0.0, 1 - progress)
    if config.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return min(1.0, max(0.0, 1 - progress) / max(config.cooldown, 1e-9))

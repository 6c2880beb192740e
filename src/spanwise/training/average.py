"""An exponential moving average of the weights, and the time when it takes their place."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


class Average:
    """`average <- decay * average + (1 - decay) * weights`, step by step.

    The first steps are averaged with less decay, `(1 + n) / (10 + n)`, so that a short run is not
    held at its start.
    """

    def __init__(self, module: torch.nn.Module, decay: float) -> None:
        """Begin at the module's weights."""
        self.decay = decay
        self.weights = {k: v.detach().clone() for k, v in module.state_dict().items()}

    def update(self, module: torch.nn.Module, step: int) -> None:
        """Move towards the module's weights; `step` counts from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, value in module.state_dict().items():
                if value.is_floating_point():
                    self.weights[name].lerp_(value, 1 - decay)
                else:
                    self.weights[name].copy_(value)


@contextmanager
def in_place_of(module: torch.nn.Module, average: Average | None) -> Iterator[None]:
    """Let the module have the averaged weights inside the block, if there are any."""
    if average is None:
        yield
        return
    own = {name: value.detach().clone() for name, value in module.state_dict().items()}
    module.load_state_dict(average.weights)
    try:
        yield
    finally:
        module.load_state_dict(own)

"""One process or several: the only file that knows.

Started by `torchrun`, every process runs the same loop over the same stream of batches and takes
each `world`-th of them; gradients are summed before every step. Alone, everything here does
nothing. Batches are cut before they are dealt out, so two processes with one batch each take the
very step that one process takes with `accumulate = 2`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed

from spanwise.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

_BUCKET = 2**24
"""Numbers that are summed over processes at once (64 MB in float32)."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process's place among `world` processes, and its device."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes, reports and evaluates."""
        return self.rank == 0

    def sum(self, values: list[float]) -> list[float]:
        """Return the numbers summed over all processes."""
        if self.world == 1:
            return values
        numbers = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(numbers)
        return [float(value) for value in numbers]

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Sum the gradients over all processes, in place; a missing one counts as zero."""
        if self.world == 1:
            return
        bucket: list[torch.Tensor] = []
        size = 0
        for parameter in parameters:
            if not parameter.requires_grad:
                continue
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            bucket.append(parameter.grad)
            size += parameter.numel()
            if size >= _BUCKET:
                _sum(bucket)
                bucket, size = [], 0
        _sum(bucket)

    def same_start(self, module: torch.nn.Module) -> None:
        """Give every process the first one's weights."""
        if self.world > 1:
            for tensor in module.state_dict().values():
                distributed.broadcast(tensor, src=0)

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 (anything that can be sent)
        """Return the value of every process, in order."""
        if self.world == 1:
            return [value]
        found: list[Any] = [None] * self.world
        distributed.all_gather_object(found, value)
        return found

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.world > 1:
            distributed.barrier()


def join(device: str) -> Ranks:
    """Return this process's place, joining the others where `torchrun` started several.

    Args:
        device: "cpu", "cuda", "cuda:1", or "auto" for a GPU where there is one.

    Raises:
        ConfigError: the device is not there.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        msg = f"device {device!r}: no CUDA device is there; use 'cpu' or 'auto'"
        raise ConfigError(msg)
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        msg = f"device {device!r}: expected 'auto', 'cpu', 'cuda' or 'cuda:1'"
        raise ConfigError(msg) from error
    if world > 1:
        if chosen.type == "cuda":
            chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(chosen)
        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    return Ranks(rank, world, chosen)


def leave() -> None:
    """Part from the other processes, if there are any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def _sum(bucket: list[torch.Tensor]) -> None:
    if not bucket:
        return
    flat = torch.cat([gradient.flatten() for gradient in bucket])
    distributed.all_reduce(flat)
    parts = flat.split([gradient.numel() for gradient in bucket])
    for gradient, part in zip(bucket, parts, strict=True):
        gradient.copy_(part.view_as(gradient))

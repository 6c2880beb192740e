"""Scores computed by PyTorch, on a CPU or a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from spanwise.errors import InputError
from spanwise.model.network import TensorBatch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spanwise.flow.encode import Batch
    from spanwise.model.checkpoint import Model

Precision = Literal["fp32", "bf16", "fp16"]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class PyTorchBackend:
    """Runs a `Network`; see `backend.base.Backend`."""

    name = "pytorch"

    def __init__(
        self,
        model: Model,
        *,
        device: str = "cpu",
        precision: Precision = "fp32",
        compile: bool = False,  # noqa: A002 (torch's own word for it)
        threads: int = 0,
    ) -> None:
        """Move the model to its device and precision.

        Args:
            model: network and tokenizer.
            device: "cpu", "cuda", "cuda:1" …
            precision: "fp32", "bf16" (CPU with bf16 instructions, or CUDA) or "fp16" (CUDA).
            compile: compile the encoder with `torch.compile`; the first batches take long.
            threads: torch's threads for the whole process, 0 leaves them alone.

        Raises:
            InputError: the device is not there, or does not do that precision.
        """
        if precision not in _DTYPES:
            msg = f"precision {precision!r} is not one of {', '.join(_DTYPES)}"
            raise InputError(msg)
        if precision == "fp16" and device == "cpu":
            msg = "precision 'fp16' needs a GPU; on a CPU use 'fp32' or 'bf16'"
            raise InputError(msg)
        if threads:
            torch.set_num_threads(threads)
        self.config = model.config
        self.tokenizer = model.tokenizer
        self.network = model.network.to(dtype=_DTYPES[precision]).eval()
        self.to(device)
        if compile:
            self.network.encoder.compile(dynamic=True)

    def to(self, device: str) -> None:
        """Move the network to a device.

        Raises:
            InputError: the device is not there, or is none.
        """
        try:
            chosen = torch.device(device)
        except RuntimeError as error:
            msg = f"device {device!r} is not one of 'cpu', 'cuda', 'cuda:1' ...: {error}"
            raise InputError(msg) from error
        n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if chosen.type == "cuda" and (chosen.index or 0) >= n_gpus:
            msg = f"device {device!r}: {n_gpus} CUDA devices are there; use device='cpu'"
            raise InputError(msg)
        self.device = chosen
        self.network = self.network.to(chosen)
        self.pads = True
        self.batch_tokens = 768 if chosen.type == "cpu" else 32768

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Return the logits of a batch."""
        with torch.inference_mode():
            logits: NDArray[np.float32] = (
                self.network(TensorBatch.of(batch, self.device)).float().cpu().numpy()
            )
        return logits

"""Low-rank adapters on the encoder (arXiv 2106.09685), through peft, and their way back.

While training, the encoder's own weights are frozen; only the adapters, the LSTM and the scorer
learn. What is written is always a plain model: the adapters are merged into a copy.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from spanwise.errors import MissingExtraError
from spanwise.model.checkpoint import Model

if TYPE_CHECKING:
    from torch import Tensor

    from spanwise.model.network import Network


def attach(network: Network, rank: int) -> None:
    """Freeze the encoder and put adapters of a rank on all its linear maps.

    Raises:
        MissingExtraError: peft is not installed.
    """
    try:
        from peft import LoraConfig, LoraModel  # noqa: PLC0415 (slow, and an extra)
    except ImportError as error:
        raise MissingExtraError("LoRA", "train") from error
    chosen = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", bias="none"
    )
    network.encoder = LoraModel(network.encoder, chosen, "default")


def attached(network: Network) -> bool:
    """Return whether the encoder carries adapters."""
    return hasattr(network.encoder, "merge_and_unload")


def trained(network: Network) -> dict[str, Tensor]:
    """Return the weights that learn: what a checkpoint needs beside the frozen ones."""
    return {n: p.detach() for n, p in network.named_parameters() if p.requires_grad}


def merged(model: Model) -> Model:
    """Return the model as a plain one: itself, or a copy with the adapters merged."""
    if not attached(model.network):
        return model
    network = copy.copy(model.network)
    network._modules = dict(model.network._modules)  # noqa: SLF001 (a module shared but for one part)
    encoder: Any = copy.deepcopy(model.network.encoder)
    network.encoder = encoder.merge_and_unload()
    return Model(network, model.tokenizer)

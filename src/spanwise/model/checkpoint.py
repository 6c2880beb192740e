"""A model's folder: `spanwise.json` (config), `model.safetensors` (weights), `tokenizer.json`.

Reading is strict: every tensor of the file and of the network is accounted for, by name and
shape. Published GLiNER folders are read through `model.upstream`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from spanwise import config as settings
from spanwise.config import ModelConfig
from spanwise.errors import CheckpointError, MissingFileError, TensorError
from spanwise.files import whole_folder
from spanwise.model.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import Tensor

CONFIG_FILE = "spanwise.json"
WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Model:
    """A network in evaluation mode and the tokenizer that belongs to it."""

    network: Network
    tokenizer: Tokenizer

    @property
    def config(self) -> ModelConfig:
        """The model's configuration."""
        return self.network.config


def save(model: Model, folder: str | Path, *, dtype: torch.dtype | None = None) -> Path:
    """Write the model to a folder, whole or not at all.

    Args:
        model: what to write.
        folder: created, or replaced.
        dtype: the weights' type on disk, None as they are.
    """
    with whole_folder(folder) as partial:
        write(model, partial, dtype=dtype)
    return Path(folder)


def write(model: Model, folder: Path, *, dtype: torch.dtype | None = None) -> None:
    """Write the model's files into an existing folder."""
    tensors = {
        name: tensor.detach().to("cpu", dtype or tensor.dtype).contiguous()
        for name, tensor in model.network.state_dict().items()
    }
    save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    model.tokenizer.save(str(folder / TOKENIZER_FILE))
    stored = {"format": FORMAT, **settings.plain(model.config)}
    (folder / CONFIG_FILE).write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def load(folder: str | Path, *, attention: str = "sdpa") -> Model:
    """Read a folder of ours.

    Raises:
        MissingFileError: a file is not there.
        CheckpointError: a file cannot be read, or is of a newer format.
        ConfigError: the configuration holds an unknown key or a wrong type.
        TensorError: a tensor is missing, unexpected or misshapen.
    """
    folder = Path(folder)
    stored = read_json(folder / CONFIG_FILE)
    found = stored.pop("format", None)
    if found != FORMAT:
        msg = f"{folder / CONFIG_FILE}: format {found!r}, this version of spanwise reads {FORMAT}"
        raise CheckpointError(msg)
    config = settings.read(ModelConfig, stored, where=str(folder / CONFIG_FILE))
    network = Network(config, attention=attention)
    fill(network, read_safetensors(folder / WEIGHTS_FILE), where=folder / WEIGHTS_FILE)
    return Model(network.eval(), read_tokenizer(folder / TOKENIZER_FILE))


def fill(network: Network, tensors: Mapping[str, Tensor], *, where: Path) -> None:
    """Copy the tensors into the network, every one of both accounted for.

    Raises:
        TensorError: names the tensors that are missing, unexpected or misshapen.
    """
    own = network.state_dict()
    missing = sorted(own.keys() - tensors.keys())
    unexpected = sorted(tensors.keys() - own.keys())
    if missing or unexpected:
        parts = [
            f"{kind} {', '.join(names[:5])}" + f" and {len(names) - 5} more" * (len(names) > 5)
            for kind, names in (("missing", missing), ("unexpected", unexpected))
            if names
        ]
        msg = f"{where}: tensors do not fit the configuration: {'; '.join(parts)}"
        raise TensorError(msg)
    for name, tensor in tensors.items():
        if own[name].shape != tensor.shape:
            msg = (
                f"{where}: tensor {name} has shape {list(tensor.shape)}, the configuration "
                f"asks for {list(own[name].shape)}"
            )
            raise TensorError(msg)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON file's object.

    Raises:
        MissingFileError: there is no such file.
        CheckpointError: it holds no JSON object.
    """
    if not path.is_file():
        there = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
        holds = f"the folder holds {', '.join(there[:8])}" if there else "nor the folder"
        msg = f"{path} does not exist ({holds}); is this a model's folder?"
        raise MissingFileError(msg)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no JSON: {error}"
        raise CheckpointError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path} must hold a JSON object, not a {type(found).__name__}"
        raise CheckpointError(msg)
    return found


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Raises:
        MissingFileError: there is no such file.
        CheckpointError: it is cut short or no safetensors file.
    """
    if not path.is_file():
        msg = f"{path} does not exist; the weights are needed"
        raise MissingFileError(msg)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        msg = f"{path} cannot be read ({error}); it may be cut short: copy or download it again"
        raise CheckpointError(msg) from error


def read_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a `tokenizer.json`.

    Raises:
        MissingFileError: there is no such file.
        CheckpointError: it cannot be read.
    """
    if not path.is_file():
        msg = f"{path} does not exist; the fast tokenizer's file is needed"
        raise MissingFileError(msg)
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        msg = f"{path} cannot be read: {error}"
        raise CheckpointError(msg) from error

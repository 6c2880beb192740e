"""`spanwise info MODEL`: what a model's folder or file holds, without running it.

Reads configurations and the headers of weight files only, so it needs no torch and takes no
time: our folders, GLiNER's, and exported files, which describe themselves.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from spanwise.errors import CheckpointError, MissingFileError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

_OURS = "spanwise.json"
_GLINER = "gliner_config.json"
# what is shown -> its key in a GLiNER configuration, and what an absent one means there
_GLINER_KEYS: dict[str, tuple[str, Any]] = {
    "hidden_size": ("hidden_size", 512),
    "max_words": ("max_len", 384),
    "max_labels": ("max_types", 25),
    "max_width": ("max_width", 12),
    "splitter": ("words_splitter_type", "whitespace"),
    "source": ("model_name", ""),
}
_ENCODER_KEYS = {
    "model_type": "kind",
    "num_hidden_layers": "layers",
    "hidden_size": "width",
    "num_attention_heads": "heads",
    "vocab_size": "vocabulary",
}
_HEADER_LIMIT = 100 * 2**20


def configure(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    add = parser.add_argument
    add("model", nargs="?", help="folder, .onnx file or hub name (default: the embedded model)")
    add("--json", action="store_true", help="print one JSON object")
    add("--offline", action="store_true", help="never ask the hub")


def run(arguments: Namespace) -> int:
    """Print what the model is; return the exit status.

    Raises:
        CheckpointError: there is no model, or its files cannot be read.
    """
    from spanwise.loading import locate

    found = describe(locate(arguments.model, local_files_only=arguments.offline))
    if arguments.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    width = max(map(len, found))
    for name, value in found.items():
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
        else:
            shown = _shown(value)
        print(f"{name.replace('_', ' '):{width}}  {shown}")
    return 0


def describe(path: Path) -> dict[str, Any]:
    """Return what a model's folder or `.onnx` file holds, as plain data.

    Raises:
        MissingFileError: no configuration of a model is there.
        CheckpointError: a file cannot be read.
    """
    folder = path.parent if path.is_file() else path
    ours, gliner = folder / _OURS, folder / _GLINER
    exported = path.is_file() or (folder.is_dir() and any(folder.glob("*.onnx")))
    if ours.is_file() and not path.is_file():
        about = _about_ours(_read_json(ours))
    elif gliner.is_file() and not path.is_file():
        about = _about_gliner(_read_json(gliner), folder)
    elif exported:
        about = _about_exported(path)
    else:
        msg = f"{folder} holds neither {_OURS} nor {_GLINER}; is this a model's folder?"
        raise MissingFileError(msg)
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return {
        "model": str(path),
        **about,
        **_weights(folder),
        "onnx": [file.name for file in files if file.suffix == ".onnx"],
        "files": {file.name: _size(file.stat().st_size) for file in files},
    }


def _about_ours(stored: dict[str, Any]) -> dict[str, Any]:
    wanted = (
        "hidden_size",
        "max_words",
        "max_positions",
        "max_labels",
        "max_width",
        "lstm_layers",
        "splitter",
        "policy",
        "temperature",
        "thresholds",
        "source",
    )
    token = stored.get("architecture", "token") == "token"
    return {
        "format": f"spanwise {stored.get('format', '?')}",
        "architecture": f"{'token' if token else 'span'} level",
        "encoder": _encoder(stored.get("encoder") or {}),
        **{
            name: stored[name]
            for name in wanted
            if stored.get(name) and not (token and name == "max_width")
        },
    }


def _about_exported(path: Path) -> dict[str, Any]:
    """Return what an ONNX file says of itself; the one that a folder would run."""
    from spanwise.backend.onnx import OnnxBackend
    from spanwise.config import plain

    backend = OnnxBackend(path, threads=1)
    about = _about_ours(plain(backend.config))
    return {**about, "format": "ONNX", "variant": backend.variant or "unknown"}


def _about_gliner(stored: dict[str, Any], folder: Path) -> dict[str, Any]:
    token = stored.get("span_mode", "markerV0") == "token_level"
    encoder = stored.get("encoder_config")
    if not encoder:
        beside = folder / str(stored.get("model_name", "")) / "config.json"
        encoder = _read_json(beside) if beside.is_file() else {}
    about = {
        "format": "GLiNER",
        "architecture": f"{'token' if token else 'span'} level",
        "encoder": _encoder(encoder),
        **{
            name: stored.get(key) or default
            for name, (key, default) in _GLINER_KEYS.items()
            if not (token and name == "max_width")
        },
    }
    about["splitter"] = {"whitespace": "regex", "universal": "unicode"}.get(
        about["splitter"], about["splitter"]
    )
    return about


def _encoder(stored: dict[str, Any]) -> dict[str, Any]:
    return {ours: stored[key] for key, ours in _ENCODER_KEYS.items() if key in stored}


def _weights(folder: Path) -> dict[str, Any]:
    """Return the number of parameters and their types, from the header of the weights' file."""
    path = folder / "model.safetensors"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        n_header = int.from_bytes(file.read(8), "little")
        head = file.read(n_header) if n_header < _HEADER_LIMIT else b""
    try:
        tensors = json.loads(head)
        tensors.pop("__metadata__", None)
        sizes = [math.prod(tensor["shape"]) for tensor in tensors.values()]
        types = sorted({tensor["dtype"] for tensor in tensors.values()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path} is no safetensors file or is cut short: copy or download it again"
        raise CheckpointError(msg) from error
    return {"parameters": sum(sizes), "tensors": len(sizes), "types": types}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{path} is no JSON: {error}"
        raise CheckpointError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path} must hold a JSON object, not a {type(found).__name__}"
        raise CheckpointError(msg)
    return found


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 100_000 else f"{n_bytes / 1e3:.1f} kB"

"""`spanwise.load`: from a name or folder to an extractor."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from spanwise import calibration
from spanwise.errors import InputError, MissingExtraError, MissingFileError
from spanwise.extractor import Extractor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanwise.backend.base import Backend
    from spanwise.flow.words import WordSplitter

Kind = Literal["auto", "onnx", "pytorch"]
EMBEDDED = "small"
"""The model that comes with the package."""


def load(  # noqa: PLR0913 (the front door: one keyword for each thing one may want)
    model: str | Path | None = None,
    *,
    backend: Kind = "auto",
    device: str = "cpu",
    precision: Literal["fp32", "bf16", "fp16"] = "fp32",
    threads: int = 0,
    providers: Sequence[str] | None = None,
    splitter: WordSplitter | str | None = None,
    local_files_only: bool = False,
    warm_up: bool = False,
) -> Extractor:
    """Return an extractor for a model.

    Args:
        model: None for the embedded model; else a folder (ours, or a GLiNER checkpoint), an
            `.onnx` file, or a name on the Hugging Face hub, looked up in the local cache first.
        backend: "onnx" (no torch needed), "pytorch", or "auto": ONNX where the folder holds an
            exported model and the device is a CPU.
        device: "cpu", or "cuda", "cuda:1" … (backend "pytorch").
        precision: of the backend "pytorch"; an exported model brings its own.
        threads: of the backend, 0 for its default.
        providers: ONNX Runtime's execution providers, the preferred one first ("CUDA", "OpenVINO",
            "CoreML" … or their full names); None for the CPU. Backend "onnx".
        splitter: word splitter: "regex", "unicode", a function, or None for the model's own.
        local_files_only: never ask the hub.
        warm_up: read a few sentences first, so that the first real one takes no longer than others.

    Raises:
        InputError: an option that the backend does not have.
        MissingFileError: no such folder, or the hub has no such model or cannot be reached.
        MissingExtraError: the backend's package is not installed.
        CheckpointError: the folder cannot be read; see its subclasses.
        ConfigError: the calibration beside the model is none.
    """
    if backend not in {"auto", "onnx", "pytorch"}:
        msg = f"backend {backend!r} is not one of 'auto', 'onnx', 'pytorch'"
        raise InputError(msg)
    path = locate(model, local_files_only=local_files_only)
    plain = device == "cpu" and precision == "fp32"
    exported = backend == "auto" and plain and any(path.glob("*.onnx"))
    if path.is_file() or backend == "onnx" or exported or (providers and backend == "auto"):
        if backend == "pytorch":
            msg = f"{path} is one file, which only the backend 'onnx' runs; pass the model's folder"
            raise InputError(msg)
        if not plain:
            msg = (
                f"device={device!r}, precision={precision!r}: an exported model runs where its "
                "providers do, in the precision it was exported with; leave both out and say "
                "providers=['CUDA'], or use backend='pytorch'"
            )
            raise InputError(msg)
        chosen = _onnx(path, threads, providers)
    else:
        if providers:
            msg = f"providers={list(providers)} are ONNX Runtime's; leave out backend='pytorch'"
            raise InputError(msg)
        chosen = _pytorch(path, device, precision, threads)
    fitted = calibration.read(path)
    if fitted is not None:
        chosen.config = fitted.of(chosen.config)
    extractor = Extractor(chosen, splitter=splitter)
    if warm_up:
        extractor.warm_up()
    return extractor


def embedded() -> Path:
    """Return the folder of the embedded model.

    Raises:
        MissingFileError: this copy of the package holds no model.
    """
    package = Path(__file__).parent
    for folder in (package / "models" / EMBEDDED, package.parents[1] / "models" / EMBEDDED):
        if (folder / "spanwise.json").is_file():
            return folder
    msg = (
        f"this copy of spanwise holds no embedded model (looked for {package / 'models'}); "
        "install a release, or pass the folder of a model"
    )
    raise MissingFileError(msg)


def locate(model: str | Path | None, *, local_files_only: bool = False) -> Path:
    """Return the folder or file that a model's name stands for.

    Raises:
        MissingFileError: nothing of that name is here or on the hub.
    """
    if model is None:
        return embedded()
    path = Path(model)
    if path.exists():
        return path
    name = str(model)
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        msg = f"{name} does not exist; pass a model's folder, or a hub name such as 'owner/model'"
        raise MissingFileError(msg)
    return _from_hub(name, local_files_only=local_files_only)


def _from_hub(name: str, *, local_files_only: bool) -> Path:
    # costs 0.2 s that a model on disk need not pay
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    wanted = ["*.json", "*.safetensors", "*.onnx", "pytorch_model.bin", "*.model"]
    try:
        return Path(
            snapshot_download(name, allow_patterns=wanted, local_files_only=local_files_only)
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        how = "in the local cache" if local_files_only else "in the local cache or on the hub"
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        msg = f"model {name!r} was found neither as a folder nor {how}: {first}"
        raise MissingFileError(msg) from error


def _onnx(path: Path, threads: int, providers: Sequence[str] | None) -> Backend:
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtraError("The backend 'onnx'", "export")
    from spanwise.backend.onnx import OnnxBackend  # noqa: PLC0415 (only where it is used)

    return OnnxBackend(path, threads=threads, providers=providers)


def _pytorch(
    path: Path, device: str, precision: Literal["fp32", "bf16", "fp16"], threads: int
) -> Backend:
    if (
        importlib.util.find_spec("torch") is None
        or importlib.util.find_spec("transformers") is None
    ):
        raise MissingExtraError("The backend 'pytorch'", "torch")
    from spanwise.backend.pytorch import PyTorchBackend  # noqa: PLC0415 (imports torch)
    from spanwise.model import read_model  # noqa: PLC0415

    return PyTorchBackend(read_model(path), device=device, precision=precision, threads=threads)

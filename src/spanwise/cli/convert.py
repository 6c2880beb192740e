"""`spanwise convert IN OUT --to gliner|spanwise`: the same model in the other format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def configure(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.description = (
        "Rewrite a model. What is written in GLiNER's format loads in gliner and gives the same "
        "spans with its policy 'min'."
    )
    add = parser.add_argument
    add("source", metavar="IN", help="a model's folder or hub name, in either format")
    add("target", metavar="OUT", help="folder to write")
    add("--to", choices=("spanwise", "gliner"), required=True)
    add("--dtype", choices=("fp32", "fp16", "bf16"), help="of the weights (default: fp32)")
    add("--force", action="store_true", help="replace a model that is at OUT")
    add("--offline", action="store_true", help="never ask the hub")


def run(arguments: Namespace) -> int:
    """Read, write and say where; return the exit status.

    Raises:
        InputError: something is at OUT that must not be replaced.
        CheckpointError: IN cannot be read, or the format cannot hold it.
    """
    from importlib.util import find_spec

    from spanwise.loading import locate

    target = Path(arguments.target)
    _check_place(target, force=arguments.force)
    if find_spec("torch") is None:
        raise MissingExtraError("Converting a model", "torch")
    from spanwise.model import read_model, write_model

    model = read_model(locate(arguments.source, local_files_only=arguments.offline))
    write_model(model, target, form=arguments.to, precision=arguments.dtype or "fp32")
    print(f"{target}: {arguments.to} format, {arguments.dtype or 'fp32'}")
    return 0


def _check_place(target: Path, *, force: bool) -> None:
    """Refuse to replace anything but a model, and that only where asked to."""
    if target.is_file():
        msg = f"{target} is a file; OUT is the folder to write"
        raise InputError(msg)
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not any((target / name).is_file() for name in ("spanwise.json", "gliner_config.json")):
        msg = f"{target} holds other files; choose a new or empty folder"
        raise InputError(msg)
    if not force:
        msg = f"{target} holds a model already; --force replaces it"
        raise InputError(msg)

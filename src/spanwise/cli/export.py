"""`spanwise export MODEL [--variant int8]`: a model as one ONNX file that runs without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def configure(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.description = (
        "Write a model as one ONNX file that needs neither torch nor anything beside it. The "
        "file's scores are compared with torch's first; one that differs is not kept."
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="a model's folder or hub name, ours or GLiNER's")
    add(
        "--variant",
        choices=("fp32", "fp16", "int8"),
        action="append",
        help="int8 is smallest and fastest on CPUs, fp16 is for GPUs (default: fp32); repeatable",
    )
    add("--output", metavar="DIR", help="folder to write into (default: MODEL, where it is one)")
    add("--force", action="store_true", help="replace a file that is there")
    add("--offline", action="store_true", help="never ask the hub")


def run(arguments: Namespace) -> int:
    """Export, compare and say how far the scores are apart; return the exit status.

    Raises:
        InputError: a file is there already, or a hub name comes without a folder to write into.
        CheckpointError: the model cannot be read or exported, or its file differs from torch.
    """
    from importlib.util import find_spec

    from spanwise.loading import locate

    if arguments.output is None and not Path(arguments.model).is_dir():
        msg = f"{arguments.model} is no folder; say with --output where the file should go"
        raise InputError(msg)
    folder = Path(arguments.output or arguments.model)
    variants = list(dict.fromkeys(arguments.variant or ["fp32"]))
    paths = {variant: folder / f"model.{variant}.onnx" for variant in variants}
    for path in paths.values():
        if path.exists() and not arguments.force:
            msg = f"{path} exists already; --force replaces it"
            raise InputError(msg)
    if find_spec("torch") is None or find_spec("onnx") is None:
        raise MissingExtraError("Exporting a model", "export")
    from spanwise.model import read_model
    from spanwise.model.export import export

    model = read_model(locate(arguments.model, local_files_only=arguments.offline))
    for variant, path in paths.items():
        made = export(model, path, variant=variant)
        print(
            f"{path}: {variant}, {made.n_bytes / 1e6:.1f} MB; logits differ from torch's by "
            f"{made.largest_difference:.1g} at most, {made.mean_difference:.1g} on average"
        )
    return 0

"""Options that several commands share: which model, which labels, how spans are chosen.

Each `add_*` describes a group of options; the function beside it turns the parsed arguments
into what the library takes.
"""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING

from spanwise.errors import InputError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from spanwise.extractor import Extractor
    from spanwise.options import Options
    from spanwise.types import Label


def add_model(parser: ArgumentParser) -> None:
    """Describe which model runs, and where."""
    group = parser.add_argument_group("model")
    add = group.add_argument
    add("--model", metavar="M", help="folder, .onnx file or hub name (default: the embedded model)")
    add("--backend", choices=("auto", "onnx", "pytorch"), default="auto")
    add("--device", default="cpu", help="cpu, cuda, cuda:1 ... (pytorch)")
    add("--precision", choices=("fp32", "bf16", "fp16"), default="fp32", help="(pytorch)")
    add("--threads", type=int, default=0, metavar="N", help="0: the backend's default")
    add(
        "--provider",
        metavar="NAME",
        action="append",
        help="ONNX Runtime's execution provider: CUDA, OpenVINO, CoreML ... (repeatable)",
    )
    add("--splitter", help="word splitter: regex, unicode, spaces (default: the model's)")
    add("--offline", action="store_true", help="never ask the hub")


def load_model(arguments: Namespace) -> Extractor:
    """Return the extractor that the arguments of `add_model` name.

    Raises:
        SpanwiseError: see `spanwise.load`.
    """
    from spanwise.loading import load

    return load(
        arguments.model,
        backend=arguments.backend,
        device=arguments.device,
        precision=arguments.precision,
        threads=arguments.threads,
        providers=arguments.provider,
        splitter=arguments.splitter,
        local_files_only=arguments.offline,
    )


def add_labels(parser: ArgumentParser) -> None:
    """Describe the labels."""
    group = parser.add_argument_group("labels")
    add = group.add_argument
    add("--labels", metavar="A,B,C", action="append", default=[], help="names, with commas")
    add(
        "-l",
        "--label",
        metavar="NAME[=DESCRIPTION]",
        action="append",
        default=[],
        help="names, or one label with the description that the model reads for it",
    )


def labels(arguments: Namespace) -> tuple[Label, ...]:
    """Return the labels of `--labels` and `--label`.

    Raises:
        LabelError: there is none, or one is empty or given twice.
    """
    from spanwise.flow import prompt
    from spanwise.types import Label

    bare = [*arguments.labels, *(each for each in arguments.label if "=" not in each)]
    listed = [name.strip() for names in bare for name in names.split(",")]
    single = [each.partition("=") for each in arguments.label if "=" in each]
    return prompt.labels(
        [*listed, *(Label(name.strip(), description.strip()) for name, _, description in single)]
    )


def add_choice(parser: ArgumentParser) -> None:
    """Describe how spans are chosen."""
    group = parser.add_argument_group("choice of spans")
    add = group.add_argument
    add(
        "-t",
        "--threshold",
        metavar="T|LABEL=T",
        action="append",
        default=[],
        help="least score, 0..1, of all labels or of one (default: the model's, or 0.5)",
    )
    add("--overlap", choices=("flat", "nested"), default="flat")
    add("--multi-label", action="store_true", help="a span may carry several labels")
    add(
        "--reread",
        action=BooleanOptionalAction,
        help="read the sentence of the best span once more by itself (default: as the model says)",
    )
    add("--policy", choices=("mean", "min", "edges"), help="a span's score (default: the model's)")
    add(
        "--long-text",
        choices=("windows", "error", "truncate"),
        default="windows",
        help="what becomes of a text longer than the model reads at once",
    )
    add("--max-labels", type=int, metavar="N", help="labels of one pass (default: the model's)")
    add("--batch-tokens", type=int, metavar="N", help="padded sub-words of a batch")


def choice(arguments: Namespace, asked: Sequence[Label], **more: Unpack[Options]) -> Options:
    """Return the options of `add_choice` as a task takes them, and `more` with them.

    Raises:
        InputError: a value out of range, or a threshold for a label that is not asked for.
    """
    from spanwise.options import Settings

    made: Options = {
        "threshold": _threshold(arguments.threshold, [label.name for label in asked]),
        "overlap": arguments.overlap,
        "multi_label": arguments.multi_label,
        "policy": arguments.policy,
        "reread": arguments.reread,
        "long_text": arguments.long_text,
        "max_labels": arguments.max_labels,
        "batch_tokens": arguments.batch_tokens,
        **more,
    }
    Settings(**made)  # refuses what is out of range before a model is loaded
    return made


def _threshold(given: Sequence[str], names: Sequence[str]) -> float | dict[str, float] | None:
    """Return one threshold, or one per label where at least one label has its own."""
    common: float | None = None
    own: dict[str, float] = {}
    for each in given:
        name, _, value = each.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            msg = f"--threshold {each}: {value!r} is no number; write 0.4 or person=0.4"
            raise InputError(msg) from None
        if not name:
            common = number
        elif name not in names:
            msg = f"--threshold {each}: {name!r} is not among the labels {', '.join(names)}"
            raise InputError(msg)
        else:
            own[name] = number
    if not own:
        return common
    return {name: own.get(name, 0.5 if common is None else common) for name in names}

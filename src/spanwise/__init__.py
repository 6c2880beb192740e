"""One small encoder, every extraction task, exact offsets, any machine.

The names listed here are the public surface. Each is loaded when it is first asked for, so
`import spanwise` costs next to nothing and never brings torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spanwise.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        InputError,
        LabelError,
        MissingExtraError,
        MissingFileError,
        SpanwiseError,
        TensorError,
        TextTooLongError,
        TrainingError,
        UnsupportedError,
    )
    from spanwise.extractor import Extractor
    from spanwise.flow.words import Words
    from spanwise.loading import load
    from spanwise.training.finetune import train
    from spanwise.types import (
        Answer,
        Entity,
        Label,
        Query,
        Relation,
        RelationLabel,
        Sentiment,
        Span,
        Summary,
    )

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "CheckpointError",
    "ConfigError",
    "DataError",
    "Entity",
    "Extractor",
    "InputError",
    "Label",
    "LabelError",
    "MissingExtraError",
    "MissingFileError",
    "Query",
    "Relation",
    "RelationLabel",
    "Sentiment",
    "Span",
    "SpanwiseError",
    "Summary",
    "TensorError",
    "TextTooLongError",
    "TrainingError",
    "UnsupportedError",
    "Words",
    "__version__",
    "load",
    "train",
]

# Public name -> the module it lives in.
_HOMES = {
    "Answer": "types",
    "CheckpointError": "errors",
    "ConfigError": "errors",
    "DataError": "errors",
    "Entity": "types",
    "Extractor": "extractor",
    "InputError": "errors",
    "Label": "types",
    "LabelError": "errors",
    "MissingExtraError": "errors",
    "MissingFileError": "errors",
    "Query": "types",
    "Relation": "types",
    "RelationLabel": "types",
    "Sentiment": "types",
    "Span": "types",
    "SpanwiseError": "errors",
    "Summary": "types",
    "TensorError": "errors",
    "TextTooLongError": "errors",
    "TrainingError": "errors",
    "UnsupportedError": "errors",
    "Words": "flow.words",
    "load": "loading",
    "train": "training.finetune",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (PEP 562: whatever the name stands for)
    if name not in _HOMES:
        raise AttributeError(f"module 'spanwise' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"spanwise.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Every error this package raises on purpose.

    SpanwiseError
    ├── InputError            what the caller passed: text, labels, thresholds, options
    │   ├── LabelError        empty, duplicate or overlong labels
    │   └── TextTooLongError  a text beyond the model's limit, where the caller asked for an error
    ├── ConfigError           settings: an unknown key, a wrong type, a value out of range
    ├── CheckpointError       a model's folder or file
    │   ├── MissingFileError  a file that must be there is not
    │   ├── UnsupportedError  an architecture or format that this package does not run
    │   └── TensorError       a tensor is missing, unexpected or misshapen
    ├── DataError             a record, a dataset or a file of them
    ├── TrainingError         training cannot go on (a loss that is not finite, a full disk)
    └── MissingExtraError     an optional dependency is not installed

Every message holds the value, the place, what was expected and what to do about it.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SpanwiseError(Exception):
    """Root of the tree: catch it to catch everything raised on purpose here."""


class InputError(SpanwiseError, ValueError):
    """The caller's arguments cannot be used as they are."""


class LabelError(InputError):
    """A list of labels is empty, repeats one, or holds one that does not fit the model."""


class TextTooLongError(InputError):
    """A text is longer than the model reads at once and the caller asked for an error."""


class ConfigError(SpanwiseError, ValueError):
    """Settings hold an unknown key, a wrong type or a value out of range."""


class CheckpointError(SpanwiseError):
    """A model's folder or file cannot be read."""


class MissingFileError(CheckpointError, FileNotFoundError):
    """A file that a checkpoint needs does not exist."""

    def __str__(self) -> str:  # FileNotFoundError would print only errno fields
        return str(self.args[0]) if self.args else ""


class UnsupportedError(CheckpointError):
    """The checkpoint is of a kind that this package does not run."""


class TensorError(CheckpointError):
    """A tensor is missing, unexpected or of the wrong shape or type."""


class DataError(SpanwiseError, ValueError):
    """A record or a file of records breaks its format."""


class TrainingError(SpanwiseError, RuntimeError):
    """Training cannot continue; the last complete checkpoint is intact."""


class MissingExtraError(SpanwiseError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        """Say what needs the extra and how to install it.

        Args:
            what: the capability asked for, as the start of a sentence ("Training").
            extra: the name of the extra that brings it ("train").
        """
        super().__init__(f"{what} needs more packages: pip install 'spanwise[{extra}]'")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the closest known word, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""

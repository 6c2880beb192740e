"""Settings as frozen dataclasses, read from plain mappings (TOML, JSON).

`read(cls, mapping)` is the one reader: unknown keys are refused with a suggestion, wrong types
name the key, and nested dataclasses are read the same way. `ModelConfig` is what a checkpoint
of ours stores; the training and evaluation settings live beside the code that uses them.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from spanwise.errors import ConfigError, did_you_mean

if typing.TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

Architecture = Literal["token", "span"]
Policy = Literal["mean", "min", "edges"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Everything about a model but its weights.

    Attributes:
        architecture: "token" marks start, end and inside of spans per word (the paper);
            "span" scores every span up to `max_width` words (older GLiNER checkpoints).
        encoder: the Hugging Face configuration of the encoder, with `model_type`.
        hidden_size: H, the width of word and label vectors after the projection.
        max_words: words of one window (instruction included).
        max_positions: sub-words of one window where the encoder has absolute positions
            (512 for BERT), None where it has none.
        max_labels: labels of one pass.
        max_width: longest span in words (architecture "span" only).
        lstm_layers: bidirectional LSTM layers over the words, 0 for none.
        label_token, separator_token: the prompt's special tokens.
        embed_label_token: the label's vector is taken at its label token (else at the first
            sub-word of the label itself).
        lowercase: labels and text are lower-cased by the tokenizer; informational.
        splitter: name of the word splitter (`flow.words.SPLITTERS`).
        policy: default score of a span, see `flow.decode`.
        dropout: used in training only.
        thresholds: calibrated threshold per label name.
        reread: labels that want one span, as the answer of a question: the sentence that holds the
            best one is read once more by itself, and what is found there counts.
        temperature: divides the logits before the sigmoid (1 leaves them alone).
        source: where the weights come from, free text.
    """

    architecture: Architecture = "token"
    encoder: dict[str, Any]
    hidden_size: int
    max_words: int = 768
    max_positions: int | None = None
    max_labels: int = 30
    max_width: int = 12
    lstm_layers: int = 1
    label_token: str = "<<ENT>>"
    separator_token: str = "<<SEP>>"
    embed_label_token: bool = True
    lowercase: bool = False
    splitter: str = "regex"
    policy: Policy = "mean"
    dropout: float = 0.1
    thresholds: dict[str, float] = field(default_factory=dict)
    reread: tuple[str, ...] = ()
    temperature: float = 1.0
    source: str = ""

    def __post_init__(self) -> None:
        """Raise ConfigError for a value out of range."""
        for name in ("hidden_size", "max_words", "max_labels", "max_width"):
            if getattr(self, name) < 1:
                msg = f"{name} must be at least 1, got {getattr(self, name)}"
                raise ConfigError(msg)
        if self.temperature <= 0:
            msg = f"temperature must be above 0, got {self.temperature}"
            raise ConfigError(msg)


def read(cls: type[T], mapping: Mapping[str, Any], *, where: str = "") -> T:
    """Build the dataclass `cls` from a mapping.

    Args:
        cls: a dataclass type.
        mapping: its fields by name; nested dataclasses as nested mappings.
        where: the file or section, for messages.

    Raises:
        ConfigError: an unknown or missing key, or a value of the wrong type.
    """
    if not dataclasses.is_dataclass(cls):
        msg = f"{cls!r} is no dataclass"
        raise TypeError(msg)
    place = where or cls.__name__
    hints = typing.get_type_hints(cls)
    names = [f.name for f in dataclasses.fields(cls) if f.init]
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        if key not in names:
            msg = (
                f"{place}: unknown key {key!r}{did_you_mean(key, names)}; known: {', '.join(names)}"
            )
            raise ConfigError(msg)
        values[key] = _coerce(value, hints[key], f"{place}.{key}")
    missing = [
        f.name
        for f in dataclasses.fields(cls)
        if f.init
        and f.name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        msg = f"{place}: missing {', '.join(missing)}"
        raise ConfigError(msg)
    try:
        return typing.cast("T", cls(**values))
    except ConfigError as error:
        if where:
            msg = f"{where}: {error}"
            raise ConfigError(msg) from None
        raise


def plain(settings: object) -> dict[str, Any]:
    """Return the settings as nested plain dictionaries and lists, the inverse of `read`."""
    return dataclasses.asdict(settings)  # type: ignore[call-overload,no-any-return]


def _coerce(value: Any, hint: Any, place: str) -> Any:  # noqa: ANN401 (any setting's value)
    """Return the value as the annotated type, or raise ConfigError naming the place."""
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin is typing.Union or isinstance(hint, types.UnionType):
        return _coerce_union(value, arguments, place)
    if origin is Literal:
        if value not in arguments:
            msg = f"{place} must be one of {', '.join(map(repr, arguments))}, got {value!r}"
            raise ConfigError(msg)
        return value
    nested = _coerce_nested(value, hint, place)
    if nested is not None:
        return nested
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if hint is float and is_number:
        return float(value)
    expected = origin or hint
    # True is an int in Python and none in a settings file
    if hint is Any or (isinstance(value, expected) and (is_number or expected is not int)):
        return value
    name = getattr(hint, "__name__", str(hint))
    msg = f"{place} must be of type {name}, got {value!r} ({type(value).__name__})"
    raise ConfigError(msg)


def _coerce_nested(value: Any, hint: Any, place: str) -> Any:  # noqa: ANN401
    """Return a dataclass, tuple or dictionary with its parts coerced, None for anything else."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return read(typing.cast("type[Any]", hint), value, where=place)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_coerce(item, arguments[0], f"{place}[{i}]") for i, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {k: _coerce(v, arguments[1], f"{place}.{k}") for k, v in value.items()}
    return None


def _coerce_union(value: Any, options: tuple[Any, ...], place: str) -> Any:  # noqa: ANN401
    if value is None and type(None) in options:
        return None
    errors = []
    for option in options:
        if option is type(None):
            continue
        try:
            return _coerce(value, option, place)
        except ConfigError as error:
            errors.append(str(error))
    raise ConfigError(" or ".join(errors))

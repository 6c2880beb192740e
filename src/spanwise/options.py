"""How spans are chosen and passes are made: the options of every call."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from spanwise.errors import InputError, did_you_mean
from spanwise.flow.decode import Overlap, check_thresholds

if TYPE_CHECKING:
    from spanwise.config import Policy
    from spanwise.flow.windows import LongText

Thresholds: TypeAlias = float | Mapping[str, float]
"""One threshold for all labels, or by label name."""


class Options(TypedDict, total=False):
    """Keyword options of every call; see `Settings` for their meaning."""

    threshold: Thresholds | None
    overlap: Overlap
    multi_label: bool
    apart: bool
    policy: Policy | None
    long_text: LongText
    reread: bool | None
    max_labels: int | None
    batch_tokens: int | None
    probabilities: bool
    runners_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How spans are chosen and passes are made.

    Attributes:
        threshold: least probability, one for all labels or by label name (others: 0.5). None:
            the model's calibrated thresholds where it has them, else 0.5.
        overlap: "flat" spans do not overlap, "nested" ones may lie in one another.
        multi_label: one span may carry several labels.
        apart: labels do not compete: each is chosen for as if it had been asked alone.
        policy: span score, "mean", "min" or "edges" (see `flow.decode`); None: the model's own.
        long_text: "windows" reads all of a text too long for one pass, "error" raises,
            "truncate" reads its beginning and reports the rest through `Extractor.unread`.
        reread: read the sentence that holds the best span once more by itself, and give what is
            found there: for what wants one span, as a question does. None: where the model's
            configuration says so.
        max_labels: labels of one pass; None: the model's own limit.
        batch_tokens: padded sub-words of a batch; None: what suits the backend.
        probabilities: give each entity's score for every label.
        runners_up: give the labels that lost on an entity's very span.
    """

    threshold: Thresholds | None = None
    overlap: Overlap = "flat"
    multi_label: bool = False
    apart: bool = False
    policy: Policy | None = None
    long_text: LongText = "windows"
    reread: bool | None = None
    max_labels: int | None = None
    batch_tokens: int | None = None
    probabilities: bool = False
    runners_up: bool = False

    def __post_init__(self) -> None:
        """Raise InputError for a value that is no such setting."""
        _one_of("overlap", self.overlap, ("flat", "nested"))
        _one_of("policy", self.policy, (None, "mean", "min", "edges"))
        _one_of("long_text", self.long_text, ("windows", "error", "truncate"))
        _one_of("reread", self.reread, (None, True, False))
        for name in ("max_labels", "batch_tokens"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                msg = f"{name} must be at least 1, got {value!r}"
                raise InputError(msg)
        if self.threshold is not None:
            given = self.threshold
            values: list[object] = list(given.values() if isinstance(given, Mapping) else [given])
            for value in values:
                if not isinstance(value, Real):
                    msg = f"threshold {value!r} is no number; give one, or one by label name"
                    raise InputError(msg)
            check_thresholds(values)  # type: ignore[arg-type]

    @classmethod
    def of(cls, options: Mapping[str, object], *, also: Sequence[str] = ()) -> Settings:
        """Return the settings of a call; `also` are options that the call knows besides.

        Raises:
            InputError: an option is not known or out of range.
        """
        known = [*also, *(f.name for f in dataclasses.fields(cls))]
        for name in options:
            if name not in known:
                msg = (
                    f"unknown option {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}"
                )
                raise InputError(msg)
        return cls(**options)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Unread:
    """What `long_text="truncate"` left out: the text's number and the characters never read."""

    text: int
    start: int
    end: int


def _one_of(name: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        names = [str(k) for k in known if k is not None]
        hint = did_you_mean(str(value), names)
        msg = f"{name} must be one of {', '.join(names)}, got {value!r}{hint}"
        raise InputError(msg)

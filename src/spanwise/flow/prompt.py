"""Labels, instruction, words -> prompt: what the model reads in one pass.

    [CLS] <<ENT>> label_1 <<ENT>> label_2 … <<SEP>> instruction words, text words [SEP]

A `Prompt` is still made of words; `encode` turns it into sub-word ids. The instruction is a part
of its own: it goes where the released checkpoints expect it, ahead of the text's words, and the
number of its words is kept so that decoding can leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanwise.errors import LabelError
from spanwise.types import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Prompt:
    """One pass of the model, in words.

    Attributes:
        labels: what the model reads for each label, in order.
        instruction: the instruction's words.
        words: the text's words.
    """

    labels: tuple[str, ...]
    instruction: tuple[str, ...]
    words: tuple[str, ...]


def labels(given: Iterable[str | Label] | Mapping[str, str]) -> tuple[Label, ...]:
    """Return the labels as `Label`s, order kept.

    Args:
        given: names, `Label`s, or a mapping from name to the description that the model reads.

    Raises:
        LabelError: no label, an empty one, or one named twice.
    """
    if isinstance(given, str):
        msg = f"labels must be a list, got the string {given!r}; write [{given!r}]"
        raise LabelError(msg)
    if hasattr(given, "items"):
        made = [Label(name, prompt) for name, prompt in given.items()]
    elif not hasattr(given, "__iter__"):
        msg = f"labels must be a list, got {given!r} ({type(given).__name__})"
        raise LabelError(msg)
    else:
        made = [item if isinstance(item, Label) else Label(item) for item in given]
    if not made:
        msg = "no labels given: pass at least one, e.g. ['person', 'location']"
        raise LabelError(msg)
    seen: set[str] = set()
    for position, label in enumerate(made):
        name: object = label.name
        if not isinstance(name, str) or not name.strip():
            msg = f"label {position} is {label.name!r}; a label is a non-empty string"
            raise LabelError(msg)
        if label.name in seen:
            msg = f"label {label.name!r} is given twice (again at position {position}); leave one"
            raise LabelError(msg)
        seen.add(label.name)
    return tuple(made)

"""A text and what was found in it, step by step; plain data and JSON of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanwise.errors import InputError
from spanwise.types import Answer, Entity, Relation, Sentiment, Span, Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Piece = Span | Entity | Sentiment


@dataclass(frozen=True, slots=True)
class Document:
    """A text and the results of the steps taken on it, by name, in their order.

    `id` is what the text is called where it came from: a number or a name.
    """

    text: str
    results: Mapping[str, Any]
    id: str | int | None = field(default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: id, text, and each step's result under its name."""
        head = {} if self.id is None else {"id": self.id}
        results = {name: plain(result) for name, result in self.results.items()}
        return {**head, "text": self.text, "results": results}

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)


def plain(result: Any) -> Any:  # noqa: ANN401 (a task's result, whichever)
    """Return any task's result as dictionaries and lists."""
    if isinstance(result, (list, tuple)):
        return [plain(each) for each in result]
    return result.to_dict()


def relations(document: Document) -> Iterator[tuple[str, Relation]]:
    """Yield the relations of all steps, each with its step's name."""
    for name, result in document.results.items():
        if isinstance(result, Sequence):
            yield from ((name, each) for each in result if isinstance(each, Relation))


def pieces(document: Document) -> Iterator[tuple[str, Piece]]:
    """Yield the spans of all steps that are no relations, each with its step's name.

    Raises:
        InputError: a result is of no task.
    """
    for name, result in document.results.items():
        for each in result if isinstance(result, Sequence) else (result,):
            if isinstance(each, Answer):
                if each.answer is not None:
                    yield name, each.answer
            elif isinstance(each, Summary):
                yield from ((name, sentence) for sentence in each.sentences)
            elif isinstance(each, (Span, Entity, Sentiment)):
                yield name, each
            elif not isinstance(each, Relation):
                msg = f"result {name!r} holds a {type(each).__name__}; give results of tasks"
                raise InputError(msg)


def label_of(piece: Piece) -> str | None:
    """Return a piece's label, or its polarity."""
    return piece.polarity if isinstance(piece, Sentiment) else piece.label

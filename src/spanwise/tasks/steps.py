"""What a task is, and how many of them run over many texts with shared passes.

A task is a generator per text: it yields queries, is sent the spans found for each, and may go on
with more queries (relations ask for tails once the heads are known) before it returns its result.
`run` lets all tasks of a block of texts go forward together: texts are split once, the queries of
one round are batched together, and equal queries to one text are read once.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from spanwise.engine import BLOCK, Ask
from spanwise.errors import InputError
from spanwise.options import Settings
from spanwise.types import Entity, Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spanwise.config import ModelConfig
    from spanwise.engine import Engine, Text
    from spanwise.flow.words import Words
    from spanwise.options import Unread

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Question: TypeAlias = tuple[Query, Settings]
Steps: TypeAlias = Generator[Sequence[Question], Sequence[list[Entity]], R]


class Task(Protocol[R_co]):
    """Anything that can be asked of a text; the dataclasses of this package are."""

    def steps(self, text: Words, config: ModelConfig) -> Steps[R_co]:
        """Yield queries, take the spans found for each, return the result for this text."""
        ...


@dataclass(slots=True)
class _Running:
    """A task on its way through one text."""

    number: int
    text: Words
    steps: Steps[Any]
    asked: Sequence[Question] = ()
    result: Any = None
    done: bool = False

    def advance(self, found: Sequence[list[Entity]] | None) -> None:
        """Send what was found, and take the next queries or the result."""
        try:
            self.asked = next(self.steps) if found is None else self.steps.send(found)
        except StopIteration as end:
            self.result, self.done = end.value, True


def run(
    engine: Engine, items: Iterable[tuple[Text, Sequence[Task[Any]]]], unread: list[Unread]
) -> Iterator[list[Any]]:
    """Yield the results of each text's tasks, in order, reading ahead by a block of texts.

    Raises:
        InputError: something that is no text; LabelError, TextTooLongError: see `Engine.read`.
    """
    numbered = enumerate(items)
    while block := list(islice(numbered, BLOCK)):
        texts = engine.split([text for _, (text, _) in block], first=block[0][0])
        runs = [
            [_Running(number, text, task.steps(text, engine.config)) for task in tasks]
            for text, (number, (_, tasks)) in zip(texts, block, strict=True)
        ]
        live = list(chain.from_iterable(runs))
        for each in live:
            each.advance(None)
        while live := [each for each in live if not each.done]:
            asks = [
                Ask(each.text, query, settings, each.number)
                for each in live
                for query, settings in each.asked
            ]
            found = engine.read(asks, unread, at_once=max(1, len(asks)))
            for each, spans in [(each, list(islice(found, len(each.asked)))) for each in live]:
                each.advance(spans)
        for of_text in runs:
            yield [each.result for each in of_text]


def asked(words: object, what: str) -> str:
    """Return a question or instruction as it came, after checking that it says something.

    Raises:
        InputError: it is no string, or an empty one.
    """
    if not isinstance(words, str) or not words.strip():
        msg = f"the {what} is {words!r}; it must be a string that says something"
        raise InputError(msg)
    return words

"""Asks -> spans: the flow and a backend, put together.

    texts -> words -> windows x label groups -> prompts -> batches -> logits -> candidates
          -> merged per text -> greedy -> spans in the order of the asks

Asks are read in blocks, so an endless iterator runs in constant memory. Within a block all passes
(one window of one text with one group of labels) are sorted by length and batched together, and
asks that put the same query to the same text share theirs; what a text yields does not depend on
its neighbours. Where one span is wanted, its sentence may be read a second time (`reread`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from spanwise import reread
from spanwise.errors import InputError
from spanwise.flow import words
from spanwise.flow.encode import Encoder
from spanwise.flow.words import Words
from spanwise.passes import Block, Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spanwise.backend.base import Backend
    from spanwise.flow.words import WordSplitter
    from spanwise.options import Settings, Unread
    from spanwise.types import Entity, Query

Text: TypeAlias = "str | Words | Sequence[str]"
"""A text: a string, or (inside a list of texts) a list of words, joined by single spaces."""
BLOCK = 512
"""Asks that are batched together, and texts that are worked on together."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One query to one text and how spans are chosen; `number` is the text's place in the call."""

    text: Words
    query: Query
    settings: Settings
    number: int = 0


class Engine:
    """Answers asks with spans; knows nothing of tasks. Safe to share between threads."""

    def __init__(self, backend: Backend, splitter: WordSplitter | str | None = None) -> None:
        """Put a backend and a word splitter together.

        Args:
            backend: computes the scores.
            splitter: a name ("regex", "unicode"), a function, or None for the model's own.
        """
        self.backend = backend
        self.config = backend.config
        self.encoder = Encoder(backend.tokenizer, backend.config)
        chosen = splitter or backend.config.splitter
        self.splitter = words.splitter(chosen) if isinstance(chosen, str) else chosen

    def split(self, texts: Iterable[Text], *, first: int = 0) -> list[Words]:
        """Return the words of each text; equal strings are split once and share their words.

        Args:
            texts: strings, lists of words, or texts that are split already.
            first: the place of the first of them in the call, for messages.

        Raises:
            InputError: something that is no text.
        """
        known: dict[str, Words] = {}
        made = []
        for number, text in enumerate(texts, first):
            if isinstance(text, str):
                if text not in known:
                    known[text] = words.split(text, self.splitter)
                made.append(known[text])
            elif isinstance(text, Words):
                made.append(text)
            elif isinstance(text, (list, tuple)):
                made.append(words.joined(text))
            else:
                msg = (
                    f"text {number} is a {type(text).__name__}; a text is a string or, in a "
                    "list of texts, a list of words"
                )
                raise InputError(msg)
        return made

    def read(
        self, asks: Iterable[Ask], unread: list[Unread], *, at_once: int = BLOCK
    ) -> Iterator[list[Entity]]:
        """Yield the spans of each ask, in order.

        Args:
            asks: queries to texts; those of one text are best given next to each other.
            unread: receives what `long_text="truncate"` left out.
            at_once: asks that are batched together, and can share passes.

        Raises:
            LabelError: a label is too long for the model.
            TextTooLongError: an instruction that leaves no room, or a long text with
                `long_text="error"`.
        """
        waiting = iter(asks)
        while block := list(islice(waiting, at_once)):
            read = Block(self.encoder, self.backend, unread).spans
            yield from reread.spans([self._item(ask) for ask in block], self.config, read)

    def _item(self, ask: Ask) -> Item:
        instruction = ask.query.instruction
        asked = tuple(instruction[start:end] for start, end in self.splitter(instruction))
        return Item(ask.number, ask.text, ask.query.labels, asked, ask.settings)

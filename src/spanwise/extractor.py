"""Texts and queries -> spans: the flow and a backend, put together.

    texts -> words -> windows x label groups -> prompts -> batches -> logits -> candidates
          -> merged per text -> greedy -> spans in the order of the texts

Texts are read in blocks, so an endless iterator runs in constant memory. Within a block all
passes (one window of one text with one group of labels) are sorted by length and batched
together; what a text yields does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from typing import TYPE_CHECKING, TypeAlias, overload

from spanwise.errors import InputError
from spanwise.flow import prompt, words
from spanwise.flow.encode import Encoder
from spanwise.flow.words import Words
from spanwise.options import Settings, Unread
from spanwise.passes import Block, Item
from spanwise.types import Entity, Label, Query

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from spanwise.backend.base import Backend
    from spanwise.flow.words import WordSplitter
    from spanwise.options import Options, Thresholds

Text: TypeAlias = str | Words | Sequence[str]
"""A text: a string, or (inside a list of texts) a list of words, joined by single spaces."""
Labels: TypeAlias = Sequence[str | Label] | Mapping[str, str]


class Extractor:
    """Marks spans in texts. Made by `spanwise.load`; safe to share between threads."""

    def __init__(self, backend: Backend, *, splitter: WordSplitter | str | None = None) -> None:
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
        self.unread: list[Unread] = []

    @overload
    def entities(
        self,
        texts: str | Words,
        labels: Labels,
        *,
        threshold: Thresholds | None = None,
        **options: Unpack[Options],
    ) -> list[Entity]: ...
    @overload
    def entities(
        self,
        texts: Sequence[Text],
        labels: Labels | Sequence[Labels],
        *,
        threshold: Thresholds | None = None,
        **options: Unpack[Options],
    ) -> list[list[Entity]]: ...
    @overload
    def entities(
        self,
        texts: Iterator[Text],
        labels: Labels | Iterable[Labels],
        *,
        threshold: Thresholds | None = None,
        **options: Unpack[Options],
    ) -> Iterator[list[Entity]]: ...
    def entities(
        self,
        texts: Text | Iterable[Text],
        labels: Labels | Iterable[Labels],
        *,
        threshold: Thresholds | None = None,
        **options: Unpack[Options],
    ) -> list[Entity] | list[list[Entity]] | Iterator[list[Entity]]:
        """Return the entities of one text, of each of many, or a stream of them.

        Args:
            texts: a string; a list of strings or of lists of words; or an iterator of these.
            labels: names, `Label`s or a mapping name -> description; or one such list per text.
            threshold: least probability; see `Settings`, as for all options.
            **options: see `Settings`.

        Returns:
            Entities in text order: a list for one text, a list of lists for many, an iterator
            for an iterator.

        Raises:
            LabelError: no labels, an empty or repeated one, or one too long for the model.
            InputError: a threshold or option out of range, or something that is no text.
            TextTooLongError: a long text with `long_text="error"`.
        """
        settings = Settings.of(threshold, options)
        if isinstance(texts, (str, Words)):
            query = Query(prompt.labels(labels))  # type: ignore[arg-type]
            return next(self.extract([(texts, query)], settings))
        if not isinstance(labels, (Sequence, Mapping)) or _per_text(labels):
            queries = (Query(prompt.labels(each)) for each in labels)  # type: ignore[arg-type]
        else:
            queries = repeat(Query(prompt.labels(labels)))  # type: ignore[assignment,arg-type]
        found = self.extract(_paired(texts, queries), settings)
        return found if isinstance(texts, Iterator) else list(found)

    def extract(
        self, items: Iterable[tuple[Text, Query]], settings: Settings | None = None
    ) -> Iterator[list[Entity]]:
        """Yield the spans of each (text, query), in order; the way all tasks go.

        Args:
            items: texts with what is asked of them; several queries of one text are best given
                next to each other.
            settings: see `Settings`.

        Raises:
            LabelError, InputError, TextTooLongError: see `entities`.
        """
        settings = settings or Settings()
        self.unread = []
        stream = enumerate(items)
        while block := list(islice(stream, BLOCK)):
            prepared = Block(self.encoder, self.backend, settings, self.unread)
            yield from prepared.spans(self._items(block))

    def _items(self, block: Sequence[tuple[int, tuple[Text, Query]]]) -> list[Item]:
        """Split the block's texts, each once."""
        split: dict[str, Words] = {}
        made = []
        for number, (text, query) in block:
            if isinstance(text, str):
                if text not in split:
                    split[text] = words.split(text, self.splitter)
                found = split[text]
            elif isinstance(text, Words):
                found = text
            elif isinstance(text, (list, tuple)):
                found = words.joined(text)
            else:
                msg = (
                    f"text {number} is a {type(text).__name__}; a text is a string or, in a "
                    "list of texts, a list of words"
                )
                raise InputError(msg)
            instruction = query.instruction
            asked = tuple(instruction[s:e] for s, e in self.splitter(instruction))
            made.append(Item(number, found, query.labels, asked))
        return made


BLOCK = 512
"""(text, query) pairs that are batched together."""


def _per_text(labels: object) -> bool:
    """Whether the labels are a list of lists: one per text."""
    return (
        isinstance(labels, Sequence) and len(labels) > 0 and not isinstance(labels[0], (str, Label))
    )


def _paired(texts: Iterable[Text], queries: Iterable[Query]) -> Iterator[tuple[Text, Query]]:
    """Pair texts with queries; a list of labels for every text must be there."""
    waiting = iter(queries)
    for number, text in enumerate(texts):
        query = next(waiting, None)
        if query is None:
            msg = f"labels are given for {number} texts and there are more; give one list per text"
            raise InputError(msg)
        yield text, query

"""The extractor: every task as a method, for one text, many, or a stream of them.

Each method makes a task (see `spanwise.tasks`) and runs it on the engine; `run` takes several
tasks at once, which then share their passes. One text gives one result, a list a list, and an
iterator an iterator that holds no more than a block of texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from spanwise.engine import BLOCK, Ask, Engine, Text
from spanwise.errors import InputError
from spanwise.flow.words import Words
from spanwise.options import Settings
from spanwise.tasks import (
    Answers,
    Entities,
    Find,
    KeyPhrases,
    Labels,
    OpenEntities,
    Relations,
    Sentiments,
    Summaries,
    Task,
    run,
)
from spanwise.tasks.calls import each, per_text, questions

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from spanwise.backend.base import Backend
    from spanwise.config import ModelConfig
    from spanwise.flow.words import WordSplitter
    from spanwise.options import Options, Unread
    from spanwise.tasks import RelationLabels
    from spanwise.tasks.calls import (
        AnswerOptions,
        EntityOptions,
        KeyPhraseOptions,
        RelationOptions,
        SentimentOptions,
        SummaryOptions,
    )
    from spanwise.types import Answer, Entity, Query, Relation, Sentiment, Span, Summary

__all__ = ["Extractor", "Labels", "Text"]

One: TypeAlias = str | Words
"""A single text; a list of strings is many."""
Results: TypeAlias = "list[Any] | dict[str, Any]"

# A string is also a sequence of strings, so the overload for one text overlaps that for many; the
# first that fits is meant.
# mypy: disable-error-code="overload-overlap"
# ruff: noqa: ANN401 (overloads say what comes in and goes out)


class Extractor:
    """Marks spans in texts. Made by `spanwise.load`; safe to share between threads.

    Every method takes one text (a string), many (a list of strings or of lists of words) or an
    iterator, and raises LabelError, InputError or TextTooLongError for what cannot be asked.
    Further options are those of `spanwise.options.Settings`: `threshold`, `overlap`, `policy`, ...

    Attributes:
        unread: what `long_text="truncate"` left out in the last call.
    """

    def __init__(self, backend: Backend, *, splitter: WordSplitter | str | None = None) -> None:
        """Put a backend and a word splitter together.

        Args:
            backend: computes the scores.
            splitter: a name ("regex", "unicode"), a function, or None for the model's own.
        """
        self.engine = Engine(backend, splitter)
        self.unread: list[Unread] = []

    @property
    def backend(self) -> Backend:
        """What computes the scores."""
        return self.engine.backend

    @property
    def config(self) -> ModelConfig:
        """The model's configuration."""
        return self.engine.config

    def warm_up(self) -> None:
        """Read a few sentences, so that the first real one takes no longer than the next ones."""
        for n in range(5):
            self.entities(f"A first sentence, number {n}.", ["thing"])
        self.entities([f"Sentence {n} of several." for n in range(64)], ["thing"])

    @overload
    def entities(
        self, texts: One, labels: Labels, **options: Unpack[EntityOptions]
    ) -> list[Entity]: ...
    @overload
    def entities(
        self,
        texts: Sequence[Text],
        labels: Labels | Sequence[Labels],
        **options: Unpack[EntityOptions],
    ) -> list[list[Entity]]: ...
    @overload
    def entities(
        self,
        texts: Iterator[Text],
        labels: Labels | Iterable[Labels],
        **options: Unpack[EntityOptions],
    ) -> Iterator[list[Entity]]: ...
    def entities(
        self, texts: Any, labels: Any, *, near: float | None = None, **options: Any
    ) -> Any:
        """Return the entities in text order.

        Args:
            texts: one, many, or an iterator.
            labels: names, `Label`s or a mapping name -> description; or one such list per text.
            near: also give near misses down to this probability; they say so (`near_miss`).
            **options: see `Settings`.
        """
        settings = Settings.of(options)
        if not per_text(labels):
            return self._each(texts, Entities(labels, near=near, settings=settings))
        return self._each(texts, (Entities(own, near=near, settings=settings) for own in labels))

    @overload
    def open_entities(
        self, texts: One, labels: Labels, instruction: str, **options: Unpack[Options]
    ) -> list[Entity]: ...
    @overload
    def open_entities(
        self, texts: Sequence[Text], labels: Labels, instruction: str, **options: Unpack[Options]
    ) -> list[list[Entity]]: ...
    @overload
    def open_entities(
        self, texts: Iterator[Text], labels: Labels, instruction: str, **options: Unpack[Options]
    ) -> Iterator[list[Entity]]: ...
    def open_entities(self, texts: Any, labels: Labels, instruction: str, **options: Any) -> Any:
        """Return what an instruction such as "Extract all products of Acme:" asks for, typed.

        Args:
            texts: one, many, or an iterator.
            labels: the types, as for `entities`.
            instruction: what to extract; never part of the text.
            **options: see `Settings`.
        """
        return self._each(texts, OpenEntities(labels, instruction, settings=Settings.of(options)))

    @overload
    def relations(
        self, texts: One, relations: RelationLabels, **how: Unpack[RelationOptions]
    ) -> list[Relation]: ...
    @overload
    def relations(
        self, texts: Sequence[Text], relations: RelationLabels, **how: Unpack[RelationOptions]
    ) -> list[list[Relation]]: ...
    @overload
    def relations(
        self, texts: Iterator[Text], relations: RelationLabels, **how: Unpack[RelationOptions]
    ) -> Iterator[list[Relation]]: ...
    def relations(
        self, texts: Any, relations: RelationLabels, *, heads: Any = None, **how: Any
    ) -> Any:
        """Return relations between entities, or from given heads.

        Args:
            texts: one, many, or an iterator.
            relations: names, `RelationLabel`s (pairs, distance, direction), or a mapping
                name -> description.
            heads: heads that are known (words, spans or entities) in one text; one such list per
                text for many.
            **how: `entities` (labels of the heads and tails to find), `entity_threshold`,
                `mentions`, `instruction`, see `tasks.Relations`; the others see `Settings`.
        """
        own = {name: how.pop(name) for name in _RELATIONS if name in how}
        settings = Settings.of(how, also=_RELATIONS)
        if heads is None or isinstance(texts, (str, Words)):
            task = Relations(relations, heads=heads, settings=settings, **own)
            return self._each(texts, task)
        return self._each(
            texts, (Relations(relations, heads=each, settings=settings, **own) for each in heads)
        )

    @overload
    def answers(self, texts: One, questions: str, **how: Unpack[AnswerOptions]) -> Answer: ...
    @overload
    def answers(
        self,
        texts: One | Sequence[Text],
        questions: str | Sequence[str],
        **how: Unpack[AnswerOptions],
    ) -> list[Answer]: ...
    @overload
    def answers(
        self, texts: Iterator[Text], questions: str | Iterable[str], **how: Unpack[AnswerOptions]
    ) -> Iterator[Answer]: ...
    def answers(
        self, texts: Any, questions: Any, *, near: float | None = None, **options: Any
    ) -> Any:
        """Return the answer to a question, or the decision that the text holds none.

        Args:
            texts: one, many, or an iterator.
            questions: one for all texts, a list for one text, or one for each text.
            near: list near misses down to this probability among the alternatives.
            **options: see `Settings`.
        """
        settings = Settings.of(options)

        def make(question: str) -> Answers:
            return Answers(question, near=near, settings=settings)

        return self._questions(texts, questions, make)

    @overload
    def find(self, texts: One, instruction: str, **options: Unpack[Options]) -> list[Span]: ...
    @overload
    def find(
        self,
        texts: One | Sequence[Text],
        instruction: str | Sequence[str],
        **options: Unpack[Options],
    ) -> list[list[Span]]: ...
    @overload
    def find(
        self, texts: Iterator[Text], instruction: str | Iterable[str], **options: Unpack[Options]
    ) -> Iterator[list[Span]]: ...
    def find(self, texts: Any, instruction: Any, **options: Any) -> Any:
        """Return everything that an instruction of your own asks for, in text order.

        Args:
            texts: one, many, or an iterator.
            instruction: such as "Find all positive aspects about the product:"; as with
                `answers` one for all texts, a list for one text, or one for each.
            **options: see `Settings`.
        """
        settings = Settings.of(options)
        return self._questions(texts, instruction, lambda words: Find(words, settings=settings))

    @overload
    def summaries(self, texts: One, **how: Unpack[SummaryOptions]) -> Summary: ...
    @overload
    def summaries(self, texts: Sequence[Text], **how: Unpack[SummaryOptions]) -> list[Summary]: ...
    @overload
    def summaries(
        self, texts: Iterator[Text], **how: Unpack[SummaryOptions]
    ) -> Iterator[Summary]: ...
    def summaries(
        self,
        texts: Any,
        *,
        n_sentences: int | None = None,
        share: float | None = None,
        whole_sentences: bool = False,
        **options: Any,
    ) -> Any:
        """Return the most important pieces of a text, in its order.

        Args:
            texts: one, many, or an iterator.
            n_sentences: the best so many sentences instead of all above the threshold.
            share: this share of the sentences, at least one.
            whole_sentences: widen the pieces to whole sentences.
            **options: see `Settings`; the threshold is 0.1 if the model has none of its own.
        """
        task = Summaries(
            n_sentences=n_sentences,
            share=share,
            whole_sentences=whole_sentences,
            settings=Settings.of(options),
        )
        return self._each(texts, task)

    @overload
    def key_phrases(self, texts: One, **how: Unpack[KeyPhraseOptions]) -> list[Span]: ...
    @overload
    def key_phrases(
        self, texts: Sequence[Text], **how: Unpack[KeyPhraseOptions]
    ) -> list[list[Span]]: ...
    @overload
    def key_phrases(
        self, texts: Iterator[Text], **how: Unpack[KeyPhraseOptions]
    ) -> Iterator[list[Span]]: ...
    def key_phrases(self, texts: Any, *, most: int | None = None, **options: Any) -> Any:
        """Return the phrases that say what a text is about, in its order.

        Args:
            texts: one, many, or an iterator.
            most: at most so many, the best ones.
            **options: see `Settings`.
        """
        return self._each(texts, KeyPhrases(most=most, settings=Settings.of(options)))

    @overload
    def sentiment(self, texts: One, **how: Unpack[SentimentOptions]) -> list[Sentiment]: ...
    @overload
    def sentiment(
        self, texts: Sequence[Text], **how: Unpack[SentimentOptions]
    ) -> list[list[Sentiment]]: ...
    @overload
    def sentiment(
        self, texts: Iterator[Text], **how: Unpack[SentimentOptions]
    ) -> Iterator[list[Sentiment]]: ...
    def sentiment(
        self, texts: Any, *, aspects: bool | Sequence[str] = False, **options: Any
    ) -> Any:
        """Return the pieces that signal a positive, negative or neutral opinion.

        Args:
            texts: one, many, or an iterator.
            aspects: True marks what opinions are about instead; names ask for the opinions about
                each of them, in one pass a name.
            **options: see `Settings`.
        """
        return self._each(texts, Sentiments(aspects=aspects, settings=Settings.of(options)))

    @overload
    def run(self, texts: One, tasks: Mapping[str, Task[Any]]) -> dict[str, Any]: ...
    @overload
    def run(self, texts: One, tasks: Sequence[Task[Any]]) -> list[Any]: ...
    @overload
    def run(
        self, texts: Sequence[Text], tasks: Mapping[str, Task[Any]]
    ) -> list[dict[str, Any]]: ...
    @overload
    def run(self, texts: Sequence[Text], tasks: Sequence[Task[Any]]) -> list[list[Any]]: ...
    @overload
    def run(
        self, texts: Iterator[Text], tasks: Mapping[str, Task[Any]] | Sequence[Task[Any]]
    ) -> Iterator[Results]: ...
    def run(self, texts: Any, tasks: Mapping[str, Task[Any]] | Sequence[Task[Any]]) -> Any:
        """Return the results of several tasks on the same texts, which share their passes.

        Texts are split once, the queries of all tasks are batched together, and a query that
        several tasks put (entities, and relations between them) is read once.

        Args:
            texts: one, many, or an iterator.
            tasks: of `spanwise.tasks`, by name or in order.

        Returns:
            Per text a dictionary of results by name, or a list in the order of the tasks.
        """
        if not tasks:
            msg = "no tasks given: pass at least one of spanwise.tasks"
            raise InputError(msg)
        names = list(tasks) if isinstance(tasks, Mapping) else None
        chosen = list(tasks.values()) if isinstance(tasks, Mapping) else list(tasks)
        one = isinstance(texts, (str, Words))
        items = ((text, chosen) for text in ([texts] if one else texts))
        self.unread = []
        found: Iterator[Results] = run(self.engine, items, self.unread)
        if names is not None:
            found = (dict(zip(names, results, strict=True)) for results in found)
        if one:
            return next(found)
        return found if isinstance(texts, Iterator) else list(found)

    def extract(
        self, items: Iterable[tuple[Text, Query]], settings: Settings | None = None
    ) -> Iterator[list[Entity]]:
        """Yield the spans of each (text, query), in order: a query of one's own, and no task.

        Args:
            items: texts with what is asked of them; several queries of one text are best given
                next to each other.
            settings: see `Settings`.
        """
        self.unread = []
        return self.engine.read(self._asks(items, settings or Settings()), self.unread)

    def _asks(self, items: Iterable[tuple[Text, Query]], settings: Settings) -> Iterator[Ask]:
        numbered = enumerate(items)
        while block := list(islice(numbered, BLOCK)):
            texts = self.engine.split([text for _, (text, _) in block], first=block[0][0])
            for text, (number, (_, query)) in zip(texts, block, strict=True):
                yield Ask(text, query, settings, number)

    def _each(self, texts: object, tasks: Task[Any] | Iterable[Task[Any]]) -> Any:
        self.unread = []
        return each(self.engine, texts, tasks, self.unread)

    def _questions(self, texts: object, asked: Any, make: Any) -> Any:
        self.unread = []
        return questions(self.engine, texts, asked, make, self.unread)


_RELATIONS = ("entities", "entity_threshold", "mentions", "instruction")

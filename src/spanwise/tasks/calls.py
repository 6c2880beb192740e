"""One text, many, or a stream: a call's texts, each with its tasks, to results of the same form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar, cast

from spanwise.errors import InputError
from spanwise.flow.words import Words
from spanwise.options import Options
from spanwise.tasks.steps import Task, run
from spanwise.types import Label

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanwise.engine import Engine, Text
    from spanwise.options import Thresholds, Unread
    from spanwise.tasks.entities import Labels
    from spanwise.tasks.relations import Head

T = TypeVar("T")


class EntityOptions(Options, total=False):
    """Keyword options of `entities`; see `Entities`."""

    near: float | None


class RelationOptions(Options, total=False):
    """Keyword options of `relations`; see `Relations`."""

    entities: Labels | None
    heads: Iterable[Head] | Iterable[Iterable[Head]] | None
    entity_threshold: Thresholds | None
    mentions: bool
    instruction: str


class AnswerOptions(Options, total=False):
    """Keyword options of `answers`; see `Answers`."""

    near: float | None


class SummaryOptions(Options, total=False):
    """Keyword options of `summaries`; see `Summaries`."""

    n_sentences: int | None
    share: float | None
    whole_sentences: bool


class KeyPhraseOptions(Options, total=False):
    """Keyword options of `key_phrases`; see `KeyPhrases`."""

    most: int | None


class SentimentOptions(Options, total=False):
    """Keyword options of `sentiment`; see `Sentiments`."""

    aspects: bool | Sequence[str]


_MISSING = object()


def each(
    engine: Engine, texts: object, tasks: Task[Any] | Iterable[Task[Any]], unread: list[Unread]
) -> Any:  # noqa: ANN401 (as many results as texts; the extractor's overloads say which)
    """Return the result of one text, a list for many, an iterator for an iterator.

    Args:
        engine: answers the queries.
        texts: one, many, or an iterator.
        tasks: one for all texts, or an iterable with one for each.
        unread: receives what truncation left out.

    Raises:
        InputError: not one task for each text, or something that is no text.
    """
    of_texts = tasks if isinstance(tasks, Iterable) else repeat(tasks)
    if isinstance(texts, (str, Words)):
        return next(run(engine, [(texts, [next(iter(of_texts))])], unread))[0]
    if not isinstance(texts, Iterable):
        msg = f"texts is a {type(texts).__name__}; give a string, a list of texts or an iterator"
        raise InputError(msg)
    items = ((text, [task]) for text, task in paired(texts, of_texts))
    results = (result for (result,) in run(engine, items, unread))
    return results if isinstance(texts, Iterator) else list(results)


def paired(texts: Iterable[Text], given: Iterable[T]) -> Iterator[tuple[Text, T]]:
    """Pair texts with what is given for each.

    Raises:
        InputError: there are more of one than of the other.
    """
    waiting = iter(given)
    number = 0
    for number, text in enumerate(texts, 1):
        one = next(waiting, _MISSING)
        if one is _MISSING:
            msg = (
                f"something is given for {number - 1} texts and there are more; give one for "
                "each text, or the same for all"
            )
            raise InputError(msg)
        yield text, cast("T", one)
    if not isinstance(waiting, repeat) and next(waiting, _MISSING) is not _MISSING:
        msg = f"more is given than the {number} texts; give one for each text, or one for all"
        raise InputError(msg)


def questions(
    engine: Engine,
    texts: object,
    asked: str | Iterable[str],
    make: Callable[[str], Task[Any]],
    unread: list[Unread],
) -> Any:  # noqa: ANN401 (as many results as texts or questions)
    """Return answers: one question on many texts, many on one text, or a question for each.

    Raises:
        InputError: an empty question, no question, or not one for each text.
    """
    if isinstance(asked, str):
        return each(engine, texts, make(asked), unread)
    if isinstance(texts, (str, Words)):
        tasks = [make(question) for question in asked]
        return next(run(engine, [(texts, tasks)], unread))
    if isinstance(asked, Sequence):  # bad ones are known before anything is read
        return each(engine, texts, [make(question) for question in asked], unread)
    return each(engine, texts, (make(question) for question in asked), unread)


def per_text(given: object) -> bool:
    """Whether what is given is one list per text and no list of names."""
    if not isinstance(given, Sequence):
        return isinstance(given, Iterator)
    return len(given) > 0 and not isinstance(given[0], (str, Label))

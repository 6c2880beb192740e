"""`spanwise relations | answer | summarize | keyphrases | sentiment | find`: a task over texts.

Inputs, output and resuming are those of `spanwise entities`. Lines (where stdout is no terminal)
have tabs between: start, end, score and text of a span; a relation has its head's offsets first.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from spanwise.cli import shared, shown, work
from spanwise.errors import InputError
from spanwise.options import Settings
from spanwise.results.document import plain
from spanwise.tasks import Answers, Find, KeyPhrases, Relations, Sentiments, Summaries
from spanwise.tasks.wording import ANSWER, KEY_PHRASE, MATCH, POLARITIES, SUMMARY
from spanwise.types import Entity, Label, RelationLabel

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from spanwise.extractor import Extractor
    from spanwise.tasks import Task
    from spanwise.types import Answer, Relation, Sentiment, Span, Summary


def configure(parser: ArgumentParser) -> None:
    """Describe the arguments of the command that was typed."""
    work.add_inputs(parser)
    _OWN[parser.get_default("command")](parser)
    shared.add_choice(parser)
    work.add_output(parser)
    shared.add_model(parser)


def run(arguments: Namespace) -> int:
    """Ask, and print or write; return the exit status.

    Raises:
        SpanwiseError: whatever keeps it from being done, in one sentence.
    """
    return work.do(arguments, _WORK[arguments.command](arguments))


def _configure_relations(parser: ArgumentParser) -> None:
    shared.add_labels(parser)
    group = parser.add_argument_group("relations")
    add = group.add_argument
    add("--relations", metavar="A,B,C", action="append", default=[], help="names, with commas")
    add("-r", "--relation", metavar="NAME[=DESCRIPTION]", action="append", default=[])
    add(
        "--pair",
        metavar="[NAME=]HEAD>TAIL",
        action="append",
        default=[],
        help="allowed labels of head and tail, of one relation or of all",
    )
    add("--max-distance", type=int, metavar="N", help="most characters between head and tail")
    add("--direction", choices=("any", "forward", "backward"), default="any")
    add("--head", metavar="WORDS", action="append", help="a known head, instead of all entities")
    add("--entity-threshold", type=float, metavar="T")
    add("--mentions", action="store_true", help="a relation for every mention of its tail")


def _relations(arguments: Namespace) -> work.Work:
    relations = _relation_labels(arguments)
    named = arguments.labels or arguments.label
    task = Relations(
        relations,
        entities=shared.labels(arguments) if named else None,
        heads=arguments.head,
        entity_threshold=arguments.entity_threshold,
        mentions=arguments.mentions,
        settings=_settings(arguments, [each.name for each in relations]),
    )
    return _work(task, "relations", _marked_relations, _listed_relations)


def _relation_labels(arguments: Namespace) -> list[RelationLabel]:
    """Return the relations of `--relations` and `--relation` with their bounds.

    Raises:
        InputError: a pair that is none, or of a relation that is not asked for.
    """
    listed = [name.strip() for names in arguments.relations for name in names.split(",")]
    single = [each.partition("=") for each in arguments.relation]
    named = dict.fromkeys(listed, "") | {n.strip(): shown.strip() for n, _, shown in single}
    pairs: dict[str, list[tuple[str, str]]] = {name: [] for name in named}
    for given in arguments.pair:
        relation, _, ends = given.rpartition("=")
        head, arrow, tail = (part.strip() for part in ends.partition(">"))
        if not (head and arrow and tail) or (relation and relation.strip() not in named):
            msg = (
                f"--pair {given}: write 'founded by=company>person' with one of the relations "
                f"{', '.join(named) or '(none given)'}"
            )
            raise InputError(msg)
        for name in [relation.strip()] if relation else named:
            pairs[name].append((head, tail))
    return [
        RelationLabel(
            name,
            prompt,
            tuple(pairs[name]) or None,
            arguments.max_distance,
            arguments.direction,
        )
        for name, prompt in named.items()
    ]


def _marked_relations(_: str, found: list[Relation]) -> str:
    return "\n".join(
        f"{_line(each.head.text)}  --{each.relation}-->  {_line(each.tail.text)}  {each.score:.2f}"
        for each in found
    )


def _listed_relations(found: list[Relation], number: int | None) -> str:
    return _rows(
        number,
        (
            (
                *(each.head.start, each.head.end, each.tail.start, each.tail.end),
                *(f"{each.score:.4f}", each.head.text, each.relation, each.tail.text),
            )
            for each in found
        ),
    )


def _configure_answer(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("-q", "--question", metavar="WORDS", action="append", required=True, help="repeatable")
    add("--near", type=float, metavar="T", help="list near misses down to this score (JSON)")


def _answer(arguments: Namespace) -> work.Work:
    settings = _settings(arguments, [ANSWER])
    tasks = [Answers(words, near=arguments.near, settings=settings) for words in arguments.question]

    def ask(extractor: Extractor, texts: Iterator[Any]) -> Iterator[Any]:
        return extractor.run(texts, tasks)

    return work.Work(
        ask=ask, key="answers", plain=plain, marked=_marked_answers, listed=_listed_answers
    )


def _marked_answers(_: str, found: list[Answer]) -> str:
    return "\n".join(
        f"{each.question}  ->  {_line(each.answer.text) if each.answer else 'no answer'}"
        f"  {each.score:.2f}"
        for each in found
    )


def _listed_answers(found: list[Answer], number: int | None) -> str:
    """A line for each question; one without an answer has no offsets and no text."""
    return _rows(
        number,
        (
            (
                *((each.answer.start, each.answer.end) if each.answer else ("", "")),
                *(f"{each.score:.4f}", each.question, each.answer.text if each.answer else ""),
            )
            for each in found
        ),
    )


def _configure_summarize(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("-n", "--sentences", type=int, metavar="N", help="the best so many sentences")
    add("--share", type=float, metavar="S", help="this share of the sentences, 0..1")
    add("--whole", action="store_true", help="widen the pieces to whole sentences")


def _summarize(arguments: Namespace) -> work.Work:
    task = Summaries(
        n_sentences=arguments.sentences,
        share=arguments.share,
        whole_sentences=arguments.whole,
        settings=_settings(arguments, [SUMMARY]),
    )

    def marked(_: str, found: Summary) -> str:
        return "\n".join(_line(span.text) for span in found.sentences)

    def listed(found: Summary, number: int | None) -> str:
        return _listed_spans(found.sentences, number)

    return _work(task, "summary", marked, listed)


def _configure_keyphrases(parser: ArgumentParser) -> None:
    parser.add_argument("--most", type=int, metavar="N", help="at most so many, the best ones")


def _keyphrases(arguments: Namespace) -> work.Work:
    task = KeyPhrases(most=arguments.most, settings=_settings(arguments, [KEY_PHRASE]))
    return _work(task, "key_phrases", partial(_marked_spans, label=KEY_PHRASE), _listed_spans)


def _configure_find(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("-i", "--instruction", metavar="WORDS", required=True, help='"Find all prices:"')


def _find(arguments: Namespace) -> work.Work:
    task = Find(arguments.instruction, settings=_settings(arguments, [MATCH]))
    return _work(task, "matches", partial(_marked_spans, label=MATCH), _listed_spans)


def _configure_sentiment(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--aspects", action="store_true", help="mark what opinions are about, not the opinions")
    add("--aspect", metavar="NAME", action="append", help="ask about this one; repeatable")


def _sentiment(arguments: Namespace) -> work.Work:
    if arguments.aspects and arguments.aspect:
        msg = "--aspects and --aspect exclude each other"
        raise InputError(msg)
    aspects = arguments.aspect or arguments.aspects
    task = Sentiments(aspects=aspects, settings=_settings(arguments, list(POLARITIES)))

    def marked(text: str, found: list[Sentiment]) -> str:
        return _marked(text, [Entity(f.text, f.polarity, f.start, f.end, f.score) for f in found])

    def listed(found: list[Sentiment], number: int | None) -> str:
        rows = (
            (
                f.start,
                f.end,
                f"{f.score:.4f}",
                f.polarity,
                f.text,
                *([f.aspect] if f.aspect else []),
            )
            for f in found
        )
        return _rows(number, rows)

    return _work(task, "sentiment", marked, listed)


def _work(
    task: Task[Any],
    key: str,
    marked: Callable[[str, Any], str],
    listed: Callable[[Any, int | None], str],
) -> work.Work:
    """Return the work of one task."""

    def ask(extractor: Extractor, texts: Iterator[Any]) -> Iterator[Any]:
        results: Iterator[Any] = extractor.run(texts, [task])
        return (found for (found,) in results)

    return work.Work(ask=ask, key=key, plain=plain, marked=marked, listed=listed)


def _settings(arguments: Namespace, names: Sequence[str]) -> Settings:
    return Settings(**shared.choice(arguments, [Label(name) for name in names]))


def _marked(text: str, found: Sequence[Entity]) -> str:
    labels = list(dict.fromkeys(entity.label for entity in found))
    return shown.marked(text, found, labels, colour=shown.has_colour(sys.stdout))


def _marked_spans(text: str, found: list[Span], *, label: str) -> str:
    return _marked(text, [Entity(f.text, label, f.start, f.end, f.score) for f in found])


def _listed_spans(found: Iterable[Span], number: int | None) -> str:
    return _rows(number, ((f.start, f.end, f"{f.score:.4f}", f.text) for f in found))


def _rows(number: int | None, rows: Iterable[Sequence[object]]) -> str:
    """Return lines with tabs; white space in a cell is one space."""
    head = [] if number is None else [str(number)]
    return "\n".join("\t".join([*head, *(_line(str(cell)) for cell in row)]) for row in rows)


def _line(text: str) -> str:
    """Return a text on one line, without what could drive a terminal."""
    return shown.clean(" ".join(text.split()))


_OWN: dict[str, Callable[[ArgumentParser], None]] = {
    "relations": _configure_relations,
    "answer": _configure_answer,
    "summarize": _configure_summarize,
    "keyphrases": _configure_keyphrases,
    "sentiment": _configure_sentiment,
    "find": _configure_find,
}
_WORK: dict[str, Callable[[Namespace], work.Work]] = {
    "relations": _relations,
    "answer": _answer,
    "summarize": _summarize,
    "keyphrases": _keyphrases,
    "sentiment": _sentiment,
    "find": _find,
}

"""The benchmarks' own files -> items, each format as its authors published it.

CrossNER, SQuAD 2.0, FewRel and CNN/DailyMail as JSON lines are read by `spanwise.data.benchmarks`
and put as questions here. Read here as well: MIT movie and restaurant (tag first, then the word),
CNN/DailyMail as Parquet and as the original `.story` files.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spanwise.data.benchmarks import Article, read_articles
from spanwise.data.benchmarks import read_crossner as crossner_source
from spanwise.data.benchmarks import read_fewrel as fewrel_pairs
from spanwise.data.benchmarks import read_squad as squad_questions
from spanwise.data.entity_sets import entity_source
from spanwise.data.formats.conll import Sentence, sentences, spans_of
from spanwise.data.formats.files import read_text
from spanwise.data.records import (
    RELATION_INSTRUCTION,
    RELATION_SEPARATOR,
    SUMMARY_INSTRUCTION,
    GoldSpan,
    Source,
)
from spanwise.data.text import split
from spanwise.errors import DataError, MissingExtraError
from spanwise.evaluate.items import Item
from spanwise.evaluate.systems import Question

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

ANSWER, SUMMARY = "answer", "summary"


def read_crossner(path: Path, labels: Collection[str], *, known: Collection[str]) -> list[Item]:
    """Read a domain of CrossNER and ask for all of `labels` in every sentence.

    Args:
        path: a file of words and BIO tags.
        labels: what is asked for, in words; spans of other labels are no gold.
        known: all labels of the domain.

    Raises:
        DataError: the file breaks its format, or has a label that is not known.
    """
    return _entities(crossner_source(path, path.parent.name), path, labels, known=known)


def read_mit(path: Path, labels: Collection[str], *, lowercase: bool) -> list[Item]:
    """Read MIT movie or restaurant and ask for all of `labels` in every sentence.

    Both `tag word` (as published) and `word tag` are read; "RATINGS_AVERAGE" is asked for as
    "ratings average", or in the file's own case without `lowercase`.

    Raises:
        DataError: the file breaks its format, or has a label that is not among `labels`.
    """
    found = _tag_first(path) if _has_tag_first(path) else sentences(path)
    rows = []
    for number, sentence in enumerate(found):
        spans = []
        for first, last, label in spans_of(sentence, []):
            words = label.replace("_", " ")
            spans.append([first, last, words.lower() if lowercase else words])
        rows.append((sentence.where, str(number), sentence.tokens, spans))
    return _entities(entity_source("mit", rows), path, labels, known=labels)


def _entities(
    source: Source, path: Path, labels: Collection[str], *, known: Collection[str]
) -> list[Item]:
    unknown = {span.label for record in source.records for span in record.spans} - {*known}
    if unknown:
        msg = f"{path}: label {min(unknown)!r} is none of {', '.join(sorted(known))}"
        raise DataError(msg)
    return [
        Item(
            id=record.id.rpartition("/")[2],
            question=Question(
                text=record.text,
                labels=tuple(sorted(labels)),
                words=record.words or tuple(split(record.text)),
            ),
            gold=tuple(span for span in record.spans if span.label in labels),
        )
        for record in source.records
    ]


def _has_tag_first(path: Path) -> bool:
    """Tell `tag word` from `word tag` by the first entity of the file."""
    for line in read_text(path).splitlines():
        first, _, second = line.partition("\t")
        if first[:2] in {"B-", "I-"} and second:
            return True
        if second[:2] in {"B-", "I-"}:
            return False
    return False


def _tag_first(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of lines with a tag, a tab and a word."""
    current: Sentence | None = None
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            if current:
                yield current
            current = None
            continue
        tag, _, word = line.partition("\t")
        if not word.strip() or not (tag == "O" or tag[:2] in {"B-", "I-"}):
            msg = f"{path}:{number}: {line!r} is not a tag, a tab and a word"
            raise DataError(msg)
        if current is None:
            current = Sentence(f"{path}:{number}", str(number))
        current.tokens.append(word.strip())
        current.tags.append(tag)
    if current:
        yield current


def read_squad(path: Path) -> list[Item]:
    """Read SQuAD 2.0: one item a question; an unanswerable one has no references.

    Raises:
        DataError: the file is no SQuAD JSON, or an answer is not where it says it is.
    """
    with _published_form(path):
        questions = squad_questions(path)
    return [
        Item(
            id=asked.id,
            question=Question(
                text=asked.context,
                labels=(ANSWER,),
                instruction=asked.question.strip(),
                task="answers",
            ),
            gold=tuple(
                GoldSpan(start, start + len(answer), ANSWER)
                for start, answer in sorted({*zip(asked.starts, asked.answers, strict=True)})
            ),
            references=tuple(dict.fromkeys(asked.answers)),
        )
        for asked in questions
    ]


def read_fewrel(path: Path) -> list[Item]:
    """Read FewRel: head and relation are given, all mentions of the tail are gold.

    The head is named as it stands in the text (its first mention); the file's own name of it is
    lower-cased.

    Raises:
        DataError: a file breaks its format, or a relation has no name.
    """
    with _published_form(path):
        pairs = fewrel_pairs(path.parent)
    items = []
    for pair in pairs:
        label = f"{pair.head.text}{RELATION_SEPARATOR}{pair.relation}"
        items.append(
            Item(
                id=pair.id,
                question=Question(
                    text=pair.text,
                    labels=(label,),
                    instruction=RELATION_INSTRUCTION,
                    task="relations",
                    head=(pair.head.start, pair.head.end),
                ),
                gold=tuple(GoldSpan(tail.start, tail.end, label) for tail in pair.tails),
            )
        )
    return items


@contextmanager
def _published_form(path: Path) -> Iterator[None]:
    """Turn what is missing inside of a published file into an error that names the file."""
    try:
        yield
    except (KeyError, IndexError, TypeError) as error:
        msg = f"{path}: not in its published form ({type(error).__name__}: {error})"
        raise DataError(msg) from error


def read_cnndm(path: Path) -> list[Item]:
    """Read CNN/DailyMail articles with their highlights as reference summaries.

    Args:
        path: JSON lines (also gzip'd) or Parquet with `id`, `article` and `highlights`, or a
            folder of `.story` files, which are taken in the order of their names.

    Raises:
        DataError: the file breaks its format.
        MissingExtraError: a Parquet file, and pyarrow is not installed.
    """
    if path.is_dir():
        articles = tuple(_story(story) for story in sorted(path.glob("*.story")))
    else:
        articles = _parquet(path) if path.suffix == ".parquet" else read_articles(path)
    return [
        Item(
            id=article.id,
            question=Question(
                text=article.text,
                labels=(SUMMARY,),
                instruction=SUMMARY_INSTRUCTION,
                task="summary",
            ),
            references=(article.highlights,),
        )
        for article in articles
    ]


def _story(path: Path) -> Article:
    text, *highlights = read_text(path).split("@highlight")
    if not highlights:
        msg = f"{path}: has no '@highlight'; expected an article and its highlights"
        raise DataError(msg)
    lines = [" ".join(highlight.split()) for highlight in highlights]
    return Article(id=path.stem, text=text.strip(), highlights="\n".join(lines))


def _parquet(path: Path) -> tuple[Article, ...]:
    try:
        from pyarrow import lib, parquet  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        what = "Reading Parquet"
        raise MissingExtraError(what, "eval") from error
    try:
        rows = parquet.read_table(path, columns=["id", "article", "highlights"]).to_pylist()
    except (lib.ArrowException, OSError) as error:
        msg = f"{path}: not Parquet with id, article and highlights ({error})"
        raise DataError(msg) from error
    return tuple(
        Article(id=row["id"], text=row["article"], highlights=row["highlights"]) for row in rows
    )

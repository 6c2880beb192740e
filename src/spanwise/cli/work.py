"""What every command over texts does: read, ask, print or write, and go on where it stopped.

A command says how results are asked for, what they are in JSON and how they look; inputs, streams,
progress, resumable output and what could not be read are the same for all.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from spanwise import __version__
from spanwise.cli import documents, shared
from spanwise.cli.output import Lines, state
from spanwise.cli.progress import Metered, Progress
from spanwise.errors import InputError
from spanwise.extractor import Extractor
from spanwise.loading import locate

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _ArgumentGroup
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from spanwise.cli.documents import Document

    Ask = Callable[[Extractor, Iterator[str | list[str]]], Iterator[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One command's own part.

    Attributes:
        ask: extractor and texts -> a result for each, in order.
        key: the field of a text's JSON object that holds its result.
        plain: result -> JSON value.
        marked: text and result as a person reads them in a terminal.
        listed: result as lines with tabs, each beginning with the text's number if it has one.
    """

    ask: Ask
    key: str
    plain: Callable[[Any], Any]
    marked: Callable[[str, Any], str]
    listed: Callable[[Any, int | None], str]


def add_inputs(parser: ArgumentParser) -> None:
    """Describe what is read."""
    add = parser.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="a text, a file, or - for standard input")
    add("--jsonl", action="store_true", help="inputs hold JSON lines, whatever their names")
    add("--text-field", default="text", metavar="NAME", help="of JSON lines (default: text)")
    add("--lines", action="store_true", help="every line is a text of its own")


def add_output(parser: ArgumentParser) -> _ArgumentGroup:
    """Describe what is written; return the group, for what a command adds to it."""
    group = parser.add_argument_group("output")
    add = group.add_argument
    add("--json", action="store_true", help="one JSON object per text")
    add("-o", "--output", metavar="FILE", help="write JSON lines there, whole and resumable")
    add("--quiet", action="store_true", help="no progress line")
    return group


def do(arguments: Namespace, work: Work) -> int:
    """Read, ask and print or write; return the exit status.

    Raises:
        SpanwiseError: whatever keeps it from being done, in one sentence.
    """
    inputs = _inputs(arguments)
    form = documents.Form(
        jsonl=arguments.jsonl, lines=arguments.lines, text_field=arguments.text_field
    )
    paths = [path for path in map(documents.as_file, inputs) if path is not None]
    n_bytes = sum(path.stat().st_size for path in paths)
    progress = Progress(n_bytes, quiet=arguments.quiet)
    extractor = shared.load_model(arguments)
    if not arguments.quiet:
        extractor = Extractor(Metered(extractor.backend, progress), splitter=arguments.splitter)
    stream = documents.read(inputs, form)
    with closing(progress):
        if arguments.output is not None:
            recipe = recipe_of(arguments, extractor, paths)
            with Lines(arguments.output, recipe, resume="-" not in inputs) as lines:
                for _ in islice(stream, lines.n_there):
                    pass
                for document, found in pairs(extractor, stream, work.ask):
                    lines.write(_json(document, found, work))
                    progress.document(document.done)
                lines.finish()
        else:
            many = len(inputs) > 1 or arguments.lines or arguments.jsonl
            many = many or any(path.suffix == ".jsonl" for path in paths)
            for number, (document, found) in enumerate(pairs(extractor, stream, work.ask)):
                progress.close()
                if arguments.json:
                    print(_json(document, found, work))
                else:
                    _print(document, found, work, number=number if many else None)
                progress.document(document.done)
    report_unread(extractor)
    return 0


def _inputs(arguments: Namespace) -> list[str]:
    """Return the inputs; without any, standard input if something is piped in."""
    if arguments.jsonl and arguments.lines:
        msg = "--jsonl and --lines exclude each other"
        raise InputError(msg)
    if arguments.inputs:
        return list(arguments.inputs)
    if sys.stdin.isatty():
        msg = "nothing to read: pass a text, a file, or - for standard input"
        raise InputError(msg)
    return ["-"]


def pairs(
    extractor: Extractor, stream: Iterator[Document], ask: Ask
) -> Iterator[tuple[Document, Any]]:
    """Yield each document with its result; the extractor reads some documents ahead."""
    waiting: deque[Document] = deque()

    def texts() -> Iterator[str | list[str]]:
        for document in stream:
            waiting.append(document)
            yield document.text

    for found in ask(extractor, texts()):
        yield waiting.popleft(), found


def _print(document: Document, found: Any, work: Work, *, number: int | None) -> None:  # noqa: ANN401
    """Show the text with its result in a terminal, lines elsewhere."""
    if sys.stdout.isatty():
        text = document.text if isinstance(document.text, str) else " ".join(document.text)
        print(work.marked(text, found).rstrip("\n"))
    elif lines := work.listed(found, number):
        print(lines)


def _json(document: Document, found: Any, work: Work) -> str:  # noqa: ANN401 (a result)
    return json.dumps({**document.record, work.key: work.plain(found)}, ensure_ascii=False)


def recipe_of(arguments: Namespace, extractor: Extractor, paths: list[Path]) -> dict[str, Any]:
    """Return what decides the output: arguments, model and inputs."""
    free = {"quiet", "threads", "json", "output", "batch_tokens"}
    return {
        "version": __version__,
        "arguments": {k: v for k, v in vars(arguments).items() if k not in free},
        "backend": extractor.backend.name,
        "files": state([*paths, locate(arguments.model, local_files_only=True)]),
    }


def report_unread(extractor: Extractor) -> None:
    """Say what `--long-text truncate` left out."""
    if extractor.unread:
        n_characters = sum(each.end - each.start for each in extractor.unread)
        n_texts = len({each.text for each in extractor.unread})
        print(
            f"spanwise: {n_texts} texts were not read to their end, {n_characters} characters "
            "in all; --long-text windows reads everything",
            file=sys.stderr,
        )

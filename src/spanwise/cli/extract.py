"""`spanwise extract INPUT ... --labels A,B`: entities of texts, files, standard input, JSON lines.

In a terminal the text is shown with its entities marked; elsewhere every entity is a line
`start end score label text` with tabs (and the text's number before it, where there may be many).
`--json` and `--output` write one JSON object per text:
the record it came from (or its text, or its file's name) with `entities` added. Everything
streams: memory does not grow with the input. A file of `--output` appears when it is whole, and
the same command started again goes on where an earlier one was interrupted.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.cli import documents, shared, shown
from spanwise.cli.output import Lines, state
from spanwise.cli.progress import Metered, Progress
from spanwise.errors import InputError
from spanwise.extractor import Extractor

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from spanwise.cli.documents import Document
    from spanwise.options import Options
    from spanwise.types import Entity, Label


def configure(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    add = parser.add_argument
    add("inputs", nargs="*", metavar="INPUT", help="a text, a file, or - for standard input")
    add("--jsonl", action="store_true", help="inputs hold JSON lines, whatever their names")
    add("--text-field", default="text", metavar="NAME", help="of JSON lines (default: text)")
    add("--lines", action="store_true", help="every line is a text of its own")
    shared.add_labels(parser)
    shared.add_choice(parser)
    group = parser.add_argument_group("output")
    add = group.add_argument
    add("--json", action="store_true", help="one JSON object per text")
    add("-o", "--output", metavar="FILE", help="write JSON lines there, whole and resumable")
    add("--probabilities", action="store_true", help="every label's score for each entity (JSON)")
    add("--runners-up", action="store_true", help="labels that lost on the same span (JSON)")
    add("--quiet", action="store_true", help="no progress line")
    shared.add_model(parser)


def run(arguments: Namespace) -> int:
    """Extract and print or write; return the exit status.

    Raises:
        SpanwiseError: whatever keeps it from being done, in one sentence.
    """
    asked = shared.labels(arguments)
    options = shared.choice(
        arguments,
        asked,
        probabilities=arguments.probabilities,
        runners_up=arguments.runners_up,
    )
    inputs = _inputs(arguments)
    form = documents.Form(
        jsonl=arguments.jsonl, lines=arguments.lines, text_field=arguments.text_field
    )
    paths = [path for path in map(documents.as_file, inputs) if path is not None]
    progress = Progress(0 if arguments.quiet else sum(path.stat().st_size for path in paths))
    extractor = shared.load_model(arguments)
    if not arguments.quiet:
        extractor = Extractor(Metered(extractor.backend, progress), splitter=arguments.splitter)
    stream = documents.read(inputs, form)
    with closing(progress):
        if arguments.output is not None:
            recipe = _recipe(arguments, extractor, paths)
            with Lines(arguments.output, recipe, resume="-" not in inputs) as lines:
                for _ in islice(stream, lines.n_there):
                    pass
                for document, found in _pairs(extractor, stream, asked, options):
                    lines.write(_json(document, found))
                    progress.document(document.done)
                lines.finish()
        else:
            many = len(inputs) > 1 or arguments.lines or arguments.jsonl
            many = many or any(path.suffix == ".jsonl" for path in paths)
            for number, (document, found) in enumerate(_pairs(extractor, stream, asked, options)):
                progress.close()
                if arguments.json:
                    print(_json(document, found))
                else:
                    _print(document, found, asked, number=number if many else None)
                progress.document(document.done)
    _report_unread(extractor)
    return 0


def _inputs(arguments: Namespace) -> list[str]:
    """Return the inputs; without any, standard input if something is piped in."""
    if arguments.jsonl and arguments.lines:
        msg = "--jsonl and --lines exclude each other"
        raise InputError(msg)
    json_only = [name for name in ("probabilities", "runners_up") if getattr(arguments, name)]
    if json_only and not (arguments.json or arguments.output):
        msg = f"--{json_only[0].replace('_', '-')} is shown in JSON only; add --json"
        raise InputError(msg)
    if arguments.inputs:
        return list(arguments.inputs)
    if sys.stdin.isatty():
        msg = "nothing to read: pass a text, a file, or - for standard input"
        raise InputError(msg)
    return ["-"]


def _pairs(
    extractor: Extractor, stream: Iterator[Document], asked: Sequence[Label], options: Options
) -> Iterator[tuple[Document, list[Entity]]]:
    """Yield each document with its entities; the extractor reads some documents ahead."""
    waiting: deque[Document] = deque()

    def texts() -> Iterator[str | list[str]]:
        for document in stream:
            waiting.append(document)
            yield document.text

    for found in extractor.entities(texts(), asked, **options):
        yield waiting.popleft(), found


def _print(
    document: Document, found: list[Entity], asked: Sequence[Label], *, number: int | None
) -> None:
    """Show the text with its entities in a terminal, a line per entity elsewhere."""
    if sys.stdout.isatty():
        text = document.text if isinstance(document.text, str) else " ".join(document.text)
        labels = [label.name for label in asked]
        colour = shown.has_colour(sys.stdout)
        print(shown.marked(text, found, labels, colour=colour).rstrip("\n"))
    elif found:
        print(shown.listed(found, number=number))


def _json(document: Document, found: list[Entity]) -> str:
    whole = {**document.record, "entities": [entity.to_dict() for entity in found]}
    return json.dumps(whole, ensure_ascii=False)


def _recipe(arguments: Namespace, extractor: Extractor, paths: list[Path]) -> dict[str, Any]:
    """Return what decides the output: arguments, model and inputs."""
    model = arguments.model
    model_files = [Path(model)] if model is not None and Path(model).exists() else []
    free = {"quiet", "threads", "json", "output", "batch_tokens"}
    return {
        "arguments": {k: v for k, v in vars(arguments).items() if k not in free},
        "backend": extractor.backend.name,
        "files": state([*paths, *model_files]),
    }


def _report_unread(extractor: Extractor) -> None:
    """Say what `--long-text truncate` left out."""
    if extractor.unread:
        n_characters = sum(each.end - each.start for each in extractor.unread)
        n_texts = len({each.text for each in extractor.unread})
        print(
            f"spanwise: {n_texts} texts were not read to their end, {n_characters} characters "
            "in all; --long-text windows reads everything",
            file=sys.stderr,
        )

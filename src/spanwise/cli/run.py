"""`spanwise run pipeline.toml in.jsonl out.jsonl`: a recipe over a corpus, record by record.

Every record goes out as it came with `results` added (or `rows`, or `graph`: what the recipe's
`[export]` says). One that cannot be read goes out with `error` instead, under its id, and the rest
goes on; the exit status is then 1. The output appears when it is whole; the same command started
again goes on where an earlier one was interrupted.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise import recipes
from spanwise.cli import documents, shared, work
from spanwise.cli.output import Lines
from spanwise.cli.progress import Metered, Progress
from spanwise.errors import DataError, SpanwiseError
from spanwise.extractor import Extractor
from spanwise.results import Document, rows, to_jsonld

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

_AT_ONCE = 256
_FAILED = b'"error": {"type": "'


def configure(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    add = parser.add_argument
    add("recipe", metavar="RECIPE", help="TOML: steps and export, see docs/tasks.md")
    add("source", metavar="IN", help="JSON lines, or - for standard input")
    add("target", metavar="OUT", help="JSON lines to write")
    add("--text-field", default="text", metavar="NAME", help="where a record holds its text")
    add("--id-field", default="id", metavar="NAME", help="where a record holds its id")
    add("--quiet", action="store_true", help="no progress line")
    shared.add_model(parser)


def run(arguments: Namespace) -> int:
    """Run the recipe over all records; return 0, or 1 if a record failed.

    Raises:
        ConfigError: the recipe cannot run.
        SpanwiseError: whatever else keeps it from being done.
    """
    recipe = recipes.read(arguments.recipe)
    path = documents.as_file(arguments.source)
    paths = [] if path is None else [path]
    n_bytes = sum(path.stat().st_size for path in paths)
    progress = Progress(n_bytes, quiet=arguments.quiet)
    stream = _records(arguments)
    first = list(islice(stream, _AT_ONCE))  # what is not there is better known before the model
    extractor = shared.load_model(arguments)
    if not arguments.quiet:
        extractor = Extractor(Metered(extractor.backend, progress), splitter=arguments.splitter)
    made_of = work.recipe_of(arguments, extractor, paths)
    made_of["recipe"] = Path(arguments.recipe).read_text(encoding="utf-8")
    stream = chain(first, stream)
    with closing(progress), Lines(arguments.target, made_of, resume=bool(paths)) as lines:
        for _ in islice(stream, lines.n_there):
            pass
        while batch := list(islice(stream, _AT_ONCE)):
            for given, line in zip(batch, _written(recipe, extractor, batch), strict=True):
                lines.write(line)
                progress.document(given.done)
        n_failed = lines.count(_FAILED)
        lines.finish()
    if n_failed:
        print(
            f"spanwise: {n_failed} records failed; each has its 'error' in {arguments.target}",
            file=sys.stderr,
        )
    return 1 if n_failed else 0


@dataclass(frozen=True, slots=True)
class _Record:
    """A line of the input: its id (else its number), and its document or what is wrong with it."""

    id: Any
    known: dict[str, Any]
    document: documents.Document | None
    error: SpanwiseError | None
    done: int


def _records(arguments: Namespace) -> Iterator[_Record]:
    name = "standard input" if arguments.source == "-" else arguments.source
    for number, (line, done) in enumerate(documents.lines(arguments.source), start=1):
        if not line.strip():
            continue
        try:
            document = documents.record(line, f"{name}:{number}", arguments.text_field)
            known = document.record
            yield _Record(known.get(arguments.id_field, number), known, document, None, done)
        except DataError as error:
            known = _known(line)
            yield _Record(known.get(arguments.id_field, number), known, None, error, done)


def _known(line: str) -> dict[str, Any]:
    """Return the fields of a line that holds no text, as far as it can be read."""
    try:
        made = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return made if isinstance(made, dict) else {}


def _written(
    recipe: recipes.Recipe, extractor: Extractor, batch: Sequence[_Record]
) -> Iterator[str]:
    """Yield the line of each record; where one fails, the others are run without it."""
    texts = [each.document.text for each in batch if each.document is not None]
    found: Iterator[Document | SpanwiseError]
    try:
        found = iter(list(recipe.pipeline.run(extractor, texts)))
    except SpanwiseError:
        found = (_alone(recipe, extractor, text) for text in texts)
    for each in batch:
        result = each.error or next(found)
        if isinstance(result, SpanwiseError):
            error = {"type": type(result).__name__, "message": str(result), "id": each.id}
            yield json.dumps({**each.known, "error": error}, ensure_ascii=False)
        else:
            exported = _exported(result, recipe.export, each.id)
            yield json.dumps({**each.known, **exported}, ensure_ascii=False)


def _alone(
    recipe: recipes.Recipe, extractor: Extractor, text: str | list[str]
) -> Document | SpanwiseError:
    try:
        return next(recipe.pipeline.run(extractor, [text]))
    except SpanwiseError as error:
        return error


def _exported(document: Document, export: recipes.Export, name: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what is added to the record."""
    results = {
        step: result
        for step, result in document.results.items()
        if not export.steps or step in export.steps
    }
    document = Document(document.text, results, name)
    if export.form == "rows":
        return {"rows": list(rows([document]))}
    if export.form == "jsonld":
        return {"graph": to_jsonld([document])}
    return {"results": document.to_dict()["results"]}

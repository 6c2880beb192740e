"""`spanwise entities INPUT ... --labels A,B`: entities of texts, files, standard input, JSON lines.

In a terminal the text is shown with its entities marked; elsewhere every entity is a line
`start end score label text` with tabs (and the text's number before it, where there may be many).
`--json` and `--output` write one JSON object per text:
the record it came from (or its text, or its file's name) with `entities` added. Everything
streams: memory does not grow with the input. A file of `--output` appears when it is whole, and
the same command started again goes on where an earlier one was interrupted.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spanwise.cli import shared, shown, work
from spanwise.errors import InputError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from spanwise.types import Entity


def configure(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    work.add_inputs(parser)
    shared.add_labels(parser)
    parser.add_argument(
        "--instruction", metavar="WORDS", help="what to extract, beyond the labels (open entities)"
    )
    shared.add_choice(parser)
    add = work.add_output(parser).add_argument
    add("--probabilities", action="store_true", help="every label's score for each entity (JSON)")
    add("--near", type=float, metavar="T", help="near misses down to this score too (JSON)")
    add("--runners-up", action="store_true", help="labels that lost on the same span (JSON)")
    shared.add_model(parser)


def run(arguments: Namespace) -> int:
    """Extract and print or write; return the exit status.

    Raises:
        SpanwiseError: whatever keeps it from being done, in one sentence.
    """
    asked = shared.labels(arguments)
    names = [label.name for label in asked]
    options = shared.choice(
        arguments,
        asked,
        probabilities=arguments.probabilities,
        runners_up=arguments.runners_up,
    )
    for_json = ("probabilities", "near", "runners_up")
    json_only = [name for name in for_json if getattr(arguments, name) not in {None, False}]
    if json_only and not (arguments.json or arguments.output):
        msg = f"--{json_only[0].replace('_', '-')} is shown in JSON only; add --json"
        raise InputError(msg)
    words = arguments.instruction
    if words is not None and arguments.near is not None:
        msg = "--near and --instruction exclude each other"
        raise InputError(msg)

    def marked(text: str, found: list[Entity]) -> str:
        return shown.marked(text, found, names, colour=shown.has_colour(sys.stdout))

    return work.do(
        arguments,
        work.Work(
            ask=lambda extractor, texts: (
                extractor.entities(texts, asked, near=arguments.near, **options)
                if words is None
                else extractor.open_entities(texts, asked, words, **options)
            ),
            key="entities",
            plain=lambda found: [entity.to_dict() for entity in found],
            marked=marked,
            listed=lambda found, number: shown.listed(found, number=number),
        ),
    )

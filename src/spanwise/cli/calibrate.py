"""`spanwise calibrate DATA`: thresholds per label and a temperature, kept beside the model."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from spanwise import calibration
from spanwise.cli import shared
from spanwise.data.formats import read
from spanwise.errors import InputError
from spanwise.evaluate.calibrate import fit
from spanwise.loading import locate

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from spanwise.evaluate.calibrate import Fit


def configure(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.description = (
        "Fit a threshold for each label, and a temperature, on labelled records, and keep them "
        "beside the model: they are used wherever no threshold is given."
    )
    add = parser.add_argument
    add("data", metavar="DATA", help="labelled records, in any format that spanwise reads")
    add("--format", help="jsonl, parquet, gliner, conll, brat or offsets (default: seen)")
    add("--least", type=int, default=5, metavar="N", help="spans that a label needs (default: 5)")
    add("--no-temperature", action="store_true", help="fit thresholds only")
    add("--dry-run", action="store_true", help="show what would be kept, and keep nothing")
    add("--json", action="store_true", help="print the fit as JSON")
    shared.add_model(parser)


def run(arguments: Namespace) -> int:
    """Fit, show and keep; return the exit status.

    Raises:
        SpanwiseError: whatever keeps it from being done, in one sentence.
    """
    if arguments.least < 1:
        msg = f"--least must be at least 1, got {arguments.least}"
        raise InputError(msg)
    loaded = read(arguments.data, format=arguments.format)
    path = locate(arguments.model, local_files_only=arguments.offline)
    extractor = shared.load_model(arguments)
    fitted = fit(
        extractor.backend,
        loaded.records,
        splitter=arguments.splitter,
        temperature=not arguments.no_temperature,
        least=arguments.least,
        source=str(arguments.data),
    )
    if arguments.json:
        print(json.dumps(dataclasses.asdict(fitted), ensure_ascii=False))
    else:
        _show(fitted)
    if not arguments.dry_run:
        written = calibration.write(fitted.calibration, path)
        print(f"kept in {written}", file=sys.stderr)
    return 0


def _show(fitted: Fit) -> None:
    rows = [("label", "spans", "threshold", "F1", "at 0.5")]
    rows += [
        (f.label, str(f.n_gold), f"{f.threshold:.2f}", f"{f.f1:.3f}", f"{f.f1_before:.3f}")
        for f in fitted.labels
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
    print(f"temperature {fitted.calibration.temperature:g}", end="")
    print(f", calibration error {fitted.ece:.3f} (before: {fitted.ece_before:.3f})")
    if fitted.left_out:
        print(f"too few spans for a threshold of their own: {', '.join(fitted.left_out)}")

"""A report -> Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from spanwise.evaluate.report import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanwise.evaluate.comparison import Difference
    from spanwise.evaluate.report.tables import Table
    from spanwise.evaluate.results import Mistake, Report, Result


def to_markdown(
    report: Report, *, before: float | None = None, differences: Sequence[Difference] = ()
) -> str:
    """Return the whole report; arguments as in `report.write`."""
    return "\n".join(_lines(report, before, differences)).rstrip() + "\n"


def _lines(
    report: Report, before: float | None, differences: Sequence[Difference]
) -> Iterator[str]:
    yield f"# {report.system} on the suite “{report.suite}”"
    yield ""
    if report.absent:
        yield f"Not in the data folder, so not measured: {', '.join(report.absent)}."
        yield ""
    yield "## Beside the paper"
    yield ""
    for table in tables.paper_tables(report, before=before):
        yield from _table(table, level=3)
    if differences:
        yield from _table(tables.difference_table(differences, "the other run"), level=2)
    for result in report.results:
        yield from _result(result)
    yield "## Settings"
    yield ""
    yield "```json"
    yield json.dumps(dict(report.settings), indent=1, ensure_ascii=False)
    yield "```"


def _result(result: Result) -> Iterator[str]:
    yield f"## {result.name}"
    yield ""
    yield f"{result.n_items} items. {'; '.join(result.notes)}"
    yield ""
    yield from _table(tables.score_table(result), level=3)
    if result.failures:
        failed = ", ".join(f"{reason} ({n})" for reason, n in result.failures.items())
        yield f"Output that could not be used, counted as nothing found: {failed}."
        yield ""
    if result.per_label:
        yield from _table(tables.label_table(result), level=3)
    confused = tables.confusion_table(result)
    if confused.rows:
        yield from _table(confused, level=3)
    if result.mistakes:
        yield "### Mistakes"
        yield ""
        for mistake in result.mistakes:
            yield from _mistake(mistake)


def _table(table: Table, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} {table.title}"
    yield ""
    yield _row(table.header)
    yield "|---" * len(table.header) + "|"
    for row in table.rows:
        yield _row(row)
    yield ""
    for note in table.notes:
        yield f"- {note}"
    if table.notes:
        yield ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _mistake(mistake: Mistake) -> Iterator[str]:
    yield f"- `{mistake.id}` {_plain(mistake.text)}"
    yield f"  - asked: {_plain(mistake.asked)}"
    yield f"  - wanted: {_listed(mistake.wanted)}"
    yield f"  - given: {_listed(mistake.given)}"
    yield ""


def _listed(texts: Sequence[str]) -> str:
    return "; ".join(_plain(text) for text in texts) or "(nothing)"


def _plain(text: str) -> str:
    """Return the text on one line, with what Markdown would read as markup made harmless."""
    line = " ".join(text.split())
    for sign in ("\\", "|", "<", "*", "_", "`", "["):
        line = line.replace(sign, f"\\{sign}")
    return line

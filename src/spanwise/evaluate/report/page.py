"""A report -> one HTML page, plots included, that needs nothing else."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from spanwise.evaluate.report import plots, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanwise.evaluate.comparison import Difference
    from spanwise.evaluate.report.tables import Table
    from spanwise.evaluate.results import Mistake, Report, Result

_STYLE = """
:root { color-scheme: light; --line: #d8dee6; --soft: #5b6673; --ours: #eaf2ff; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b2430; background: #ffffff; }
h1 { font-size: 1.5rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: .5rem 0; display: block; overflow-x: auto; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
tr.ours { background: var(--ours); font-weight: 600; }
ul.notes, .soft { color: var(--soft); font-size: .9em; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; }
figure svg { max-width: 100%; height: auto; }
.mistake { margin: .7rem 0; padding-left: .8rem; border-left: 3px solid var(--line); }
.mistake b { display: inline-block; min-width: 4.5rem; color: var(--soft); font-weight: 500; }
pre { overflow-x: auto; background: #f5f7fa; padding: .8rem; font-size: .85em; }
"""


def to_html(
    report: Report, *, before: float | None = None, differences: Sequence[Difference] = ()
) -> str:
    """Return the whole report; arguments as in `report.write`.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    title = escape(f"{report.system} on the suite “{report.suite}”")
    body = "\n".join(_body(report, before, differences))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body>\n<h1>{title}</h1>\n{body}\n</body></html>\n"
    )


def _body(report: Report, before: float | None, differences: Sequence[Difference]) -> Iterator[str]:
    if report.absent:
        absent = escape(", ".join(report.absent))
        yield f'<p class="soft">Not in the data folder, so not measured: {absent}.</p>'
    yield "<h2>Beside the paper</h2>"
    if any(result.family == "entities" for result in report.results):
        yield f"<figure>{plots.f1_by_set(report)}</figure>"
    for table in tables.paper_tables(report, before=before):
        yield from _table(table)
    if differences:
        yield from _table(tables.difference_table(differences, "the other run"))
    threshold = report.settings.get("options", {}).get("threshold", 0.5)
    for result in report.results:
        yield from _result(result, threshold=threshold)
    settings = json.dumps(dict(report.settings), indent=1, ensure_ascii=False)
    yield f"<h2>Settings</h2>\n<pre>{escape(settings)}</pre>"


def _result(result: Result, *, threshold: float) -> Iterator[str]:
    yield f"<h2>{escape(result.name)}</h2>"
    notes = "; ".join(result.notes)
    yield f'<p class="soft">{result.n_items} items. {escape(notes)}</p>'
    yield from _table(tables.score_table(result))
    if result.failures:
        failed = ", ".join(f"{reason} ({n})" for reason, n in result.failures.items())
        yield f"<p>Output that could not be used, counted as nothing found: {escape(failed)}.</p>"
    drawn = []
    if result.curve is not None:
        drawn.append(plots.over_thresholds(result.curve, threshold=threshold))
    if result.reliability is not None:
        drawn.append(plots.reliability(result.reliability))
    if result.confusion is not None:
        drawn.append(plots.confusion(result.confusion))
    if drawn:
        figures = "".join(f"<figure>{plot}</figure>" for plot in drawn)
        yield f'<div class="plots">{figures}</div>'
    if result.per_label:
        yield from _table(tables.label_table(result))
    confused = tables.confusion_table(result)
    if confused.rows:
        yield from _table(confused)
    if result.mistakes:
        yield f"<h3>Mistakes</h3>{''.join(_mistake(each) for each in result.mistakes)}"


def _table(table: Table) -> Iterator[str]:
    yield f"<h3>{escape(table.title)}</h3>\n<table>"
    yield f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in table.header)}</tr>"
    for number, row in enumerate(table.rows):
        ours = ' class="ours"' if "system" in table.header and number < table.n_ours else ""
        yield f"<tr{ours}>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
    yield "</table>"
    if table.notes:
        listed = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
        yield f'<ul class="notes">{listed}</ul>'


def _mistake(mistake: Mistake) -> str:
    lines = {
        "asked": mistake.asked,
        "wanted": "; ".join(mistake.wanted),
        "given": "; ".join(mistake.given) or "(nothing)",
    }
    rest = "".join(f"<br><b>{name}</b> {escape(text)}" for name, text in lines.items())
    name = escape(mistake.id)
    return f'<div class="mistake"><b>{name}</b> {escape(mistake.text)}{rest}</div>'

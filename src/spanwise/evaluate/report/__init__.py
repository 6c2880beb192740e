"""A report as Markdown and as one HTML page with plots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.evaluate.report.markdown import to_markdown
from spanwise.evaluate.report.page import to_html
from spanwise.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from spanwise.evaluate.comparison import Difference
    from spanwise.evaluate.results import Report

__all__ = ["to_html", "to_markdown", "write"]


def write(
    report: Report,
    folder: str | PathLike[str],
    *,
    before: float | None = None,
    differences: Sequence[Difference] = (),
) -> tuple[Path, Path]:
    """Write `report.md` and `report.html` into a folder.

    Args:
        report: what to show.
        folder: where; made if need be.
        before: mean F1 over the same entity sets before self-learning (table 6), or None.
        differences: a comparison with another run, to be shown.

    Returns:
        The two paths.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    home = Path(folder)
    texts = {
        "report.md": to_markdown(report, before=before, differences=differences),
        "report.html": to_html(report, before=before, differences=differences),
    }
    for name, text in texts.items():
        with whole_file(home / name) as part:
            part.write_text(text, encoding="utf-8")
    return home / "report.md", home / "report.html"

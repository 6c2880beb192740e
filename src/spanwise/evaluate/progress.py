"""How far a run is, on the terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spanwise.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID


class Bars:
    """One bar a benchmark, with the items done, their rate and the time left."""

    def __init__(self, display: Progress) -> None:
        """Show the bars on a started display of rich."""
        self._display = display
        self._current: TaskID | None = None

    def start(self, name: str, *, total: int, done: int) -> None:
        """Begin a bar."""
        self._current = self._display.add_task(name, total=total, completed=done)

    def advance(self, n_items: int) -> None:
        """Move the bar that was begun last."""
        if self._current is not None:
            self._display.advance(self._current, n_items)


@contextmanager
def bars() -> Iterator[Bars]:
    """Show progress on standard error while the block runs.

    Raises:
        MissingExtraError: rich is not installed.
    """
    try:
        from rich import console, progress  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        what = "The progress bar"
        raise MissingExtraError(what, "eval") from error
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console.Console(stderr=True)) as display:
        yield Bars(display)

"""Lines of metrics -> a bar with the time left, in a terminal that shows one; else plain lines."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_OWN_COLUMN = frozenset({"step", "examples", "elapsed_s", "lr_share", "share"})


@contextmanager
def shown() -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that shows a line of metrics: with rich on a terminal, else printed."""
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield lambda line: print(text(line), file=sys.stderr, flush=True)  # noqa: T201
        return
    from rich import progress  # noqa: PLC0415 (an extra, and slow to import)
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.TextColumn("step {task.fields[step]}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(elapsed_when_finished=True),
        progress.TextColumn("{task.fields[numbers]}"),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("training", total=1.0, step=0, numbers="")

        def report(line: Mapping[str, Any]) -> None:
            scores = [k for k in line if k not in _OWN_COLUMN | {"loss", "examples_per_s"}]
            if scores:
                bars.console.print(text(line), highlight=False)
            bars.update(
                task, completed=line["share"], step=line["step"], numbers=_numbers(line, " ")
            )

        yield report


def text(line: Mapping[str, Any]) -> str:
    """Return a line of metrics as one line of text."""
    return (
        f"{line['share']:4.0%}  step {line['step']}  {line['elapsed_s']:.0f} s"
        f"  {_numbers(line, '  ')}"
    )


def _numbers(line: Mapping[str, Any], gap: str) -> str:
    return gap.join(
        f"{name} {value:.4g}" for name, value in line.items() if name not in _OWN_COLUMN
    )

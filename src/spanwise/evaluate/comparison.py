"""Two finished runs -> benchmark by benchmark, is the difference more than chance?

Works on the run folders alone: the units of the headline numbers are there, item by item, so no
model and no data are needed. Only benchmarks read from the very same files and with the same
subset are compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spanwise.errors import DataError
from spanwise.evaluate.metrics import bootstrap
from spanwise.evaluate.runner import RUN_FILE

if TYPE_CHECKING:
    from os import PathLike

    from spanwise.evaluate.metrics.bootstrap import PairedTest

_SAME = ("miscellaneous", "lowercase", "n_items", "seed", "stem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One benchmark's headline number in the first and the second run, and the test."""

    benchmark: str
    headline: str
    first: float
    second: float
    test: PairedTest


def compare(
    first: str | PathLike[str],
    second: str | PathLike[str],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
) -> list[Difference]:
    """Compare the runs in two folders.

    Returns:
        A difference (first minus second) for each benchmark that both runs hold.

    Raises:
        DataError: a folder holds no finished run, the runs asked for other classes, subsets or
            seeds, or no benchmark is in both with the same data.
    """
    one, other = read_run(first), read_run(second)
    options = one["settings"]["options"], other["settings"]["options"]
    different = [name for name in _SAME if options[0].get(name) != options[1].get(name)]
    if different:
        msg = f"{first} and {second} differ in {', '.join(different)}: not the same items"
        raise DataError(msg)
    theirs = {result["name"]: result for result in other["results"]}
    found = []
    for mine in one["results"]:
        name = mine["name"]
        if name not in theirs or theirs[name]["files"] != mine["files"]:
            continue
        units = [np.load(Path(home) / f"{name}.units.npy") for home in (first, second)]
        test = bootstrap.paired(
            units[0],
            units[1],
            bootstrap.f1 if mine["family"] == "entities" else bootstrap.mean,
            n_resamples=n_resamples,
            seed=seed,
        )
        headline = mine["headline"]
        found.append(
            Difference(
                benchmark=name,
                headline=headline,
                first=mine["scores"][headline],
                second=theirs[name]["scores"][headline],
                test=test,
            )
        )
    if not found:
        msg = f"{first} and {second} have no benchmark in common that was read from the same files"
        raise DataError(msg)
    return found


def read_run(folder: str | PathLike[str]) -> dict[str, Any]:
    """Return the run file of a finished run.

    Raises:
        DataError: there is none, or it is damaged.
    """
    path = Path(folder) / RUN_FILE
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path}: no finished run there ({error}); run the evaluation to its end first"
        raise DataError(msg) from error
    return run

"""What 200 examples of a domain bring: F1 on the rest of it, before and after fine-tuning.

    python benchmarks/finetune.py --data DIR [--model MODEL] [--domains ai,music] [--set KEY=VALUE]

Each development part of CrossNER is split by a seed into --train sentences and the rest; the model
is tuned on the former with the defaults of `spanwise train` and measured on the latter, all labels
but `miscellaneous`, threshold 0.5, exact spans. Prints the table of docs/training.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spanwise import load, train
from spanwise.cli.train import changes
from spanwise.data.benchmarks import DOMAINS, read_crossner
from spanwise.evaluate.metrics import ner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanwise.data import Record
    from spanwise.extractor import Extractor

OTHER = "miscellaneous"


def main() -> None:
    """Tune on every domain asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, help="holds dev/crossner/")
    add("--model", help="folder or hub name (default: the embedded model)")
    add("--domains", default=",".join(DOMAINS))
    add("--train", type=int, default=200, help="sentences to tune on")
    add("--seed", type=int, default=0, help="of the split, and of the training")
    add("--set", metavar="KEY=VALUE", action="append", default=[], help="as of spanwise train")
    arguments = parser.parse_args()
    settings = {"seed": arguments.seed, "dev_share": 0.0, **changes(arguments.set)}
    print("| domain | trained on | measured on | F1 before | F1 after | minutes |")
    print("|---|---|---|---|---|---|")
    rows = []
    for domain in arguments.domains.split(","):
        path = arguments.data / "dev" / "crossner" / domain / "dev.txt"
        mine, rest = split(read_crossner(path, domain).records, arguments.train, arguments.seed)
        labels = sorted({span.label for record in mine + rest for span in record.spans})
        before = f1(load(arguments.model, backend="pytorch"), rest, labels)
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            tuned = train(
                mine,
                model=arguments.model,
                output=Path(folder) / "tuned",
                settings=settings,
                report=lambda line: print(line, file=sys.stderr, flush=True),
            )
            minutes = (time.perf_counter() - begun) / 60
            after = f1(tuned, rest, labels)
        rows.append((before, after, minutes))
        print(f"| {domain} | {len(mine)} | {len(rest)} | {_cells(rows[-1])} |", flush=True)
    if len(rows) > 1:
        means = [statistics.mean(column) for column in zip(*rows, strict=True)]
        print(f"| mean | | | {_cells(means)} |")


def split(records: Sequence[Record], n_train: int, seed: int) -> tuple[list[Record], list[Record]]:
    """Return the records to tune on and the rest, both without the class `miscellaneous`."""
    order = np.random.default_rng(seed).permutation(len(records)).tolist()
    kept = [
        replace(x, spans=tuple(span for span in x.spans if span.label != OTHER)) for x in records
    ]
    return [kept[i] for i in order[:n_train]], [kept[i] for i in order[n_train:]]


def f1(extractor: Extractor, records: Sequence[Record], labels: list[str]) -> float:
    """Return the F1 of exact spans, every text asked every label of the domain."""
    found = extractor.entities([record.text for record in records], labels, threshold=0.5)
    return ner.score([record.spans for record in records], found).micro.f1


def _cells(row: Sequence[float]) -> str:
    before, after, minutes = row
    return f"{100 * before:.1f} | {100 * after:.1f} | {minutes:.1f}"


if __name__ == "__main__":
    main()

"""The paper's benchmarks: where a folder keeps them, how they are asked, what must be noted.

`load` looks for each benchmark of a suite in a data folder, under the published names of its
files, and gives `Benchmark`s whose items are always in the same order. Benchmarks that the folder
does not hold are named, not guessed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spanwise.data.records import RELATION_SEPARATOR
from spanwise.errors import DataError, InputError, did_you_mean
from spanwise.evaluate.items import Benchmark, Item
from spanwise.evaluate.readers import (
    read_cnndm,
    read_crossner,
    read_fewrel,
    read_mit,
    read_squad,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from spanwise.evaluate.options import Options
    from spanwise.evaluate.results import Family

MISCELLANEOUS = "miscellaneous"
_CROSSNER_LABELS = {
    "crossner-ai": "algorithm, conference, country, field, location, metrics, miscellaneous, "
    "organisation, person, product, programming language, researcher, task, university",
    "crossner-literature": "award, book, country, event, literary genre, location, magazine, "
    "miscellaneous, organisation, person, poem, writer",
    "crossner-music": "album, award, band, country, event, location, miscellaneous, music genre, "
    "musical artist, musical instrument, organisation, person, song",
    "crossner-politics": "country, election, event, location, miscellaneous, organisation, "
    "person, political party, politician",
    "crossner-science": "academic journal, astronomical object, award, chemical compound, "
    "chemical element, country, discipline, enzyme, event, location, miscellaneous, "
    "organisation, person, protein, scientist, theory, university",
}
_MIT_LABELS = {
    "mit-movie": "ACTOR, CHARACTER, DIRECTOR, GENRE, PLOT, RATING, RATINGS AVERAGE, REVIEW, "
    "SONG, TITLE, TRAILER, YEAR",
    "mit-restaurant": "Amenity, Cuisine, Dish, Hours, Location, Price, Rating, Restaurant Name",
}
_CROSSNER, _MIT = tuple(_CROSSNER_LABELS), tuple(_MIT_LABELS)
_PAPER = (*_CROSSNER, *_MIT, "squad", "cnndm", "fewrel")
SUITES: dict[str, tuple[str, ...]] = {
    "paper": _PAPER,
    "ner": (*_CROSSNER, *_MIT),
    "full": (*_PAPER, "fewrel-absent"),
}
_CNNDM_ITEMS = 1000  # the paper reads the first 1,000
_SQUAD_ITEMS, _FEWREL_ITEMS = 11_873, 11_200


def _places(name: str) -> dict[str, tuple[str, ...]]:
    """Return the glob patterns of a benchmark's file by split, the best first."""
    if name in _CROSSNER:
        domain = name.removeprefix("crossner-")
        homes = ("crossner", "ner_data", "*/ner_data", "crossner/ner_data")
        return {s: tuple(f"{home}/{domain}/{s}.txt" for home in homes) for s in ("test", "dev")}
    if name in _MIT:
        kind = name.removeprefix("mit-")
        own = "eng" if kind == "movie" else "restaurant"
        roots = (f"mit/{kind}", f"mit_{kind}", f"mit-{kind}", f"mit/{kind}*", "mit", ".")
        patterns = {
            s: tuple(f"{root}/{file}" for root in roots[:4] for file in (f"{s}.txt", f"{s}.bio"))
            for s in ("test", "dev")
        }
        patterns["test"] += tuple(f"{root}/{own}test.bio" for root in roots)
        return patterns
    if name == "squad":
        both = ("squad/dev-v2.0.json", "squad*/dev-v2.0.json", "dev-v2.0.json")
        return {"test": both, "dev": both}
    if name == "cnndm":
        ends = ("jsonl.gz", "jsonl", "parquet")
        return {
            "test": (*(f"cnn*/test*.{end}" for end in ends), "cnn*/stories"),
            "dev": tuple(f"cnn*/val*.{end}" for end in ends),
        }
    both = ("fewrel/val_wiki.json", "[Ff]ew[Rr]el*/**/val_wiki.json", "val_wiki.json")
    return {"test": both, "dev": both}


_READERS: dict[Family, Callable[[Path], list[Item]]] = {
    "answers": read_squad,
    "summary": read_cnndm,
    "relations": read_fewrel,
    "absent": read_fewrel,
}
_FAMILIES: dict[str, Family] = {
    **dict.fromkeys((*_CROSSNER, *_MIT), "entities"),
    "squad": "answers",
    "cnndm": "summary",
    "fewrel": "relations",
    "fewrel-absent": "absent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The benchmarks found, in the suite's order, and the names of those not found."""

    benchmarks: tuple[Benchmark, ...]
    absent: tuple[str, ...]


def names_of(suite: str) -> tuple[str, ...]:
    """Return the benchmarks of a suite, or of a list of benchmarks with commas.

    Raises:
        InputError: a name is neither a suite nor a benchmark.
    """
    names: list[str] = []
    for part in suite.split(","):
        name = part.strip()
        if name not in SUITES and name not in _FAMILIES:
            known = (*SUITES, *_FAMILIES)
            msg = f"no suite or benchmark {name!r}{did_you_mean(name, known)}; known: "
            raise InputError(msg + ", ".join(known))
        names += SUITES.get(name, (name,))
    return tuple(dict.fromkeys(names))


def load(suite: str, folder: str | PathLike[str], *, options: Options) -> Suite:
    """Read the benchmarks of a suite from a data folder.

    Args:
        suite: "paper", "ner", "full", or benchmarks with commas ("crossner-ai,squad").
        folder: holds `crossner/`, `mit/`, `squad/`, `cnndm/`, `fewrel/`, or a `dev/` with them.
        options: split, classes asked for, subset.

    Raises:
        InputError: an unknown suite.
        DataError: the folder holds none of the benchmarks, or a file breaks its format.
    """
    root = Path(folder)
    if not root.is_dir():
        msg = f"{root}: no such folder; give the one that holds crossner/, squad/ and the like"
        raise DataError(msg)
    found: list[Benchmark] = []
    absent: list[str] = []
    for name in names_of(suite):
        place = _find(root, name, options.split)
        if place is None:
            absent.append(name)
        else:
            found.append(_read(name, *place, root=root, options=options))
    if not found:
        msg = f"{root}: holds none of {', '.join(absent)} (split {options.split!r})"
        raise DataError(msg)
    return Suite(benchmarks=tuple(found), absent=tuple(absent))


def _find(root: Path, name: str, wanted: str) -> tuple[Path, str] | None:
    places = _places(name)
    for base in (root, root / "dev"):
        for split in places if wanted == "auto" else (wanted,):
            for pattern in places[split]:
                for path in sorted(base.glob(pattern)):
                    return path, split
    return None


def _read(name: str, path: Path, split: str, *, root: Path, options: Options) -> Benchmark:
    family = _FAMILIES[name]
    if name in _CROSSNER:
        known = _CROSSNER_LABELS[name].split(", ")
        asked = [x for x in known if options.miscellaneous or x != MISCELLANEOUS]
        items = read_crossner(path, asked, known=known)
    elif name in _MIT:
        labels = _MIT_LABELS[name].lower() if options.lowercase else _MIT_LABELS[name]
        items = read_mit(path, labels.split(", "), lowercase=options.lowercase)
    else:
        items = _READERS[family](path)
    if options.words == "model":
        items = [replace(item, question=replace(item.question, words=None)) for item in items]
    notes = _notes(name, split, items, options)
    if family == "summary":
        items = items[:_CNNDM_ITEMS]
    if family == "absent":
        items = _with_absent_relations(items, seed=options.seed)
    files = [path] if path.is_file() else sorted(path.glob("*.story"))
    if family in {"relations", "absent"}:
        files.append(path.with_name("pid2name.json"))
    return Benchmark(
        name=name,
        family=family,
        items=tuple(_subset(items, options)),
        files={file.relative_to(root).as_posix(): _hash(file) for file in files},
        notes=notes,
    )


def _subset(items: Sequence[Item], options: Options) -> list[Item]:
    """Return the wanted number of items, drawn by seed, in their first order."""
    if options.n_items is None or options.n_items >= len(items):
        return list(items)
    drawn = np.random.default_rng(options.seed).permutation(len(items))[: options.n_items]
    return [items[index] for index in sorted(drawn.tolist())]


def _with_absent_relations(items: Sequence[Item], *, seed: int) -> list[Item]:
    """Ask each text's head for another relation of the set, drawn by seed.

    FewRel marks one pair a text, so the other relation may hold by chance: the rate is an upper
    bound of the false alarms.
    """
    random = np.random.default_rng(seed)
    pairs = [item.question.labels[0].rsplit(RELATION_SEPARATOR, 1) for item in items]
    relations = sorted({relation for _, relation in pairs})
    asked = []
    for item, (head, relation) in zip(items, pairs, strict=True):
        others = [other for other in relations if other != relation]
        if not others:
            continue
        other = others[int(random.integers(len(others)))]
        question = replace(item.question, labels=(f"{head}{RELATION_SEPARATOR}{other}",))
        asked.append(replace(item, question=question, gold=()))
    return asked


def _notes(name: str, split: str, items: Sequence[Item], options: Options) -> tuple[str, ...]:
    """Say what keeps these numbers from being the paper's."""
    notes = []
    if split == "dev" and _FAMILIES[name] in {"entities", "summary"}:
        notes.append("development part; the paper reports the test part")
    if name in _CROSSNER:
        asked = "asked for" if options.miscellaneous else "left out"
        notes.append(f"class miscellaneous {asked}; the paper does not say whether it asked")
    if name == "squad" and len(items) != _SQUAD_ITEMS:
        notes.append(f"{len(items)} of the {_SQUAD_ITEMS} questions of the development set")
    if name == "cnndm" and len(items) < _CNNDM_ITEMS:
        notes.append(f"{len(items)} articles; the paper reads the first {_CNNDM_ITEMS}")
    if name.startswith("fewrel") and len(items) != _FEWREL_ITEMS:
        notes.append(f"{len(items)} of the {_FEWREL_ITEMS} pairs of val_wiki")
    if name == "fewrel-absent":
        notes.append("one pair is marked a text, so another relation may hold: an upper bound")
    if options.n_items is not None and options.n_items < len(items):
        notes.append(f"{options.n_items} items drawn with seed {options.seed}")
    return tuple(notes)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

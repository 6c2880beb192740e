"""Reads what the judge recorded: checkpoints, cases with one text each, calls with many.

In: the files of `golden/` (see its README). Out: frozen data for tests, logits with NaN where
none was asked for. The decision worth knowing: a case's `bugs` name where upstream is known to
be wrong; its answers then have `right`, and its logits and ids belong to the right reading.
"""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"

LOGITS_TOLERANCE = 1e-4
SCORE_TOLERANCE = 1e-4

BUGS = {
    "entity-twice": "the same entity is listed twice (represent_spans with multi_label)",
    "label-without-subwords": "a label without sub-words shifts every word",
    "normalizer-dropped": "transformers 5 drops the normalizer of a DeBERTa tokenizer.json",
    "rnn-flag-ignored": "has_rnn: false is ignored, and the LSTM is random",
    "too-many-subwords": "words past the encoder's positions are read as zero vectors",
    "too-many-words": "words past max_len are not read",
    "word-without-subwords": "a word without sub-words shifts all later ones",
}

_NO_SCORE = np.iinfo(np.int32).min


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity as upstream lists it; `start` and `end` are characters, half-open."""

    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Upstream's entities, in its order, under one set of options."""

    threshold: float
    flat_ner: bool
    multi_label: bool
    entities: tuple[Entity, ...] | None
    """None where upstream's own answer is random."""
    right: tuple[Entity, ...] | None
    """What upstream answers with its known bugs mended; None where it met none."""

    @property
    def expected(self) -> tuple[Entity, ...]:
        """What a right implementation gives."""
        found = self.entities if self.right is None else self.right
        assert found is not None, "an answer without entities has a right one"
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One text and its labels, asked in a call of its own."""

    checkpoint: str
    text_id: str
    text: str
    labels: tuple[str, ...]
    """As they were given: with repetitions."""
    answers: tuple[Answer, ...]
    bugs: tuple[str, ...]
    """Keys of `BUGS`; empty where upstream is right."""
    end: int | None
    """Where the text that fits ends, in characters; None where all of it fits."""
    ids: tuple[int, ...] | None
    """The encoder's input ids; None where no logits were kept."""
    logits: NDArray[np.float64] | None
    """`[words, labels, 3]` (start, end, inside) of a token-level model, `[words, widths, labels]`
    of a span-level one, with NaN for spans that reach past the text."""

    @property
    def id(self) -> str:
        """A name for test reports."""
        return f"{self.checkpoint}:{self.text_id}:{len(self.labels)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of `inference` with several texts, and what it returned, dictionaries included."""

    checkpoint: str
    texts: str | Sequence[str]
    labels: str | Sequence[str] | Mapping[str, str] | Sequence[Sequence[str] | Mapping[str, str]]
    options: Mapping[str, Any]
    entities: Sequence[Sequence[Mapping[str, Any]]]


def checkpoints() -> tuple[str, ...]:
    """The names of all recorded checkpoints."""
    return tuple(sorted(path.name.removesuffix(".json.xz") for path in GOLDEN.glob("*.json.xz")))


def unpack(folder: Path) -> None:
    """Unpacks every checkpoint into a folder of its name below `folder`.

    `deberta-span-old` names its encoder by a relative path: load it with that checkpoint's own
    folder as the working directory.
    """
    packed = lzma.decompress((GOLDEN / "checkpoints.tar.xz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(folder, filter="data")


def cases(checkpoint: str) -> tuple[Case, ...]:
    """Every case of a checkpoint, those with bugs included."""
    record = _record(checkpoint)
    logits = _logits(checkpoint, record["quantum"])
    texts = _texts()
    found = []
    for case in record["cases"]:
        labels = tuple(record["label_sets"][case["labels"]])
        unique = tuple(dict.fromkeys(labels))
        shape = case.get("shape")
        at = case.get("at", 0)
        found.append(
            Case(
                checkpoint=checkpoint,
                text_id=case["text"],
                text=texts[case["text"]],
                labels=labels,
                answers=tuple(_answer(answer, unique) for answer in case["answers"]),
                bugs=tuple(case.get("bugs", ())),
                end=case.get("end"),
                ids=tuple(case["ids"]) if shape else None,
                logits=logits[at : at + int(np.prod(shape))].reshape(shape) if shape else None,
            )
        )
    return tuple(found)


def calls(checkpoint: str) -> tuple[Call, ...]:
    """The calls of a checkpoint with several texts."""
    return tuple(Call(checkpoint=checkpoint, **call) for call in _record(checkpoint)["calls"])


def _answer(answer: dict[str, Any], labels: tuple[str, ...]) -> Answer:
    def entities(key: str) -> tuple[Entity, ...] | None:
        rows = answer.get(key)
        if rows is None:
            return None
        return tuple(
            Entity(start=start, end=end, label=labels[label], score=score)
            for start, end, label, score in rows
        )

    return Answer(
        threshold=answer["threshold"],
        flat_ner=answer["flat_ner"],
        multi_label=answer["multi_label"],
        entities=entities("entities"),
        right=entities("right"),
    )


@cache
def _record(checkpoint: str) -> dict[str, Any]:
    return dict(json.loads(lzma.decompress((GOLDEN / f"{checkpoint}.json.xz").read_bytes())))


@cache
def _logits(checkpoint: str, quantum: float) -> NDArray[np.float64]:
    """All logits of a checkpoint in one row, from their four planes of bytes."""
    data = lzma.decompress((GOLDEN / f"{checkpoint}.logits.xz").read_bytes())
    planes = np.frombuffer(data, dtype=np.uint8).reshape(4, -1)
    whole = np.ascontiguousarray(planes.T).view("<i4").reshape(-1)
    return np.where(whole == _NO_SCORE, np.nan, whole * quantum)


@cache
def _texts() -> dict[str, str]:
    lines = (HERE / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return {entry["id"]: entry["text"] for entry in entries}

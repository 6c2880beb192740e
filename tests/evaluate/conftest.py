"""A data folder of a few sentences in every published format, and systems that know the answers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spanwise.evaluate import benchmarks
from spanwise.evaluate.options import Options
from spanwise.evaluate.systems import Question, Reading
from spanwise.types import Entity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CROSSNER = """\
Alan\tB-researcher
Turing\tI-researcher
wrote\tO
Prolog\tB-programlang
,\tO
LISP\tB-misc
and\tO
C++\tB-programlang
.\tO

The\tO
ROC\tB-metrics
curve\tI-metrics
of\tO
Ada\tB-researcher
Lovelace\tI-researcher
"""
MUSIC = "Queen\tB-band\nplayed\tO\nWembley\tB-location\n"
MIT = """\
O\twho
B-ACTOR\ttom
I-ACTOR\thanks
O\tin
B-RATINGS_AVERAGE\tfour
I-RATINGS_AVERAGE\tstars

B-TITLE\tjaws
"""
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Normans",
            "paragraphs": [
                {
                    "context": "The Normans came from France in the 10th century.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "Where did the Normans come from?",
                            "answers": [
                                {"text": "France", "answer_start": 22},
                                {"text": "from France", "answer_start": 17},
                                {"text": "France", "answer_start": 22},
                            ],
                            "is_impossible": False,
                        },
                        {
                            "id": "q2",
                            "question": "Who came from Spain?",
                            "plausible_answers": [{"text": "The Normans", "answer_start": 0}],
                            "answers": [],
                            "is_impossible": True,
                        },
                        {
                            "id": "q3",
                            "question": "When?",
                            "answers": [{"text": "the 10th century", "answer_start": 32}],
                            "is_impossible": False,
                        },
                    ],
                }
            ],
        }
    ],
}
FEWREL = {
    "P25": [
        {
            "tokens": ["Emmy", "Achté", "and", "Aino", "Ackté", ",", "daughter", "of", "Emmy"],
            "h": ["aino ackté", "Q1", [[3, 4]]],
            "t": ["emmy achté", "Q2", [[0, 1], [8]]],
        }
    ],
    "P641": [
        {
            "tokens": ["Bob", "Gaudet", "plays", "ice", "hockey", "."],
            "h": ["bob gaudet", "Q3", [[0, 1]]],
            "t": ["ice hockey", "Q4", [[3, 4]]],
        }
    ],
}
NAMES = {"P25": ["mother", "…"], "P641": ["sport", "…"], "P1": ["unused", "…"]}
ARTICLES = [
    {"id": "a", "article": "A storm hit. Nobody was hurt. Rain fell.", "highlights": "A storm hit"},
    {"id": "b", "article": "Prices rose. Wages fell.", "highlights": "Wages fell ."},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write every benchmark in little, development parts for CrossNER and CNN/DailyMail."""
    root = tmp_path / "data"
    files = {
        "crossner/ai/dev.txt": CROSSNER,
        "crossner/music/dev.txt": MUSIC,
        "mit/movie/engtest.bio": MIT,
        "squad/dev-v2.0.json": json.dumps(SQUAD),
        "fewrel/val_wiki.json": json.dumps(FEWREL),
        "fewrel/pid2name.json": json.dumps(NAMES),
        "cnndm/validation.jsonl": "".join(json.dumps(row) + "\n" for row in ARTICLES),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """Find the benchmarks' development parts; skip where there are none."""
    root = Path(__file__).parents[2]
    data = Path(os.environ.get("SPANWISE_DATA", root / ".." / "shared" / "data"))
    if not (data / "dev" / "crossner").is_dir():
        pytest.skip(f"no dev/crossner under {data}; set SPANWISE_DATA to the data folder")
    return data


@dataclass
class Knowing:
    """A system that knows every answer of a folder, and tells it through `change`."""

    answers: dict[Question, tuple[Entity, ...]]
    change: Callable[[Entity], Entity] = lambda span: span
    name: str = "knowing"
    settings: dict[str, Any] = field(default_factory=dict)
    n_asked: int = 0
    thresholds: set[float] = field(default_factory=set)

    def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
        self.n_asked += len(questions)
        self.thresholds.add(threshold)
        return [
            Reading(spans=tuple(self.change(span) for span in self.answers[question]))
            for question in questions
        ]


@pytest.fixture
def knowing(folder: Path) -> Callable[..., Knowing]:
    """Return a maker of systems that know the folder, given the options of the run."""

    def make(change: Callable[[Entity], Entity] = lambda span: span, **options: Any) -> Knowing:
        return Knowing(_answers(folder, Options(**options)), change)

    return make


def _answers(folder: Path, options: Options) -> dict[Question, tuple[Entity, ...]]:
    """Return the gold spans, and the first piece of each article."""
    suite = benchmarks.load("full", folder, options=options)
    answers = {}
    for benchmark in suite.benchmarks:
        for item in benchmark.items:
            text = item.question.text
            gold = item.gold
            spans = [Entity(text[s.start : s.end], s.label, s.start, s.end, 0.9) for s in gold]
            if benchmark.family == "answers":
                spans = spans[-1:]
            if benchmark.family == "summary":
                end = text.index(".") + 1
                spans = [Entity(text[:end], "summary", 0, end, 0.9)]
            answers[item.question] = tuple(spans)
    return answers

"""Records what `gliner` 0.2.29 answers, as the judge of parity. Not part of the test run.

    python3.11 -m venv judge
    judge/bin/pip install torch==2.13.0
    judge/bin/pip install gliner==0.2.29 sentencepiece protobuf
    judge/bin/python tests/parity/record.py tests/parity/golden

In: `texts.jsonl` and the recipes of `build.py`. Out, below the folder named: the checkpoints in
one archive, and per checkpoint its cases and its logits. The decision worth knowing: every case
is one text in one call, and where upstream is wrong by a known bug the case carries its name
(`bugs`) and, next to upstream's answer, the one upstream gives with that bug mended (`right`).

An answer is left out where noise of 5e-5 on the logits changes which spans are found, since no
other arithmetic could be held to it. The same files come out of every run.
"""

from __future__ import annotations

import io
import itertools
import json
import lzma
import os
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import transformers
from build import RECIPES, build
from judge import Judge, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent

LABELS: dict[str, list[str]] = {
    "one": ["person"],
    "two": ["Person", "Company Name"],
    "four": ["person", "city", "Date of birth", "company"],
    "nine": [
        *("person", "organisation", "location", "field", "task"),
        *("product", "algorithm", "researcher", "programming language"),
    ],
    "twice": ["city", "person", "city", "date", "person", "City"],
    "odd": [
        "<>",
        "ORG-Name",
        "e-mail address",
        "it's?!",
        "Ärztin",
        "日本の都市",
        "مدينة",
        "a/b",
        "p",
    ],
    "relations": ["Marie Curie <> born in", "Tim Cook <> employer", "A <> B <> C", "capital of <>"],
    "prompted": ["answer", "match", "summary", "key phrase", "positive", "negative sentiment"],
    "long": [
        "a person who is named in full and who holds or has held a public office of any kind",
        "any place",
        "sums of money, with or without a currency sign, also approximate ones",
    ],
    "twenty": [
        *("award", "animal", "building", "chemical compound", "disease", "drug", "ethnic group"),
        *("event", "film", "food", "game", "job title", "language", "law", "military unit"),
        *("newspaper", "number", "religion", "software", "vehicle"),
    ],
    "sixty": [
        f"{head} {tail}"
        for head in ("first", "former", "Local", "unknown", "big", "river-side")
        for tail in (
            *("team", "bank", "club", "King", "author", "street", "law", "price", "rock band"),
            "tool",
        )
    ],
}
ROTATION = (
    *("four", "nine", "one", "twice", "two", "nine", "relations", "odd", "prompted", "four"),
    *("long", "twenty", "four"),
)
UNSEEN_LABEL = ["person", "\u200b", "\x01", "city"]
"""Two labels that some tokenizers turn into no sub-word at all."""

OPTIONS = [
    {"flat_ner": flat, "threshold": threshold, "multi_label": multi}
    for threshold in (0.5, 0.4, 0.62)
    for flat, multi in ((True, False), (False, True), (False, False), (True, True))
]
QUANTUM = 2e-5
NO_SCORE = np.iinfo(np.int32).min
LOGITS_PER_CHECKPOINT = 100_000


def packed(entities: list[dict[str, Any]], labels: list[str]) -> list[list[Any]]:
    """Entities as `[start, end, index of the label, score]`."""
    return [
        [e["start"], e["end"], labels.index(e["label"]), round(e["score"], 5)] for e in entities
    ]


def cases_of(judge: Judge, texts: list[dict[str, str]]) -> Iterator[tuple[str, str, list[str]]]:
    """Which text is asked about which labels: text, name of the label set, labels."""
    seed = judge.recipe.seed
    every = range(len(texts))
    for i in every:
        name = ROTATION[(i * 5 + seed) % len(ROTATION)]
        if (i + seed) % 17 == 0 and len(texts[i]["text"]) < 300:
            name = "sixty"
        if name == "twenty" and len(texts[i]["text"]) > 500:
            name = "four"
        if judge.recipe.name == "bert-token-rnn-flag" and i % 12:
            continue
        if len(judge.encode(judge.prompt(LABELS[name])).ids) > judge.limit * 0.7:
            name = "nine"
        yield texts[i]["text"], name, LABELS[name]
    unseen = len(texts) if not judge.model.config.embed_ent_token else seed
    for i in every[unseen :: len(texts) // 6]:
        yield texts[i]["text"], "unseen", UNSEEN_LABEL


def record_cases(judge: Judge, texts: list[dict[str, str]]) -> tuple[list[Any], np.ndarray]:
    """Every case of a checkpoint, and all its logits in one row."""
    order = {entry["text"]: entry["id"] for entry in texts}
    by_hand = {entry["text"] for entry in texts if entry["kind"] == "hard"}
    token_level = judge.recipe.span_mode == "token_level"
    strides, most = ((6, 2), 2500) if token_level else ((15, 4), 6000)
    cases: list[dict[str, Any]] = []
    rows: list[np.ndarray] = []
    n_values = 0
    for k, (text, name, labels) in enumerate(cases_of(judge, texts)):
        bugs, end = judge.bugs(text, labels)
        if end is not None and "word-without-subwords" in bugs:
            continue  # which words count towards the limit is a question of taste
        given = [OPTIONS[(k * 5 + j * 7 + judge.recipe.seed) % len(OPTIONS)] for j in range(2)]
        if len(labels) >= 20:  # upstream compares every start with every end, in Python
            given = [options | {"threshold": 0.62} for options in given]
        asked = [ask_both(judge, text, labels, options, bugs, end) for options in given]
        answers = [answer for answer, _ in asked if answer]
        if not answers:
            continue
        twice = any("right" in answer for answer in answers)
        if twice and not bugs:
            bugs = ["entity-twice"]
        case = {"text": order[text], "labels": name, "answers": answers}
        if bugs:
            case |= {"bugs": bugs, "end": end}
        outcome = asked[-1][1]
        size = outcome.logits.numel()
        wanted = bool(bugs) or name == "sixty" or k % strides[text in by_hand] == 0
        small = size <= (6000 if name == "sixty" else most)
        if wanted and small and outcome.ids and n_values + size <= LOGITS_PER_CHECKPOINT:
            case |= {"ids": outcome.ids, "shape": list(outcome.logits.shape), "at": n_values}
            rows.append(quantised(outcome.logits))
            n_values += size
        cases.append(case)
    n_answers = sum(len(case["answers"]) for case in cases)
    print(f"{judge.recipe.name}: {len(cases)} cases, {n_answers} answers,", end=" ")
    print(f"{len(rows)} with logits ({n_values} values)", flush=True)
    return cases, np.concatenate(rows)


def ask_both(
    judge: Judge,
    text: str,
    labels: list[str],
    options: dict[str, Any],
    bugs: list[str],
    end: int | None,
) -> tuple[dict[str, Any] | None, Outcome]:
    """Upstream's answer next to the right one, None where noise would change it.

    Also the outcome that is right: upstream's own where it meets no bug.
    """
    asked = judge.ask(text, labels, options)
    outcome = judge.ask_mended(text, labels, options, end) if bugs else asked
    if not (asked.stable and outcome.stable):
        return None, outcome
    if not bugs and judge.model.predict_entities(text, labels, **options) != asked.entities:
        raise AssertionError(text)
    unique = list(dict.fromkeys(labels))
    found, right = packed(asked.entities, unique), packed(outcome.entities, unique)
    once = [entity for k, entity in enumerate(right) if entity not in right[:k]]
    answer: dict[str, Any] = {**options, "entities": found}
    if "rnn-flag-ignored" in bugs:
        del answer["entities"]  # upstream's LSTM is random, and so is its answer
    if bugs or len(once) < len(right):
        answer["right"] = once
    return answer, outcome


def quantised(logits: torch.Tensor) -> np.ndarray:
    """Logits as whole multiples of `QUANTUM`, flat; NaN has a number of its own."""
    values = logits.double().numpy().reshape(-1)
    return np.where(np.isnan(values), NO_SCORE, np.rint(np.nan_to_num(values) / QUANTUM)).astype(
        np.int32
    )


def record_calls(judge: Judge, texts: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Calls with many texts, labels per text, descriptions, class probabilities, given spans."""
    four, nine, odd = LABELS["four"], LABELS["nine"], LABELS["twice"]
    described = {"PER": "name of a person", "LOC": "city or country", "misc": "anything else"}
    sets: list[Any] = [four, nine[:2], odd, described]

    def fits(text: str, labels: Any) -> bool:
        flat = list(labels.values()) if isinstance(labels, dict) else labels
        options = {"threshold": 0.4}
        return (
            20 < len(text) < 300
            and not judge.bugs(text, flat)[0]
            and judge.ask(text, labels, options).stable
        )

    good = [e["text"] for e in texts if all(fits(e["text"], labels) for labels in sets)][:20]
    many = [good[0], "", *good[1:7], "  \n", *good[7:11]]
    rotated = [sets[i % 3] for i in range(len(many))]
    mixed = [sets[i % 4] for i in range(len(many))]
    starts = [(w[1], w[2]) for w in judge.words(good[0])]
    spans = [{"start": s, "end": e} for (s, _), (_, e) in itertools.pairwise(starts)]
    calls: list[tuple[Any, Any, dict[str, Any]]] = [
        (many, four, {"batch_size": 4}),
        (many, odd, {"batch_size": 3, "flat_ner": False, "multi_label": True}),
        (many, rotated, {"batch_size": 5}),
        (many, mixed, {"batch_size": 4}),
        (good[:4], described, {}),
        (good[1], four, {}),
        (good[:4], "person", {}),
        (good[:6], nine[:2], {"return_class_probs": True}),
        (good[:1], four, {"input_spans": [spans]}),
        (["", " "], four, {}),
    ]
    recorded = []
    for given, labels, extra in calls:
        options = {"threshold": 0.4, **extra}
        entities = judge.model.inference(given, labels, **options)
        alone = "input_spans" in options or isinstance(given, str)
        if not alone and not same_alone(judge, given, labels, options, entities):
            if not judge.model.config.represent_spans:
                raise AssertionError(f"{judge.recipe.name}: a batch changes {labels}")
            continue  # upstream's candidates come from padded words and labels too
        for entity in (e for found in entities for e in found):
            entity["score"] = round(entity["score"], 5)
            if "class_probs" in entity:
                entity["class_probs"] = {k: round(v, 5) for k, v in entity["class_probs"].items()}
        recorded.append(
            {"texts": given, "labels": labels, "options": options, "entities": entities}
        )
    return recorded


def same_alone(
    judge: Judge, given: list[str], labels: Any, options: dict[str, Any], entities: list[Any]
) -> bool:
    """Whether one text a call gives the spans that the batch gave."""
    single = {k: v for k, v in options.items() if k != "batch_size"}
    per_text = isinstance(labels, list) and not isinstance(labels[0], str)
    owns = labels if per_text else [labels] * len(given)
    alone = [
        judge.model.inference([text], [own] if per_text else own, **single)[0]
        for text, own in zip(given, owns, strict=True)
    ]
    keys = [[[(e["start"], e["end"], e["label"]) for e in f] for f in x] for x in (alone, entities)]
    return keys[0] == keys[1]


def write_xz(path: Path, data: bytes) -> None:
    path.write_bytes(lzma.compress(data, format=lzma.FORMAT_XZ, preset=9 | lzma.PRESET_EXTREME))


def archive(folder: Path, path: Path) -> None:
    """One archive of all checkpoints, without dates and owners."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        names = [r.name for r in RECIPES]
        files = [f for name in names for f in sorted((folder / name).rglob("*")) if f.is_file()]
        # Like files side by side compress best.
        for file in sorted(
            files, key=lambda f: (f.name, names.index(f.relative_to(folder).parts[0]))
        ):
            info = tarfile.TarInfo(str(file.relative_to(folder)))
            info.size = file.stat().st_size
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(file.read_bytes()))
    write_xz(path, buffer.getvalue())


def main(out: Path) -> None:
    """Builds, asks and writes everything."""
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    out.mkdir(parents=True, exist_ok=True)
    texts = [json.loads(line) for line in (HERE / "texts.jsonl").read_text().splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        real = [entry["text"] for entry in texts if entry["text"].strip()]
        for recipe in RECIPES:
            build(recipe, real, root / recipe.name, root / "scratch")
        archive(root, out / "checkpoints.tar.xz")
        judges = {recipe.name: Judge(recipe, root / recipe.name) for recipe in RECIPES}
        judges["bert-token-rnn-flag"].sibling = judges["bert-token-no-rnn"]
        for name, judge in judges.items():
            cases, logits = record_cases(judge, texts)
            calls = [] if judge.sibling else record_calls(judge, texts)
            record = {
                "checkpoint": name,
                "span_mode": judge.recipe.span_mode,
                "label_sets": LABELS | {"unseen": UNSEEN_LABEL},
                "quantum": QUANTUM,
                "cases": cases,
                "calls": calls,
            }
            write_xz(out / f"{name}.json.xz", json.dumps(record, separators=(",", ":")).encode())
            planes = np.ascontiguousarray(logits.astype("<i4").view(np.uint8).reshape(-1, 4).T)
            write_xz(out / f"{name}.logits.xz", planes.tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))

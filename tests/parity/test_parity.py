"""Ours beside what `gliner` 0.2.29 answered: same logits, same entities, same order."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from spanwise.compat import GLiNER
from spanwise.errors import UnsupportedError
from spanwise.flow.encode import Encoder, Pieces
from spanwise.flow.words import split, splitter

from . import golden

if TYPE_CHECKING:
    from pathlib import Path

# With `represent_spans` upstream's answer depends on the rest of the batch, and no released
# checkpoint has it: such files are refused.
REPRESENTED = "bert-token-represented"
CHECKPOINTS = tuple(name for name in golden.checkpoints() if name != REPRESENTED)
NOTHING = Pieces(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("checkpoints")
    golden.unpack(place)
    return place


@cache
def model(place: Path) -> GLiNER:
    return GLiNER.from_pretrained(place)


def logits_of(ours: GLiNER, case: golden.Case) -> tuple[tuple[int, ...], np.ndarray]:
    backend: Any = ours.extractor.backend
    encoder = Encoder(backend.tokenizer, backend.config)
    words = split(case.text[: case.end], splitter(backend.config.splitter)).surfaces()
    (pieces,) = encoder.words([words[: backend.config.max_words]])
    pieces = Pieces(pieces.ids, pieces.lengths[pieces.lengths > 0])
    encoded = encoder.encode(list(dict.fromkeys(case.labels)), NOTHING, pieces)
    return tuple(encoded.ids.tolist()), backend.score(encoder.collate([encoded]))[0]


def found(ours: GLiNER, text: str, case: golden.Case, answer: golden.Answer) -> list[tuple]:
    entities = ours.predict_entities(
        text,
        list(case.labels),
        flat_ner=answer.flat_ner,
        threshold=answer.threshold,
        multi_label=answer.multi_label,
    )
    assert all(e["text"] == text[e["start"] : e["end"]] for e in entities)
    return [(e["start"], e["end"], e["label"], e["score"]) for e in entities]


def same(got: list[tuple], expected: tuple[golden.Entity, ...]) -> bool:
    spans = [(e.start, e.end, e.label) for e in expected]
    scores = [e.score for e in expected]
    return [each[:3] for each in got] == spans and np.allclose(
        [each[3] for each in got], scores, rtol=0, atol=golden.SCORE_TOLERANCE
    )


def test_an_architecture_that_does_not_run_is_refused_by_its_key(folder):
    with pytest.raises(UnsupportedError, match="represent_spans"):
        GLiNER.from_pretrained(folder / REPRESENTED)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_input_ids_and_logits_are_upstreams(folder, name):
    cases = [case for case in golden.cases(name) if case.logits is not None]
    assert len(cases) > 30
    for case in cases:
        ids, logits = logits_of(model(folder / name), case)
        assert ids == case.ids, case.id
        assert logits.shape == case.logits.shape, case.id
        off = np.abs(np.where(np.isnan(case.logits), 0, logits - case.logits)).max(initial=0)
        assert off < golden.LOGITS_TOLERANCE, (case.id, off)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_entities_their_scores_and_their_order_are_upstreams(folder, name):
    wrong = [
        (case.id, answer)
        for case in golden.cases(name)
        if not case.bugs
        for answer in case.answers
        if not same(found(model(folder / name), case.text, case, answer), answer.expected)
    ]
    assert not wrong, (len(wrong), wrong[:3])


@pytest.mark.parametrize("bug", sorted(golden.BUGS.keys() - {"entity-twice"}))
def test_where_upstream_is_wrong_ours_is_right(folder, bug):
    differs = 0
    for name in CHECKPOINTS:
        for case in golden.cases(name):
            if bug not in case.bugs:
                continue
            for answer in case.answers:
                differs += answer.entities != answer.right
                got = found(model(folder / name), case.text[: case.end], case, answer)
                assert same(got, answer.expected), (case.id, got, answer)
    # where the text that fits is read the same, only the rest of it is missing upstream
    assert differs or bug == "too-many-words"


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_calls_with_many_texts_are_answered_alike(folder, name):
    for call in golden.calls(name):
        options = dict(call.options)
        if "input_spans" in options:
            continue  # not offered here
        got = model(folder / name).inference(call.texts, call.labels, **options)
        assert len(got) == len(call.entities)
        for ours, theirs in zip(got, call.entities, strict=True):
            assert [dict(e, score=0, class_probs=0) for e in ours] == [
                dict(e, score=0, class_probs=0) for e in theirs
            ]
            scores = [[e["score"] for e in entities] for entities in (ours, theirs)]
            assert scores[0] == pytest.approx(scores[1], abs=golden.SCORE_TOLERANCE)

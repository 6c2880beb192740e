"""The extractor: one text, many, streams; windows, label groups, thresholds and errors."""

import itertools

import pytest

from spanwise.engine import BLOCK
from spanwise.errors import InputError, LabelError, TextTooLongError
from spanwise.types import Entity, Label

LABELS = ["person", "city", "date"]


@pytest.fixture(params=["token", "span"])
def either(request, make_extractor):
    """Return an extractor of each architecture in turn."""
    return make_extractor(architecture=request.param)


def keys(entities):
    return [(e.start, e.end, e.label) for e in entities]


def scores(entities):
    return [e.score for e in entities]


def same(ours, wanted):
    assert keys(ours) == keys(wanted)
    assert scores(ours) == pytest.approx(scores(wanted), abs=1e-5)


# one, many, a stream


def test_one_text_gives_frozen_entities_in_text_order(either, text):
    found = either.entities(text, LABELS)
    assert len(found) > 3
    assert all(isinstance(entity, Entity) for entity in found)
    assert all(text[e.start : e.end] == e.text and 0.5 < e.score <= 1 for e in found)
    assert keys(found) == sorted(keys(found))
    with pytest.raises(AttributeError):
        found[0].text = "else"


def test_many_texts_give_a_list_each_in_order(either, text):
    texts = [text, "", "Ada met Charles", "  \n", text]
    found = either.entities(texts, LABELS)
    assert isinstance(found, list)
    assert found[1] == found[3] == []
    for given, entities in zip(texts, found, strict=True):
        same(entities, either.entities(given, LABELS))
    assert either.entities([], LABELS) == []
    assert len(either.entities((text, text), LABELS)) == 2


def test_an_iterator_is_streamed_in_constant_memory(extractor):
    n_read = 0

    def texts():
        nonlocal n_read
        for n_read in itertools.count(1):
            yield f"Ada met Charles {n_read % 7}"

    found = extractor.entities(texts(), ["person"])
    assert iter(found) is found
    first = list(itertools.islice(found, BLOCK + 1))
    assert len(first) == BLOCK + 1
    assert n_read <= 2 * BLOCK


def test_pre_tokenised_texts_are_read_word_for_word(extractor):
    words = ["Ada", "Lovelace", "met", "Charles", "Babbage", "in", "London", "."]
    (found,) = extractor.entities([words], LABELS)
    same(found, extractor.entities(" ".join(words), LABELS))
    (odd,) = extractor.entities([["Ada Lovelace", "met", "two words"]], LABELS, threshold=0.0)
    assert {(e.start, e.end) for e in odd} <= {(s, e) for s in (0, 13, 17) for e in (12, 16, 26)}


def test_something_that_is_no_text_is_named_by_its_place(extractor):
    with pytest.raises(InputError, match="text 1 is a int"):
        extractor.entities(["Ada", 7], LABELS)
    with pytest.raises(InputError, match="word 1 of a pre-tokenised text is empty"):
        extractor.entities([["Ada", ""]], LABELS)


# labels


def test_labels_may_be_given_per_text(extractor, text):
    texts = [text, "Ada met Charles in London", text]
    sets = [["person"], ["city", "date"], {"somebody": "person"}]
    for given in (sets, iter(sets)):
        found = extractor.entities(texts, given)
        for each, labels, entities in zip(texts, sets, found, strict=True):
            same(entities, extractor.entities(each, labels))
    assert {e.label for e in found[2]} == {"somebody"}


def test_too_few_label_sets_are_refused(extractor, text):
    with pytest.raises(InputError, match="1"):
        extractor.entities([text, text], [["person"]])


def test_a_description_is_read_and_the_name_reported(extractor, text):
    described = extractor.entities(text, [Label("who", "person")])
    named = extractor.entities(text, ["person"])
    assert [(e.start, e.score) for e in described] == [(e.start, e.score) for e in named]
    assert {e.label for e in described} == {"who"}


@pytest.mark.parametrize("labels", [[], {}, ["a", "a"], [""], ["a", "\t"], "person", [None]])
def test_labels_that_cannot_be_asked_are_refused(extractor, text, labels):
    with pytest.raises(LabelError):
        extractor.entities(text, labels)


def test_a_label_longer_than_the_window_is_refused(extractor, text):
    with pytest.raises(LabelError, match=r"takes 151 sub-words of a window .* shorten it"):
        extractor.entities(text, ["person", "city " * 150])


def test_many_labels_are_split_over_passes_and_choose_together(either, text):
    labels = ["person", "city", "date", "place", "name", "thing", "label", "work", "answer", "sub"]
    assert len(labels) > either.config.max_labels
    found = either.entities(text, labels, max_labels=3)
    assert keys(found) == sorted(keys(found))
    for left, right in itertools.pairwise(found):
        assert left.end <= right.start
    groups = [labels[at : at + 3] for at in range(0, len(labels), 3)]
    candidates = [
        entity
        for group in groups
        for entity in either.entities(text, group, overlap="nested", multi_label=True)
    ]
    best = max(candidates, key=lambda e: e.score)
    assert (best.start, best.end, best.label) in keys(found)


def test_labels_of_one_pass_stay_within_the_window(make_extractor, text):
    """Labels that together leave no room for the text go into several passes."""
    narrow = make_extractor(max_labels=100)
    labels = [f"{a} {b}" for a, b in itertools.permutations(["person", "city", "date", "who"], 2)]
    labels += [f"{label} {label} {label}" for label in labels]
    found = narrow.entities(text * 3, labels)
    assert len({e.label for e in found}) > 2


# long texts


def test_a_long_text_is_read_to_its_end_whatever_the_word_lengths(either):
    text = "Ada met Charles in London. " * 60 + "x" * 900 + " " + "She was in Paris. " * 20
    found = either.entities(text, LABELS)
    assert found[-1].start > len(text) * 0.9
    assert all(text[e.start : e.end] == e.text for e in found)
    assert len(set(keys(found))) == len(found)


def test_one_endless_word_fits_a_window(either):
    """Sixty sub-words of a label, and a word that alone has more than the window."""
    assert isinstance(either.entities("a" * 99, ["person " * 30]), list)


def test_truncation_reads_the_beginning_and_reports_the_rest(extractor):
    text = "Ada met Charles in London. " * 60
    found = extractor.entities([text, "Ada", text], LABELS, long_text="truncate")
    assert [each.text for each in extractor.unread] == [0, 2]
    for unread in extractor.unread:
        assert text[unread.end - 1] == "."
        assert unread.end == len(text.rstrip())
        assert max(e.end for e in found[0]) <= unread.start
    assert extractor.entities("Ada", LABELS) is not None
    assert extractor.unread == []


def test_a_long_text_can_be_an_error(extractor):
    with pytest.raises(TextTooLongError, match=r"text 1 has 360 words; one pass reads \d\d"):
        extractor.entities(["Ada", "Ada met Charles in London. " * 60], LABELS, long_text="error")


def test_an_instruction_that_fills_the_window_is_refused(extractor, text):
    with pytest.raises(TextTooLongError, match="leaves no room"):
        extractor.open_entities(text, LABELS, "who " * 70)


# instructions


def test_no_span_lies_in_an_instruction_and_no_offset_counts_it(either, text):
    question = "Who met Charles Babbage in London?"
    found = either.open_entities(text, LABELS, question, threshold=0.0)
    assert found
    assert all(text[e.start : e.end] == e.text for e in found)
    assert found[0].start >= 0
    assert found[-1].end <= len(text)


def test_an_instruction_is_read(extractor, text):
    asked = extractor.open_entities(text, LABELS, "Who was it? What was it?")
    assert scores(asked) != scores(extractor.entities(text, LABELS))


# choice


def test_a_higher_threshold_gives_no_lower_score(either, text):
    for threshold in (0.0, 0.3, 0.6, 0.9, 1.0):
        found = either.entities(text, LABELS, threshold=threshold)
        assert all(e.score >= threshold for e in found)
    assert found == []


def test_thresholds_per_label(extractor, text):
    own = extractor.entities(text, LABELS, threshold={"person": 1.0, "city": 0.2})
    assert "person" not in {e.label for e in own}
    assert any(e.label == "city" and e.score < 0.5 for e in own)
    assert all(e.score > 0.5 for e in own if e.label == "date")


def test_calibrated_thresholds_hold_where_none_is_given(make_model, text):
    import dataclasses

    from spanwise.backend.pytorch import PyTorchBackend
    from spanwise.extractor import Extractor

    backend = PyTorchBackend(make_model("bert"))
    backend.config = dataclasses.replace(backend.config, thresholds={"person": 1.0})
    calibrated = Extractor(backend)
    assert "person" not in {e.label for e in calibrated.entities(text, LABELS)}
    assert "person" in {e.label for e in calibrated.entities(text, LABELS, threshold=0.5)}


def test_the_temperature_divides_the_logits(make_model, text):
    import dataclasses

    from spanwise.backend.pytorch import PyTorchBackend
    from spanwise.extractor import Extractor
    from spanwise.flow.decode import logit

    backend = PyTorchBackend(make_model("bert", architecture="span"))
    plain = Extractor(backend).entities(text, ["person"])
    backend.config = dataclasses.replace(backend.config, temperature=2.0)
    cooled = Extractor(backend).entities(text, ["person"])
    assert keys(cooled) == keys(plain)
    assert [float(logit(s)) * 2 for s in scores(cooled)] == pytest.approx(
        [float(logit(s)) for s in scores(plain)], rel=1e-4
    )


def test_flat_nested_and_multi_label(either, text):
    flat = either.entities(text, LABELS, threshold=0.1)
    nested = either.entities(text, LABELS, threshold=0.1, overlap="nested")
    several = either.entities(text, LABELS, threshold=0.1, multi_label=True)
    assert all(left.end <= right.start for left, right in itertools.pairwise(flat))
    assert any(left.end > right.start for left, right in itertools.pairwise(nested))
    for left, right in itertools.combinations(nested, 2):
        assert (
            left.end <= right.start
            or right.end <= left.end
            or (left.start == right.start and left.end <= right.end)
        )
    assert len({e[:2] for e in keys(several)}) < len(several)


def test_the_two_policies_score_the_same_candidates(extractor, text):
    options = {"overlap": "nested", "multi_label": True}
    mean = extractor.entities(text, ["person"], policy="mean", **options)
    least = extractor.entities(text, ["person"], policy="min", **options)
    assert mean
    by_key = dict(zip(keys(least), scores(least), strict=True))
    shared = [e for e in mean if (e.start, e.end, e.label) in by_key]
    assert shared
    assert all(by_key[(e.start, e.end, e.label)] <= e.score for e in shared)


@pytest.mark.parametrize("policy", ["mean", "min", "edges"])
def test_probabilities_are_those_of_every_label_for_the_very_span(either, text, policy):
    labels = ["person", "city", "date", "place", "name"]
    found = either.entities(text, labels, probabilities=True, policy=policy, max_labels=2)
    assert found
    for entity in found:
        assert list(entity.probabilities) == labels
        assert entity.probabilities[entity.label] == pytest.approx(entity.score)
    assert either.entities(text, labels)[0].probabilities is None


def test_runners_up_are_labels_that_lost_on_the_very_span(extractor, text):
    labels = ["person", "city", "date", "place"]
    found = extractor.entities(text, labels, threshold=0.2, runners_up=True)
    every = extractor.entities(text, labels, threshold=0.2, overlap="nested", multi_label=True)
    assert any(entity.runners_up for entity in found)
    for entity in found:
        for label, score in entity.runners_up:
            assert label != entity.label
            assert 0.2 < score <= entity.score
            assert (entity.start, entity.end, label) in keys(every)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"threshold": 1.5}, r"1\.5 is not a probability"),
        ({"threshold": -0.1}, r"-0\.1 is not a probability"),
        ({"threshold": float("nan")}, "nan is not a probability"),
        ({"threshold": {"person": 2}}, r"2\.0 is not a probability"),
        ({"overlap": "flet"}, "did you mean 'flat'"),
        ({"policy": "max"}, "policy must be one of mean, min, edges"),
        ({"long_text": "cut"}, "long_text must be one of"),
        ({"threshold": "high"}, "threshold 'high' is no number"),
        ({"threshold": [0.5]}, r"threshold \[0\.5\] is no number"),
        ({"threshold": {"person": None}}, "threshold None is no number"),
        ({"max_labels": 0}, "max_labels must be at least 1"),
        ({"max_labels": "3"}, "max_labels must be at least 1, got '3'"),
        ({"batch_tokens": -1}, "batch_tokens must be at least 1"),
        ({"treshold": 0.5}, "did you mean 'threshold'"),
    ],
)
def test_options_out_of_range_are_refused(extractor, text, option, message):
    with pytest.raises(InputError, match=message):
        extractor.entities(text, LABELS, **option)


def test_numpy_numbers_are_numbers(extractor, text):
    import numpy as np

    found = extractor.entities(text, LABELS, threshold=np.float32(0.5))
    same(found, extractor.entities(text, LABELS, threshold=0.5))

"""Whatever the text, offsets lead to what was found, and spans keep their distance."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

LABELS = ["person", "city", "date"]
thresholds = st.sampled_from([0.0, 0.2, 0.5, 0.9])


def crosses(left, right):
    return left.start < right.start < left.end < right.end


@pytest.mark.parametrize("splitter", ["regex", "unicode", "spaces"])
@pytest.mark.parametrize("architecture", ["token", "span"])
def test_offsets_lead_to_the_text_of_every_entity(architecture, splitter, exact, any_text):
    from spanwise.extractor import Extractor

    extractor = Extractor(exact[architecture].backend, splitter=splitter)

    @given(text=any_text, threshold=thresholds, instruction=any_text)
    def holds(text, threshold, instruction):
        options = {"threshold": threshold, "overlap": "nested", "multi_label": True}
        found = extractor.entities(text, LABELS, **options)
        if instruction.strip() and len(instruction) < 80:
            found = found + extractor.open_entities(text, LABELS, instruction, **options)
        for entity in found:
            assert text[entity.start : entity.end] == entity.text
            assert entity.text.strip() == entity.text != ""
            assert threshold <= entity.score <= 1
            assert entity.label in LABELS

    holds()


@pytest.mark.parametrize("architecture", ["token", "span"])
def test_flat_spans_never_overlap_and_nested_ones_never_cross(architecture, exact, any_text):
    extractor = exact[architecture]

    @given(text=any_text, threshold=thresholds, multi_label=st.booleans())
    def holds(text, threshold, multi_label):
        options = {"threshold": threshold, "multi_label": multi_label}
        flat = extractor.entities(text, LABELS, **options)
        spans = sorted({(e.start, e.end) for e in flat})
        assert multi_label or len(spans) == len(flat)
        assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))
        nested = extractor.entities(text, LABELS, overlap="nested", **options)
        assert not any(crosses(a, b) for a, b in itertools.permutations(nested, 2))
        assert len({(e.start, e.end, e.label) for e in nested}) == len(nested)

    holds()


def test_words_that_cannot_be_seen_move_no_offset(exact):
    """A zero-width word yields no sub-word; all offsets after it must stay right."""
    plain = "Ada Lovelace met Charles Babbage in London"
    found = exact["token"].entities(plain, LABELS)
    assert found
    for hidden in ("\u200b", "\ufeff", "\u200d\u200b"):
        text = f"{hidden} {plain} {hidden}"
        again = exact["token"].entities(text, LABELS)
        shift = len(hidden) + 1
        assert [(e.text, e.start - shift, e.label) for e in again] == [
            (e.text, e.start, e.label) for e in found
        ]


def test_line_ends_are_counted_as_they_are(exact):
    lines = ["Ada Lovelace", "met Charles Babbage", "in London"]
    found = {
        end: exact["token"].entities(end.join(lines), LABELS) for end in ("\n", "\r\n", "\r", " ")
    }
    assert found[" "]
    for end, entities in found.items():
        text = end.join(lines)
        assert all(text[e.start : e.end] == e.text for e in entities)
        assert [e.text.split() for e in entities] == [e.text.split() for e in found[" "]]

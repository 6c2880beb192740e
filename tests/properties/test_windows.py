"""Windows find what the whole text gives.

The models here read no context (no layers, no positions, no LSTM), so a word's scores are the
same in every window, and what windows find must be exactly what one pass over everything finds.
"""

import dataclasses
import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

LABELS = ["person", "city", "date"]
LONGEST = 3  # words; no span is longer than the part of a window that lies behind its border


@pytest.fixture(scope="module", params=["span", "token"])
def backend(request, make_model):
    import torch

    from spanwise.backend.pytorch import PyTorchBackend

    model = make_model("bert", architecture=request.param, max_width=LONGEST, context=False)
    if request.param == "token":
        with torch.no_grad():
            model.network.scorer.out.bias[2] -= 1.5  # short runs of inside words
    made = PyTorchBackend(model)
    made.network.double()
    return made


class Narrow:
    """A backend with other limits in its configuration."""

    def __init__(self, backend, **limits):
        self.name, self.tokenizer = backend.name, backend.tokenizer
        self.batch_tokens = backend.batch_tokens
        self.pads = backend.pads
        self.config = dataclasses.replace(backend.config, **limits)
        self.score = backend.score


def keys(entities):
    return [(e.start, e.end, e.label, round(e.score, 5)) for e in entities]


def test_windows_find_what_one_pass_finds(backend, prose):
    from spanwise.extractor import Extractor

    whole = Extractor(backend)
    n_found = 0

    @given(
        text=prose,
        limits=st.sampled_from(
            [{"max_words": 40}, {"max_words": 53}, {"max_positions": 64}, {"max_words": 47}]
        ),
        overlap=st.sampled_from(["flat", "nested"]),
    )
    def holds(text, limits, overlap):
        nonlocal n_found
        options = {"overlap": overlap, "threshold": 0.4}
        wanted = whole.entities(text, LABELS, **options)
        every = whole.entities(text, LABELS, threshold=0.4, overlap="nested", multi_label=True)
        assume(all(len(e.text.split()) <= LONGEST for e in every))
        narrow = Extractor(Narrow(backend, **limits))
        assert keys(narrow.entities(text, LABELS, **options)) == keys(wanted)
        n_found += len(wanted)

    holds()
    assert n_found > 100


def test_label_groups_find_what_one_pass_finds(backend, prose):
    from spanwise.extractor import Extractor

    extractor = Extractor(backend)
    labels = [*LABELS, "place", "name", "thing"]

    @given(text=prose, max_labels=st.integers(1, 5), multi_label=st.booleans())
    def holds(text, max_labels, multi_label):
        wanted = extractor.entities(text, labels, multi_label=multi_label)
        found = extractor.entities(text, labels, multi_label=multi_label, max_labels=max_labels)
        assert keys(found) == keys(wanted)

    holds()


def test_an_entity_across_a_cut_is_found_whole(backend):
    """Wherever a window ends, the two words that make a name stay together."""
    from spanwise.extractor import Extractor

    whole = Extractor(backend)
    words = [
        "Ada",
        "Lovelace",
        "met",
        "Charles",
        "Babbage",
        "in",
        "London",
        "person",
        "city",
        "name",
        "thing",
        "she",
        "he",
    ]
    names = [" ".join(pair) for pair in itertools.permutations(words, 2)]
    found = whole.entities([f"the {name} the" for name in names], LABELS, threshold=0.2)
    name = next(n for n, each in zip(names, found, strict=True) if n in [e.text for e in each])
    narrow = Extractor(Narrow(backend, max_words=30))
    for n_before in range(15, 60):
        text = "the " * n_before + name + " the" * 40
        assert name in [e.text for e in narrow.entities(text, LABELS, threshold=0.2)]

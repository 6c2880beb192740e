"""Texts as they come: prose, foreign scripts, emoji, what cannot be seen, any line end."""

import pytest
from hypothesis import strategies as st

_WORDS = [
    "Ada", "Lovelace", "met", "Charles", "Babbage", "in", "London", "the", "program", "first",
    "x-ray", "snake_case", "3.14", "été", "a\u0301", "Ünïcode", "東京", "京都に", "สวัสดี", "שלום",
    "مرحبا", "😀", "👩‍👩‍👧", "🏳️‍🌈", "\u200b", "\u200d", "\ufe0f", "\ufeff", "\xad", "\x00", "\x1b",
    "ﬁ", "İ", "ß", "\U0001d518", "qwertyuiopasdfghjklzxcvb" * 3,
    "[CLS]", "[SEP]", "<<ENT>>", "<<SEP>>",
    "##s", "[UNK]",
]  # fmt: skip
_GAPS = ["", " ", "  ", "\n", "\r\n", "\t", "\xa0", "\u2028", ". ", "! ", ".\n\n", ", ", "(", ")"]


@pytest.fixture(scope="session")
def any_text():
    """Return a strategy for texts of up to about a hundred words."""
    pieces = st.lists(
        st.tuples(st.sampled_from(_WORDS) | st.text(max_size=6), st.sampled_from(_GAPS)),
        max_size=60,
    )
    return pieces.map(lambda made: "".join(word + gap for word, gap in made))


@pytest.fixture(scope="session")
def prose():
    """Return a strategy for sentences of known words."""
    sentence = st.lists(st.sampled_from(_WORDS[:10]), min_size=1, max_size=15).map(" ".join)
    return st.lists(sentence, max_size=25).map(". ".join)


@pytest.fixture(scope="session")
def exact(make_model):
    """Return extractors that compute in double precision: what differs does so by logic."""
    from spanwise.backend.pytorch import PyTorchBackend
    from spanwise.extractor import Extractor

    made = {}
    for architecture in ("token", "span"):
        backend = PyTorchBackend(make_model("bert", architecture=architecture, seed=1))
        backend.network.double()
        made[architecture] = Extractor(backend)
    return made

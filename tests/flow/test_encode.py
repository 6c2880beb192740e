"""Prompts become the ids that the tokenizer itself would give, and batches stay in budget."""

import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from spanwise.config import ModelConfig
from spanwise.errors import CheckpointError, LabelError
from spanwise.flow import encode, words
from spanwise.flow.encode import Encoder, batches


@pytest.fixture
def config():
    return ModelConfig(encoder={"model_type": "bert"}, hidden_size=4, max_positions=96)


@pytest.fixture
def encoder(tokenizer, config):
    return Encoder(Tokenizer.from_str(tokenizer.to_str()), config)


def encoded(encoder, labels, instruction, text):
    surfaces = words.split(text, words.splitter("regex")).surfaces()
    (pieces,) = encoder.words([surfaces])
    return encoder.encode(labels, encoder.instruction(tuple(instruction.split())), pieces)


def test_ids_are_those_of_the_tokenizer_for_the_whole_prompt(encoder, tokenizer, text):
    made = encoded(encoder, ["person", "date of birth"], "who was it", text)
    surfaces = words.split(text, words.splitter("regex")).surfaces()
    prompt = ["<<ENT>>", "person", "<<ENT>>", "date of birth", "<<SEP>>", "who", "was", "it"]
    whole = tokenizer.encode([*prompt, *surfaces], is_pretokenized=True)
    assert made.ids.tolist() == whole.ids
    firsts = [whole.word_ids.index(place) for place in range(len(prompt) + len(surfaces))]
    assert made.label_positions.tolist() == [firsts[0], firsts[2]]
    assert made.word_positions.tolist() == firsts[5:]
    assert made.n_instruction == 3


def test_a_label_may_be_read_at_its_own_first_sub_word(tokenizer, config):
    import dataclasses

    own = Encoder(tokenizer, dataclasses.replace(config, embed_label_token=False))
    made = encoded(own, ["person", "city"], "", "Ada")
    assert made.ids[made.label_positions].tolist() == [
        tokenizer.token_to_id("person"),
        tokenizer.token_to_id("city"),
    ]


def test_words_without_sub_words_are_seen_as_such(encoder):
    (pieces,) = encoder.words([["Ada", "\u200b", "met"]])
    assert pieces.lengths.tolist() == [1, 0, 1]
    with pytest.raises(AssertionError, match="left out before"):
        encoder.encode(["person"], encoder.instruction(()), pieces)


def test_pieces_between_words(encoder):
    (pieces,) = encoder.words([["Ada", "xyz", "met"]])
    middle = pieces.between(1, 2)
    assert middle.lengths.tolist() == [3]
    assert middle.ids.tolist() == pieces.ids[1:4].tolist()


def test_a_batch_pads_and_counts(encoder):
    items = [
        encoded(encoder, ["person"], "", "Ada met Charles"),
        encoded(encoder, ["person", "city"], "who", "Ada"),
        encoded(encoder, ["city"], "", ""),
    ]
    batch = encoder.collate(items)
    assert len(batch) == 3
    assert batch.n_words.tolist() == [3, 2, 0]
    assert batch.n_labels.tolist() == [1, 2, 1]
    for row, item in enumerate(items):
        n = len(item.ids)
        assert batch.ids[row, :n].tolist() == item.ids.tolist()
        assert (batch.ids[row, n:] == encoder.pad_id).all()
        assert batch.mask[row].tolist() == [1] * n + [0] * (batch.ids.shape[1] - n)


@pytest.mark.parametrize("label", ["<<ENT>>", "a <<SEP>> b"])
def test_a_label_with_the_prompts_own_tokens_is_refused(encoder, label):
    with pytest.raises(LabelError, match="which the prompt is built with"):
        encoder.label(label)


def test_a_label_that_cannot_be_read_is_refused_where_it_must_be(tokenizer, config):
    import dataclasses

    own = Encoder(tokenizer, dataclasses.replace(config, embed_label_token=False))
    with pytest.raises(LabelError, match="nothing that the tokenizer can read"):
        own.label("\u200b")


def test_a_tokenizer_of_another_model_is_refused(tokenizer, config):
    import dataclasses

    with pytest.raises(CheckpointError, match="has no token '<<LBL>>'"):
        Encoder(tokenizer, dataclasses.replace(config, label_token="<<LBL>>"))


@given(
    lengths=st.lists(st.integers(1, 50), max_size=60),
    max_tokens=st.integers(1, 300),
    max_items=st.integers(1, 20),
)
def test_batches_hold_every_item_once_within_budget(lengths, max_tokens, max_items):
    made = [
        chosen.tolist() for chosen in batches(lengths, max_tokens=max_tokens, max_items=max_items)
    ]
    assert sorted(place for chosen in made for place in chosen) == list(range(len(lengths)))
    for chosen in made:
        assert len(chosen) <= max_items
        assert len(chosen) == 1 or max(lengths[i] for i in chosen) * len(chosen) <= max_tokens
    in_order = [lengths[i] for chosen in made for i in chosen]
    assert in_order == sorted(in_order, reverse=True)


@pytest.fixture
def hasty_threads():
    """Have threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_threads_may_share_an_encoder_whose_memory_starts_anew(encoder, monkeypatch, hasty_threads):
    monkeypatch.setattr(encode, "_MAX_KNOWN", 10)
    errors = []

    def work(seed):
        rng = np.random.default_rng(seed)
        try:
            for _ in range(100):
                texts = [["".join(rng.choice(list("abcdef"), 3)) for _ in range(80)]]
                (pieces,) = encoder.words(texts)
                assert len(pieces.lengths) == 80
        except Exception as error:  # noqa: BLE001 (whatever a thread dies of is the finding)
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("most", [1, 2, 3, 10])
def test_long_words_are_clipped_to_their_beginning(encoder, most):
    (pieces,) = encoder.words([["xyz", "Ada", "\u200b", "qwert"]])
    clipped = pieces.clipped(most)
    assert clipped.lengths.tolist() == [min(most, n) for n in pieces.lengths]
    for place in range(4):
        kept = clipped.between(place, place + 1).ids.tolist()
        assert kept == pieces.between(place, place + 1).ids.tolist()[:most]


def test_a_window_is_bounded_even_where_the_encoder_is_not(tokenizer, config):
    import dataclasses

    free = dataclasses.replace(config, max_positions=None)
    assert Encoder(tokenizer, config).max_tokens == 96
    assert Encoder(tokenizer, free).max_tokens == 8 * free.max_words

"""The network computes the paper's formulas, by a shorter way."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from spanwise.config import ModelConfig
from spanwise.errors import ConfigError, UnsupportedError
from spanwise.model import network as networks
from spanwise.model.loss import focal_loss
from spanwise.model.network import Network, SpanScorer, TokenScorer

H = 8


class Shapes(TorchDispatchMode):
    """Notes the shape of every tensor that is made."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for each in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(each, torch.Tensor):
                self.seen.add(tuple(each.shape))
        return made


@pytest.fixture(scope="module")
def vectors():
    generator = torch.Generator().manual_seed(0)
    words = torch.randn(3, 7, H, generator=generator)
    return words, torch.randn(3, 4, H, generator=generator)


@pytest.fixture(scope="module")
def scorer():
    torch.manual_seed(0)
    return TokenScorer(H).eval()


def papers_scores(scorer, words, labels):
    """Return `MLP(cat(T0, L0, T1 * L1))` as the paper writes it."""
    t0, t1 = scorer.word_projection(words).split(H, dim=-1)
    l0, l1 = scorer.label_projection(labels).split(H, dim=-1)
    shape = (len(words), words.shape[1], labels.shape[1], H)
    t0, t1 = (t[:, :, None].expand(shape) for t in (t0, t1))
    l0, l1 = (each[:, None].expand(shape) for each in (l0, l1))
    return scorer.out(torch.relu(scorer.hidden(torch.cat((t0, l0, t1 * l1), dim=-1))))


def test_the_factorised_scorer_is_the_papers(scorer, vectors):
    with torch.inference_mode():
        assert torch.allclose(scorer(*vectors), papers_scores(scorer, *vectors), atol=1e-6)


@pytest.mark.parametrize("n_bytes", [1, 3 * 7 * 4 * H * 4 * 2])
def test_labels_in_portions_give_the_same(scorer, vectors, monkeypatch, n_bytes):
    with torch.inference_mode():
        whole = scorer(*vectors)
        monkeypatch.setattr(networks, "_SCORER_BYTES", n_bytes)
        assert torch.allclose(scorer(*vectors), whole, atol=1e-6)


def test_the_ragged_scorer_is_the_padded_one_with_zeros(scorer, vectors):
    n_words, n_labels = torch.tensor([7, 1, 4]), torch.tensor([2, 4, 1])
    padded, ragged = scorer(*map(torch.clone, vectors)), scorer.ragged(*vectors, n_words, n_labels)
    assert ragged.shape == padded.shape
    for b, (w, c) in enumerate(zip(n_words, n_labels, strict=True)):
        assert torch.allclose(ragged[b, :w, :c], padded[b, :w, :c], atol=1e-6)
        assert not ragged[b, w:].any()
        assert not ragged[b, :, c:].any()


@pytest.mark.parametrize("training", [False, True])
def test_the_tensor_of_width_3h_is_never_built(make_model, make_batch, training):
    model = make_model("bert")
    batch = make_batch(model)
    shapes = Shapes()
    with torch.set_grad_enabled(training), shapes:
        logits = model.network(batch)
        if training:
            logits.sum().backward()
    model.network.zero_grad()
    size = model.config.hidden_size
    n_batch, n_words, n_labels, _ = logits.shape
    assert (n_batch, n_words, n_labels) == (3, 8, 3)
    pairs = [(n_batch, n_words, n_labels), (n_batch * n_words * n_labels,)]
    pairs += [(int(w), int(c)) for w, c in zip(batch.n_words, batch.n_labels, strict=True)]
    assert any((*pair, 4 * size) in shapes.seen for pair in pairs)
    assert not any((*pair, 3 * size) in shapes.seen for pair in pairs)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_recurrence_is_that_of_packed_sequences(layers):
    torch.manual_seed(1)
    config = ModelConfig(
        encoder={
            "model_type": "bert",
            "vocab_size": 9,
            "hidden_size": H,
            "num_hidden_layers": 0,
            "num_attention_heads": 2,
            "intermediate_size": 4,
        },
        hidden_size=H,
        lstm_layers=layers,
    )
    network = Network(config).eval()
    words, lengths = torch.randn(4, 9, H), torch.tensor([9, 1, 5, 7])
    packed = nn.utils.rnn.pack_padded_sequence(
        words, lengths, batch_first=True, enforce_sorted=False
    )
    with torch.inference_mode():
        wanted, _ = nn.utils.rnn.pad_packed_sequence(network.lstm(packed)[0], batch_first=True)
        ours = network._recur(words, lengths)
    for b, length in enumerate(lengths):
        assert torch.allclose(ours[b, :length], wanted[b, :length], atol=1e-6)


def test_span_scores_are_dot_products_of_span_and_label():
    torch.manual_seed(2)
    scorer = SpanScorer(H, 3).eval()
    words, labels = torch.randn(2, 5, H), torch.randn(2, 4, H)
    with torch.inference_mode():
        found = scorer(words, labels)
        assert found.shape == (2, 5, 3, 4)
        starts, ends, asked = scorer.start(words), scorer.end(words), scorer.label(labels)
        for i in range(5):
            for k in range(min(3, 5 - i)):
                both = torch.relu(torch.cat((starts[:, i], ends[:, i + k]), dim=-1))
                wanted = (scorer.out(both)[:, None] * asked).sum(dim=-1)
                assert torch.allclose(found[:, i, k], wanted, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "deberta-v2"])
@pytest.mark.parametrize("architecture", ["token", "span"])
def test_padding_changes_no_score(make_model, make_batch, kind, architecture):
    from spanwise.model.network import TensorBatch

    model = make_model(kind, architecture=architecture)
    batch = make_batch(model)
    with torch.inference_mode():
        together = model.network(batch)
        for b in range(3):
            n_tokens, n_words = int(batch.mask[b].sum()), int(batch.n_words[b])
            n_labels = int(batch.n_labels[b])
            alone = TensorBatch(
                batch.ids[b : b + 1, :n_tokens],
                batch.mask[b : b + 1, :n_tokens],
                batch.word_positions[b : b + 1, :n_words],
                batch.n_words[b : b + 1],
                batch.label_positions[b : b + 1, :n_labels],
                batch.n_labels[b : b + 1],
            )
            wanted = model.network(alone)[0]
            if architecture == "token":
                assert torch.allclose(together[b, :n_words, :n_labels], wanted, atol=1e-4)
            else:
                for k in range(min(wanted.shape[1], n_words)):
                    real = n_words - k
                    assert torch.allclose(
                        together[b, :real, k, :n_labels], wanted[:real, k], atol=1e-4
                    )


def test_an_encoder_that_is_not_known_is_refused():
    with pytest.raises(UnsupportedError, match="'brain' is not known"):
        Network(ModelConfig(encoder={"model_type": "brain"}, hidden_size=8))


def test_an_odd_width_cannot_have_an_lstm(make_model):
    encoder = make_model("bert").config.encoder
    with pytest.raises(ConfigError, match="hidden_size must be even"):
        Network(ModelConfig(encoder=encoder, hidden_size=9))
    assert Network(ModelConfig(encoder=encoder, hidden_size=9, lstm_layers=0)).lstm is None


def test_the_loss_is_the_papers_weighted_sum():
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    targets, mask = torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    p = torch.sigmoid(logits[0])
    wanted = -0.75 * p[0].log() - 0.25 * (1 - p[1]).log()
    assert torch.allclose(focal_loss(logits, targets, mask), wanted)
    plain = -p[0].log() - (1 - p[1]).log()
    assert torch.allclose(focal_loss(logits, targets, mask, alpha=-1), plain)
    focal = -0.75 * (1 - p[0]) ** 2 * p[0].log() - 0.25 * p[1] ** 2 * (1 - p[1]).log()
    assert torch.allclose(focal_loss(logits, targets, mask, gamma=2), focal)


def test_smoothing_pulls_targets_towards_one_half():
    logits, ones = torch.tensor([3.0]), torch.ones(1)
    p = torch.sigmoid(logits[0])
    wanted = -(0.9 * p.log() + 0.1 * (1 - p).log())
    assert torch.allclose(focal_loss(logits, ones, ones, alpha=-1, smoothing=0.2), wanted)

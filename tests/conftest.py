"""What tests share: a real tokenizer and two-layer models with random weights, built in code."""

from __future__ import annotations

import os
import string
from functools import cache
from typing import Any

import pytest
from hypothesis import settings

from spanwise.config import ModelConfig

# How long an example takes says how busy the machine is; every run draws the same examples.
settings.register_profile("spanwise", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("spanwise")

os.environ.setdefault("OMP_NUM_THREADS", "1")  # models this small only lose by more

WORDS = (
    "Ada Lovelace met Charles Babbage in London and Paris on June first for the a of to was it "
    "person city date place name label thing answer summary match who where what is she he they "
    "wrote engine program work works founded <> sub ##s ##ing ##ed ##er ##ton ##ance"
)

TEXT = (
    "Ada Lovelace met Charles Babbage in London. She wrote the first program for it! "
    "Who founded Paris, and where was she in June?"
)


@cache
def build_tokenizer():
    """Return a WordPiece tokenizer that knows a few words, all ASCII letters and little else."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = string.ascii_letters + string.digits + string.punctuation + "éüßñ“”’…京都日本東"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    vocabulary += [f"##{letter}" for letter in letters] + WORDS.split()
    ids = {token: i for i, token in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    # clean_text drops zero-width characters: such a word has no sub-word at all
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=False, strip_accents=False, clean_text=True, handle_chinese_chars=True
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in ("[FLERT]", "<<ENT>>", "<<SEP>>")]
    )
    return tokenizer


def fresh_tokenizer():
    """Return a copy that a test may change."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(build_tokenizer().to_str())


def encoder_config(kind: str) -> dict[str, Any]:
    """Return the configuration of a two-layer encoder of width 32."""
    common = {
        "model_type": kind,
        "vocab_size": build_tokenizer().get_vocab_size(),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 96,
        "pad_token_id": 0,
    }
    if kind == "deberta-v2":
        common |= {
            "relative_attention": True,
            "position_buckets": 16,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "max_relative_positions": -1,
            "type_vocab_size": 0,
        }
    return common


def build_model(kind: str = "bert", *, seed: int = 0, context: bool = True, **overrides: Any):
    """Return a model with random weights under which about a third of the words begin a span.

    Without `context` it has no layers, positions and LSTM, so it reads each word by itself, and
    thousands at once. `overrides` are fields of the configuration.
    """
    import torch

    from spanwise.model.checkpoint import Model
    from spanwise.model.network import Network

    encoder = encoder_config(kind) | overrides.pop("encoder", {})
    if not context:
        encoder |= {"num_hidden_layers": 0, "max_position_embeddings": 4096}
        overrides |= {"max_positions": 4096, "max_words": 4000, "lstm_layers": 0}
    settings = {
        "hidden_size": 16,
        "max_words": 60,
        "max_positions": 96 if kind == "bert" else None,
        "max_labels": 8,
        "max_width": 5,
        **overrides,
    }
    config = ModelConfig(encoder=encoder, **settings)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Network(config).eval()
        with torch.no_grad():
            for name, weight in network.named_parameters():
                if "LayerNorm" not in name and weight.dim() > 1:
                    # random weights of the usual size lose all differences on the way up
                    weight.mul_(8 if "embeddings" in name else 3)
                if "position_embeddings" in name and not context:
                    weight.zero_()
    model = Model(network, fresh_tokenizer())
    _spread(model)
    return model


def _spread(model) -> None:
    """Scale the scorer's last layer so that about a third of the words begin a span."""
    import torch

    from spanwise.flow import words
    from spanwise.flow.encode import Encoder
    from spanwise.model.network import TensorBatch

    encoder = Encoder(model.tokenizer, model.config)
    splitter = words.splitter("regex")
    (pieces,) = encoder.words([words.split(TEXT, splitter).surfaces()])
    batch = encoder.collate([encoder.encode(["person", "city"], encoder.instruction(()), pieces)])
    scorer = model.network.scorer
    with torch.no_grad():
        logits = model.network(TensorBatch.of(batch))
        if model.config.architecture == "token":
            shift, scale = logits.mean(dim=(0, 1, 2)), 2 / logits.std(dim=(0, 1, 2))
            scorer.out.weight.mul_(scale[:, None])
            wanted = torch.tensor([-0.5, -0.5, 0.8])
            scorer.out.bias.copy_((scorer.out.bias - shift) * scale + wanted)
        else:
            scorer.label[3].weight.mul_(3 / logits.std())
            scorer.label[3].bias.mul_(3 / logits.std())


def build_extractor(kind: str = "bert", **overrides: Any):
    """Return an extractor of `build_model`."""
    from spanwise.backend.pytorch import PyTorchBackend
    from spanwise.extractor import Extractor

    return Extractor(PyTorchBackend(build_model(kind, **overrides)))


class Scripted:
    """A backend that marks the surfaces that `table` gives for a label, wherever the words stand.

    `table` maps a label as the model reads it to {surface: probability}. `passes` are the labels
    and words of every pass, as they were read.
    """

    name = "scripted"
    batch_tokens = 4096
    pads = True

    def __init__(self, table, **config):
        import tokenizers

        letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
        self.table = table
        self.passes = []
        self.n_batches = 0
        self.config = ModelConfig(
            encoder={"model_type": "none"}, hidden_size=1, **({"max_words": 200} | config)
        )
        self.tokenizer = tokenizers.Tokenizer(
            tokenizers.models.BPE({c: i for i, c in enumerate(letters)}, [])
        )
        self.tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(
            add_prefix_space=False, use_regex=False
        )
        self.tokenizer.decoder = tokenizers.decoders.ByteLevel()
        self.tokenizer.post_processor = tokenizers.processors.ByteLevel(trim_offsets=False)
        self.tokenizer.add_special_tokens(
            [
                tokenizers.AddedToken(t, special=True, normalized=False)
                for t in ("<<ENT>>", "<<SEP>>")
            ]
        )

    def score(self, batch):
        """Return logits that mark the table's surfaces."""
        import numpy as np

        self.n_batches += 1
        n, w = batch.word_positions.shape
        logits = np.full((n, w, batch.label_positions.shape[1], 3), -9.0, dtype=np.float32)
        for row in range(n):
            words, labels = self.read(batch, row)
            self.passes.append((labels, words))
            for c, label in enumerate(labels):
                for surface, probability in self.table.get(label, {}).items():
                    self.mark(logits[row, :, c], words, surface, probability)
        return logits

    def read(self, batch, row):
        """Return the words and labels of an item, from its ids."""

        import numpy as np

        def text(start, stop):
            return self.tokenizer.decode(batch.ids[row, start:stop].tolist())

        starts = batch.word_positions[row, : batch.n_words[row]].tolist()
        stops = [*starts[1:], int(batch.mask[row].sum())]
        words = [text(i, j) for i, j in zip(starts, stops, strict=True)]
        begins = (batch.label_positions[row, : batch.n_labels[row]] + 1).tolist()
        separator = self.tokenizer.token_to_id("<<SEP>>")
        end = int(np.flatnonzero(batch.ids[row] == separator)[0])
        ends = [*(begin - 1 for begin in begins[1:]), end]
        return words, [text(i, j) for i, j in zip(begins, ends, strict=True)]

    def mark(self, logits, words, surface, probability):
        import numpy as np

        wanted = surface.split()
        logit = np.log(probability / (1 - probability))
        for i in range(len(words) - len(wanted) + 1):
            if words[i : i + len(wanted)] == wanted:
                j = i + len(wanted) - 1
                logits[i, 0] = logits[j, 1] = logit
                logits[i : j + 1, 2] = logit


@pytest.fixture(scope="session")
def tokenizer():
    return build_tokenizer()


@pytest.fixture(scope="session")
def make_model():
    """Return a model by encoder and settings; each is built once and must not be changed."""
    return cache(build_model)


@pytest.fixture(scope="session")
def make_extractor():
    """Return an extractor by encoder and settings, made when first asked for."""
    return cache(build_extractor)


@pytest.fixture(scope="session")
def extractor(make_extractor):
    return make_extractor()


@pytest.fixture(scope="session")
def text():
    return TEXT


@pytest.fixture(scope="session")
def model_folder(make_model, tmp_path_factory):
    """Return a folder of ours; not to be changed."""
    from spanwise.model import write_model

    return write_model(make_model("bert"), tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def gliner_folder(make_model, tmp_path_factory):
    """Return the same model in GLiNER's format; not to be changed."""
    from spanwise.model import write_model

    folder = tmp_path_factory.mktemp("models") / "tiny-gliner"
    return write_model(make_model("bert"), folder, form="gliner")


@pytest.fixture
def scripted():
    """Return a function: table, config -> extractor whose backend tells what it read."""

    from spanwise.extractor import Extractor

    def make(table, **config):
        return Extractor(Scripted(table, **config))

    return make

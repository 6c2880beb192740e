"""A tiny real model: two layers, a word-piece tokenizer of a few hundred words, and data for it."""

import json
import os

import pytest

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from spanwise.config import ModelConfig
from spanwise.data import GoldSpan, Record
from spanwise.data.sampling import Passes
from spanwise.model import checkpoint
from spanwise.model.checkpoint import Model
from spanwise.model.network import Network
from spanwise.training.config import of
from spanwise.training.examples import examples
from spanwise.training.loop import Trainer

NAMES = ["Ada", "Bob", "Cyd", "Dan", "Eve", "Fay", "Gus", "Hal"]
CITIES = ["Rome", "Oslo", "Bern", "Kyiv", "Lima", "Riga", "Bonn", "Cork"]
FRAMES = [
    "{} lives in {} .",
    "In {1} , {0} slept .",
    "Why did {} leave {} ?",
    "{1} was dull before {0} came .",
]


def tokenizer():
    words = {w.lower() for frame in FRAMES for w in frame.split()} | {"person", "city", "date"}
    words |= {w.lower() for w in NAMES + CITIES} | set("abcdefghijklmnopqrstuvwxyz.,?<>")
    words |= {"who", "where", "answer", "match", "summary"}
    words |= {f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"}
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<<ENT>>", "<<SEP>>"]
    vocabulary = {w: n for n, w in enumerate(special + sorted(words))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(special)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def _tiny_model(seed=0):
    torch.manual_seed(seed)
    tokens = tokenizer()
    encoder = {
        "model_type": "bert",
        "vocab_size": tokens.get_vocab_size(),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 128,
    }
    # The label's vector is taken at the label itself, which random weights can tell apart.
    config = ModelConfig(
        encoder=encoder, hidden_size=32, max_positions=128, embed_label_token=False
    )
    return Model(Network(config, attention="eager").eval(), tokens)


def _sentences(n, *, labels=("city", "date", "person")):
    made = []
    for i in range(n):
        name, city = NAMES[i % 8], CITIES[(i * 3 + i // 8) % 8]
        text = FRAMES[i % 4].format(name, city)
        at, there = text.index(name), text.index(city)
        spans = (
            GoldSpan(at, at + len(name), "person"),
            GoldSpan(there, there + len(city), "city"),
        )
        made.append(Record(text=text, spans=spans, labels=labels, id=f"s{i}"))
    return made


@pytest.fixture
def tiny_model():
    return _tiny_model


@pytest.fixture
def sentences():
    return _sentences


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "model"
    checkpoint.save(_tiny_model(), folder)
    return folder


@pytest.fixture
def own_file(tmp_path):
    path = tmp_path / "train.jsonl"
    rows = [
        {"text": r.text, "entities": [[s.start, s.end, s.label] for s in r.spans]}
        for r in _sentences(20)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def settings(tmp_path):
    """Settings of a small run on the CPU; changes by keyword."""

    def make(**changes):
        base = {
            "train": "records",
            "output": str(tmp_path / "run"),
            "device": "cpu",
            "dev_share": 0.0,
            "threads": 1,
            "optim": {"lr_encoder": 1e-3, "lr_rest": 1e-2, "warmup": 0.1},
        }
        if "optim" in changes:
            base["optim"].update(changes.pop("optim"))
        if not {"epochs", "minutes", "steps"} & changes.keys():
            base["steps"] = 20
        return of({**base, **changes})

    return make


@pytest.fixture
def build(tiny_model, sentences, settings):
    """A trainer on a few sentences; settings by keyword."""

    def make(n=16, *, evaluate=None, **changes):
        config = settings(**changes)
        found = examples(config, train=sentences(n))
        draw = Passes(found.train, config=config.sampling, seed=config.seed)
        return Trainer(tiny_model(), draw, config, evaluate=evaluate)

    return make


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

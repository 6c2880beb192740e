"""A run on a data folder: a few passages to train on, a few benchmark items to measure on."""

import gzip
import json

import pytest

from spanwise.errors import ConfigError, DataError, MissingFileError
from spanwise.model import start
from spanwise.training import log, run
from spanwise.training.config import of

PASSAGE = {
    "id": "P1",
    "source": "authored",
    "domain": "cities",
    "text": "Ada left York for New York. York is old; she liked the old mill. Ada wrote.",
    "entities": [["Ada", "novelist", "person"], ["New York", "metropolis", "location"]],
    "relations": [["Ada", "left", "York"], ["Ada", "moved to", "New York"]],
    "qa": [["Which city is old?", "York"], ["Who painted?", ""]],
    "open": [["Find what she liked", ["the old mill"]], ["Find prices", []]],
    "keyphrases": ["New York"],
    "summary": ["Ada left York for New York."],
    "sentiment": [["liked the old mill", "positive"]],
}
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Rome",
            "paragraphs": [
                {
                    "context": "Rome is old.",
                    "qas": [
                        {
                            "id": "1",
                            "question": "What is old?",
                            "answers": [{"text": "Rome", "answer_start": 0}],
                            "is_impossible": False,
                        },
                        {"id": "2", "question": "Who?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}
FEWREL = {
    "P1": [
        {"tokens": ["Bob", "plays", "chess"], "h": ["bob", "Q", [[0]]], "t": ["chess", "Q", [[2]]]}
    ]
}


@pytest.fixture
def data_folder(tmp_path):
    folder = tmp_path / "data"
    files = {
        "dev/crossner/ai/dev.txt": "Alan\tB-researcher\nwrote\tO\nProlog\tB-programlang\n",
        "dev/squad/dev-v2.0.json": json.dumps(SQUAD),
        "dev/fewrel/val_wiki.json": json.dumps(FEWREL),
        "dev/fewrel/pid2name.json": json.dumps({"P1": ["plays", ""]}),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "synthetic").mkdir()
    passages = gzip.compress((json.dumps(PASSAGE) + "\n").encode())
    (folder / "synthetic" / "passages.jsonl.gz").write_bytes(passages)
    return folder


@pytest.fixture
def public(data_folder, model_folder, tmp_path):
    def make(**changes):
        base = {
            "data": str(data_folder),
            "model": str(model_folder),
            "output": str(tmp_path / "run"),
            "device": "cpu",
            "threads": 1,
            "steps": 4,
            "batch_examples": 4,
            "eval_every": 2,
            "weights": {
                "synthetic_entities": 2,
                "synthetic_relations": 1,
                "synthetic_answers": 1,
                "synthetic_summary": 1,
                "synthetic_open": 1,
                "synthetic_key_phrases": 1,
                "synthetic_sentiment": 1,
            },
        }
        return of({**base, **changes})

    return make


def test_every_task_is_trained_and_the_benchmarks_are_measured(public):
    trainer = run.trainer(public())
    drawn = {trainer.sampler(i).task for i in range(100)}
    assert len(drawn) == 7
    trainer.run()
    scores = [line for line in log.read(trainer.folder) if "dev" in line]
    assert [line["step"] for line in scores] == [2, 4]
    names = {"crossner_f1", "squad_answerable_f1", "squad_unanswerable", "fewrel_exact"}
    assert names < scores[0].keys()
    assert all(0 <= scores[0][name] <= 1 for name in names)


def test_a_run_on_an_encoder_gives_it_a_fresh_head(public, tmp_path, tiny_model):
    model = tiny_model()
    encoder = tmp_path / "encoder"
    model.network.encoder.save_pretrained(encoder)
    model.tokenizer.save(str(encoder / "tokenizer.json"))
    config = public(model="", encoder=str(encoder), hidden_size=16, steps=1, max_labels=9)
    trainer = run.trainer(config)
    assert trainer.model.config.hidden_size == 16
    assert trainer.model.config.max_labels == 9
    trainer.run()


def test_an_encoder_with_a_vocabulary_alone_has_its_tokenizer_converted(tmp_path, tiny_model):
    model = tiny_model()
    model.network.encoder.save_pretrained(tmp_path)
    vocabulary = model.tokenizer.get_vocab()
    words = sorted((word for word in vocabulary if word[:2] != "<<"), key=vocabulary.get)
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n")
    made = start.from_encoder(tmp_path)
    assert made.tokenizer.encode("ada lives").tokens == ["[CLS]", "ada", "lives", "[SEP]"]
    assert made.tokenizer.token_to_id("<<ENT>>") is not None
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(MissingFileError, match=r"put its tokenizer\.json there"):
        start.from_encoder(tmp_path)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"synthetic_entitie": 1}, "did you mean 'synthetic_entities'"),
        ({}, "name at least one set"),
        ({"synthetic_open": 0}, "name at least one set"),
    ],
)
def test_weights_name_sets(public, weights, message):
    with pytest.raises(ConfigError, match=message):
        run.trainer(public(weights=weights))


def test_without_data_nothing_runs(public, tmp_path):
    with pytest.raises(ConfigError, match="there is no data to train on"):
        run.trainer(public(data=""))
    with pytest.raises(DataError, match="holds none of"):
        run.trainer(public(data=str(tmp_path)))

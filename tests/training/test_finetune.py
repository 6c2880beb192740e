"""From one's own file to a model that is loaded: the command, the function, and what is refused."""

import json

import pytest

import spanwise
from spanwise.cli import main
from spanwise.data import GoldSpan, Record
from spanwise.errors import ConfigError, DataError
from spanwise.training.config import of
from spanwise.training.examples import examples


@pytest.fixture
def quick():
    return {
        "epochs": 40,
        "device": "cpu",
        "threads": 1,
        "dev_share": 0.0,
        "optim": {"lr_encoder": 1e-3, "lr_rest": 1e-2},
    }


def test_twenty_examples_through_the_command(own_file, model_folder, tmp_path, capsys):
    settings = tmp_path / "my.toml"
    settings.write_text(
        f'train = "{own_file}"\nmodel = "{model_folder}"\noutput = "{tmp_path / "mine"}"\n'
        'device = "cpu"\nthreads = 1\nepochs = 40\ndev_share = 0.2\n'
        "[optim]\nlr_encoder = 1e-3\nlr_rest = 1e-2\n"
    )
    assert main(["train", str(settings), "--check"]) == 0
    shown = capsys.readouterr().out
    assert "20 records, 40 spans, 0 findings" in shown
    assert "labels: city 16, person 16" in shown
    assert not (tmp_path / "mine").exists()
    assert main(["train", str(settings), "--set", "sampling.drop_labels=0"]) == 0
    out, err = capsys.readouterr()
    assert "f1" in err
    assert "spanwise.load" in out
    assert (tmp_path / "mine" / "training.png").read_bytes().startswith(b"\x89PNG")
    entities = spanwise.load(tmp_path / "mine").entities("Ada lives in Rome .", ["person", "city"])
    assert [(x.text, x.label) for x in entities] == [("Ada", "person"), ("Rome", "city")]
    assert main(["train", str(settings)]) == 2
    assert "holds a finished model" in capsys.readouterr().err


def test_the_finished_model_reads_as_the_settings_say_and_else_as_its_start(
    sentences, model_folder, tmp_path
):
    before = spanwise.load(model_folder).config
    once = {"epochs": 0, "steps": 1, "device": "cpu", "dev_share": 0.0}
    reading = {"policy": "edges", "reread": ["answer"], "thresholds": {"person": 0.4}}
    same, other = (
        spanwise.train(sentences(4), model=model_folder, output=tmp_path / name, settings=settings)
        for name, settings in [("same", once), ("other", once | {"reading": reading})]
    )
    assert same.config == before
    after = other.config
    assert (after.policy, after.reread, after.thresholds) == ("edges", ("answer",), {"person": 0.4})
    assert after.hidden_size == before.hidden_size


def test_a_misspelt_setting_is_one_line_and_status_2(own_file, capsys):
    assert main(["train", "--train", str(own_file), "--set", "optim.lr_encode=1"]) == 2
    error = capsys.readouterr().err
    assert "did you mean 'lr_encoder'" in error
    assert error.count("\n") == 1


def test_records_through_the_function(sentences, model_folder, tmp_path, quick):
    seen = []
    model = spanwise.train(
        sentences(16),
        model=model_folder,
        output=tmp_path / "mine",
        dev=[Record(text="Ada slept .", spans=(GoldSpan(0, 3, "person"),))],
        settings={k: v for k, v in quick.items() if k != "dev_share"},
        report=seen.append,
    )
    assert [x.text for x in model.entities("Bob lives in Oslo .", ["person"])] == ["Bob"]
    assert seen[-1]["f1"] == 1.0
    assert seen[-1]["share"] == 1.0


def test_an_upstream_checkpoint_can_be_tuned(sentences, tiny_model, tmp_path, quick):
    from spanwise.model import upstream

    upstream.save(tiny_model(), tmp_path / "theirs")
    model = spanwise.train(
        sentences(8),
        model=tmp_path / "theirs",
        output=tmp_path / "mine",
        settings={**quick, "epochs": 1},
    )
    assert model.config.source == "spanwise"


def test_questions_and_relations_are_examples_too(model_folder, tmp_path, quick):
    text = "Ada lives in Rome ."
    records = [
        Record(
            text=text, spans=(GoldSpan(13, 17, "answer"),), task="answers", instruction="where ?"
        ),
        Record(text=text, spans=(), task="answers", instruction="who slept ?"),
        Record(text=text, spans=(GoldSpan(13, 17, "Ada <> lives in"),), task="relations"),
        Record(text=text, spans=(GoldSpan(0, 3, "person"),)),
    ]
    seen = []
    spanwise.train(
        records,
        dev=[Record(text="Bob slept .", spans=(GoldSpan(0, 3, "person"),))],
        model=model_folder,
        output=tmp_path / "mine",
        settings={"epochs": 2, "device": "cpu", "threads": 1},
        report=seen.append,
    )
    assert "f1" in seen[-1]


def test_a_setting_given_twice_is_refused(own_file, tmp_path):
    with pytest.raises(ConfigError, match="output is given twice"):
        spanwise.train(own_file, output=tmp_path / "a", settings={"output": "b"})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "holds no records"),
        ([{"text": "Ada", "spans": [[0, 9, "person"]]}], "span 0:9 .'person'. is empty or outside"),
        ([{"text": "Ada", "spans": [], "labls": []}], "unknown key 'labls'"),
        ([{"text": "Ada", "spans": []}], "none of the 1 records has a span"),
        ([{"text": "Ada", "spans": [[0, 3, " "]]}], "a label is empty"),
    ],
)
def test_bad_examples_are_refused_before_anything_is_made(rows, message, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=message):
        spanwise.train(path, output=tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_the_report_says_what_looks_wrong(sentences):
    records = [*sentences(8), sentences(1)[0]]
    records.append(Record(text="Oslo", spans=(GoldSpan(0, 4, "City"),), id="odd"))
    dev = [sentences(1)[0], Record(text="Eve", spans=(GoldSpan(0, 3, "name"),))]
    found = examples(of({"train": "records", "dev": "records"}), train=records, dev=dev)
    shown = str(found)
    assert "1 dev records are in the training data too" in shown
    assert "fewer than 5 spans: City, date" in shown
    assert "differ in case only: city" in shown
    assert "in dev, never in training: name" in shown
    assert "1 records stand there more than once" in shown


def test_no_text_is_both_trained_and_measured_on(sentences):
    found = examples(of({"train": "records", "dev_share": 0.3}), train=sentences(40))
    train, dev = ({r.text for s in part for r in s.records} for part in (found.train, found.dev))
    assert not train & dev
    assert len(dev) == round(0.3 * len(train | dev))

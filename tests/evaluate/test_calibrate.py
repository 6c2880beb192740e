"""Calibration finds the thresholds that scores were made for, and is used when loading."""

import json
import math

import pytest

from spanwise import calibration
from spanwise.calibration import Calibration
from spanwise.cli import main
from spanwise.data.records import GoldSpan, Record
from spanwise.errors import ConfigError, DataError
from spanwise.evaluate.calibrate import THRESHOLDS, fit
from spanwise.loading import load

TEXT = "Ada met Bob in Rome and Oslo ."


def record(marked, labels=("person", "city"), **more):
    spans = tuple(
        GoldSpan(TEXT.find(words), TEXT.find(words) + len(words), label) for words, label in marked
    )
    return Record(text=TEXT, spans=spans, labels=labels, **more)


GOLD = record([("Ada", "person"), ("Rome", "city"), ("Oslo", "city")])


def test_a_threshold_lies_between_right_and_wrong_spans(scripted):
    table = {"person": {"Ada": 0.4, "met": 0.22}, "city": {"Rome": 0.9, "Oslo": 0.85, "Bob": 0.62}}
    found = fit(scripted(table).backend, [GOLD] * 5, temperature=False)
    chosen = {each.label: each for each in found.labels}
    assert 0.25 <= chosen["person"].threshold < 0.4
    assert 0.65 <= chosen["city"].threshold < 0.85
    assert (chosen["person"].f1_before, chosen["person"].f1) == (0, 1)
    assert chosen["city"].f1 == 1 > chosen["city"].f1_before
    assert found.calibration.temperature == 1


def test_the_model_reads_every_record_once(scripted):
    extractor = scripted({"person": {"Ada": 0.6, "Bob": 0.6}})
    fit(extractor.backend, [GOLD] * 5)
    assert len(extractor.backend.passes) == 5


def test_a_temperature_makes_scores_honest(scripted):
    sure = {"person": {"Ada": 0.98, "Bob": 0.98}}  # half of them wrong
    found = fit(scripted(sure).backend, [GOLD] * 5)
    assert found.calibration.temperature > 2
    assert found.ece < found.ece_before


def test_labels_with_few_spans_are_left_out_and_said(scripted):
    found = fit(scripted({}).backend, [GOLD] * 2)
    assert found.calibration.thresholds == {}
    assert found.left_out == ("person", "city")
    assert fit(scripted({}).backend, [GOLD] * 2, least=2).calibration.thresholds.keys() == {
        "person",
        "city",
    }
    with pytest.raises(DataError, match="labelled records"):
        fit(scripted({}).backend, [])


def test_relations_are_calibrated_by_the_relations_name(scripted):
    label = "Ada <> met"
    records = [record([("Bob", label)], (label,), task="relations")] * 5
    found = fit(scripted({label: {"Bob": 0.4, "Rome": 0.3}}).backend, records, temperature=False)
    assert found.calibration.thresholds == {"met": 0.35}


def test_the_thresholds_come_from_the_grid(scripted):
    backend = scripted({"person": {"Ada": 0.98, "Bob": 0.7}}).backend
    found = fit(backend, [GOLD] * 5, temperature=False)
    assert all(each.threshold in THRESHOLDS for each in found.labels)
    with_temperature = fit(scripted({"person": {"Ada": 0.98, "Bob": 0.9}}).backend, [GOLD] * 5)
    assert with_temperature.calibration.temperature > 1
    (person,) = (each for each in with_temperature.labels if each.label == "person")
    assert person.f1 == 1


def test_a_calibration_is_used_whenever_the_model_is_loaded(make_model, tmp_path, capsys):
    from spanwise.model import write_model

    folder = write_model(make_model("bert"), tmp_path / "m")
    data = tmp_path / "gold.jsonl"
    text = "Ada Lovelace met Charles Babbage in London"
    spans = [{"start": 0, "end": 12, "label": "person"}, {"start": 36, "end": 42, "label": "city"}]
    data.write_text("".join(json.dumps({"text": text, "spans": spans}) + "\n" for _ in range(6)))
    arguments = ["calibrate", str(data), "--model", str(folder), "--backend", "pytorch"]
    assert main([*arguments, "--dry-run"]) == 0
    assert not calibration.place(folder).exists()
    assert main(arguments) == 0
    assert "temperature" in capsys.readouterr().out
    kept = calibration.read(folder)
    assert kept.thresholds.keys() == {"person", "city"}
    extractor = load(folder, backend="pytorch")
    assert extractor.config.thresholds == kept.thresholds
    assert extractor.config.temperature == kept.temperature
    found = extractor.entities(text, ["person", "city"])
    assert found == extractor.entities(text, ["person", "city"], threshold=kept.thresholds)


def test_a_broken_calibration_is_refused(tmp_path):
    path = calibration.place(tmp_path)
    for content, message in (
        ("{", "is no JSON"),
        ("[]", "not an object"),
        ('{"treshold": 1}', "did you mean"),
        ('{"thresholds": {"a": 3}}', "must be in 0..1"),
        ('{"temperature": 0.0}', "above 0"),
    ):
        path.write_text(content)
        with pytest.raises(ConfigError, match=message):
            calibration.read(tmp_path)
    assert calibration.place(tmp_path / "model.onnx").name == "model.calibration.json"


def test_a_calibration_goes_over_the_models_own():
    from spanwise.config import ModelConfig

    config = ModelConfig(encoder={}, hidden_size=1, thresholds={"a": 0.1, "b": 0.2})
    made = Calibration(thresholds={"a": 0.3}, temperature=2.0).of(config)
    assert made.thresholds == {"a": 0.3, "b": 0.2}
    assert math.isclose(made.temperature, 2)

"""Our folders are read strictly and come back as they were written."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from spanwise.errors import CheckpointError, ConfigError, MissingFileError, TensorError
from spanwise.model import checkpoint, read_model


@pytest.fixture
def folder(model_folder, tmp_path):
    """Return a copy of a model's folder that a test may damage."""
    return shutil.copytree(model_folder, tmp_path / "model")


def edit(folder, **changes):
    path = folder / "spanwise.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


def edit_tensors(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def logits(model, make_batch):
    with torch.inference_mode():
        return model.network(make_batch(model))


@pytest.mark.parametrize("architecture", ["token", "span"])
@pytest.mark.parametrize("kind", ["bert", "deberta-v2"])
def test_a_saved_model_is_the_same_model(make_model, make_batch, tmp_path, kind, architecture):
    model = make_model(kind, architecture=architecture)
    checkpoint.save(model, tmp_path / "saved")
    again = checkpoint.load(tmp_path / "saved")
    assert again.config == model.config
    assert again.tokenizer.to_str() == model.tokenizer.to_str()
    assert not again.network.training
    assert torch.equal(logits(again, make_batch), logits(model, make_batch))


def test_calibration_is_kept(make_model, tmp_path):
    import dataclasses

    from spanwise.model.checkpoint import Model

    model = make_model("bert")
    network = read_model(checkpoint.save(model, tmp_path / "a")).network
    network.config = dataclasses.replace(
        model.config, thresholds={"person": 0.4}, temperature=1.5, policy="min", source="here"
    )
    saved = checkpoint.save(Model(network, model.tokenizer), tmp_path / "b")
    assert checkpoint.load(saved).config == network.config


def test_saving_replaces_a_model_whole_or_not_at_all(make_model, folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*arguments, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(make_model("bert", architecture="span"), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "spanwise.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(MissingFileError, match=name):
        read_model(folder)


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere.spanwise\.json does not exist"):
        read_model(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": "16"}, r"hidden_size must be of type int, got '16' \(str\)"),
        ({"lowercase": 1}, "lowercase must be of type bool"),
        ({"max_words": True}, "max_words must be of type int"),
        ({"architecture": "tokens"}, "architecture must be one of 'token', 'span'"),
        ({"thresholds": {"a": "b"}}, r"thresholds\.a must be of type float"),
        ({"hiden_size": 4}, "did you mean 'hidden_size'"),
        ({"max_labels": 0}, "max_labels must be at least 1"),
        ({"temperature": 0}, "temperature must be above 0"),
    ],
)
def test_a_wrong_configuration_names_file_and_key(folder, changes, message):
    edit(folder, **changes)
    with pytest.raises(ConfigError, match=message) as caught:
        read_model(folder)
    assert "spanwise.json" in str(caught.value)


def test_a_newer_format_is_refused(folder):
    edit(folder, format=2)
    with pytest.raises(CheckpointError, match="format 2, this version of spanwise reads 1"):
        read_model(folder)


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_configuration_that_is_no_json_object_is_refused(folder, content):
    (folder / "spanwise.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"spanwise\.json (is no JSON|must hold)"):
        read_model(folder)


def test_a_missing_tensor_is_named(folder):
    edit_tensors(folder, lambda tensors: tensors.pop("scorer.out.weight"))
    with pytest.raises(TensorError, match=r"missing scorer\.out\.weight"):
        read_model(folder)


def test_an_unexpected_tensor_is_named(folder):
    edit_tensors(folder, lambda tensors: tensors.update(extra=torch.zeros(1)))
    with pytest.raises(TensorError, match="unexpected extra"):
        read_model(folder)


def test_a_misshapen_tensor_is_named_with_both_shapes(folder):
    edit_tensors(folder, lambda tensors: tensors.update({"scorer.out.bias": torch.zeros(4)}))
    with pytest.raises(TensorError, match=r"scorer\.out\.bias has shape \[4\].*\[3\]"):
        read_model(folder)


def test_many_missing_tensors_are_counted(folder):
    edit(
        folder,
        encoder=json.loads((folder / "spanwise.json").read_text())["encoder"]
        | {"num_hidden_layers": 9},
    )
    with pytest.raises(TensorError, match=r"missing .* and \d+ more"):
        read_model(folder)


def test_weights_that_are_cut_short_are_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cut short"):
        read_model(folder)


def test_a_damaged_tokenizer_is_refused(folder):
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
        read_model(folder)

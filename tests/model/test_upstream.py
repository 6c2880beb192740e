"""GLiNER's folders: every form of them is read, ours come back from it, the rest is refused."""

import json
import os
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from spanwise.errors import CheckpointError, MissingFileError, TensorError, UnsupportedError
from spanwise.model import read_model, upstream


@pytest.fixture
def folder(gliner_folder, tmp_path):
    """Return a copy of a checkpoint that a test may change."""
    return shutil.copytree(gliner_folder, tmp_path / "checkpoint")


def edit(folder, drop=(), **changes):
    path = folder / "gliner_config.json"
    stored = json.loads(path.read_text()) | changes
    for key in drop:
        del stored[key]
    path.write_text(json.dumps(stored), encoding="utf-8")


def as_pickle(folder, **change):
    """Store the weights as older checkpoints do."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors | change, folder / "pytorch_model.bin")


def same(one, other, make_batch):
    with torch.inference_mode():
        return torch.equal(one.network(make_batch(one)), other.network(make_batch(other)))


@pytest.mark.parametrize("architecture", ["token", "span"])
@pytest.mark.parametrize("kind", ["bert", "deberta-v2"])
@pytest.mark.parametrize("head", [{"hidden_size": 16}, {"hidden_size": 32}, {"lstm_layers": 0}])
def test_a_model_comes_back_from_their_format(
    make_model, make_batch, tmp_path, kind, architecture, head
):
    model = make_model(kind, architecture=architecture, **head)
    again = upstream.load(upstream.save(model, tmp_path / "saved"))
    for name in ("architecture", "hidden_size", "max_words", "max_positions", "max_labels"):
        assert getattr(again.config, name) == getattr(model.config, name), name
    assert again.config.lstm_layers == model.config.lstm_layers
    assert same(again, model, make_batch)


def test_the_files_are_those_that_gliner_reads(gliner_folder, make_model):
    names = {path.name for path in gliner_folder.iterdir()}
    assert names == {
        "gliner_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    stored = json.loads((gliner_folder / "gliner_config.json").read_text())
    assert stored["span_mode"] == "token_level"
    assert stored["class_token_index"] == make_model("bert").tokenizer.token_to_id("<<ENT>>")
    tensors = load_file(gliner_folder / "model.safetensors")
    assert tensors["scorer.out_mlp.0.weight"].shape == (64, 48)
    assert tensors["rnn.lstm.weight_ih_l0_reverse"].shape == (32, 16)
    assert "token_rep_layer.projection.weight" in tensors


# forms that are out there


def test_pickled_weights_are_read(folder, make_model, make_batch):
    as_pickle(folder)
    assert same(read_model(folder), make_model("bert"), make_batch)


def test_names_left_by_a_compiler_are_stripped(folder, make_model, make_batch):
    tensors = load_file(folder / "model.safetensors")
    save_file({f"_orig_mod.{name}": t for name, t in tensors.items()}, folder / "model.safetensors")
    assert same(read_model(folder), make_model("bert"), make_batch)


def test_tied_tensors_are_found_by_the_files_own_table(folder, make_model, make_batch):
    tensors = load_file(folder / "model.safetensors")
    left_out, kept = "rnn.lstm.bias_hh_l0", "rnn.lstm.bias_ih_l0"
    tensors[kept] = tensors.pop(left_out)
    save_file(tensors, folder / "model.safetensors", metadata={left_out: kept})
    state = read_model(folder).network.state_dict()
    assert torch.equal(state["lstm.bias_hh_l0"], state["lstm.bias_ih_l0"])


def test_older_configurations_leave_keys_out(folder, make_model, make_batch):
    edit(folder, drop=["has_rnn", "num_rnn_layers", "embed_ent_token", "ent_token", "sep_token"])
    assert same(read_model(folder), make_model("bert"), make_batch)


def test_keys_that_mean_nothing_here_are_tolerated(folder, make_model, make_batch, caplog):
    edit(folder, lr_encoder="1e-5", size_sup=-1, dropout=None)
    with caplog.at_level("DEBUG"):
        assert same(read_model(folder), make_model("bert"), make_batch)
    assert "lr_encoder, name, size_sup" in caplog.text.replace("fine_tune, ", "")


def test_an_encoder_beside_the_checkpoint_is_found(folder, make_model, make_batch):
    stored = json.loads((folder / "gliner_config.json").read_text())
    edit(folder, drop=["encoder_config"], model_name="encoder")
    (folder / "encoder").mkdir()
    (folder / "encoder" / "config.json").write_text(json.dumps(stored["encoder_config"]))
    shutil.move(folder / "tokenizer.json", folder / "encoder" / "tokenizer.json")
    assert same(read_model(folder), make_model("bert"), make_batch)


def test_an_encoder_that_is_nowhere_is_asked_for(folder):
    edit(folder, drop=["encoder_config"], model_name="nobody/has-this")
    with pytest.raises(MissingFileError, match=r"put its config\.json into"):
        read_model(folder)


# what is refused


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_type", "gliner_bi_encoder_token"),
        ("model_type", "gliner_uni_encoder_token_relex"),
        ("labels_encoder", "bert-base"),
        ("labels_decoder", "gpt2"),
        ("relations_layer", "biaffine"),
        ("span_mode", "conv_conv"),
        ("subtoken_pooling", "mean"),
        ("words_splitter_type", "spacy"),
        ("fuse_layers", True),
        ("post_fusion_schema", "l2l"),
    ],
)
def test_architectures_that_do_not_run_name_their_key(folder, key, value):
    edit(folder, **{key: value})
    with pytest.raises(UnsupportedError, match=rf"gliner_config\.json: key '{key}' is '?{value}"):
        read_model(folder)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("hidden_size", "512", "int"),
        ("max_len", 12.5, "int"),
        ("max_types", True, "int"),
        ("dropout", "0.1", "int or float"),
        ("encoder_config", [], "dict"),
    ],
)
def test_a_wrong_type_names_its_key(folder, key, value, wanted):
    edit(folder, **{key: value})
    with pytest.raises(CheckpointError, match=f"key '{key}' must be of type {wanted}"):
        read_model(folder)


class Payload:
    """What a tampered pickle does when it is read carelessly."""

    def __reduce__(self):
        return os.mkdir, (os.environ["SPANWISE_TAMPERED"],)


@pytest.mark.parametrize("damage", ["code", "object", "cut short", "no pickle"])
def test_a_tampered_pickle_is_refused_and_never_run(folder, tmp_path, monkeypatch, damage):
    proof = tmp_path / "the-code-ran"
    monkeypatch.setenv("SPANWISE_TAMPERED", str(proof))
    as_pickle(folder, **({"x": Payload()} if damage == "code" else {}))
    path = folder / "pytorch_model.bin"
    if damage == "object":
        path.write_bytes(pickle.dumps(Payload()))
    elif damage == "cut short":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "no pickle":
        path.write_bytes(b"hello")
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin is refused"):
        read_model(folder)
    assert not proof.exists()


def test_a_pickle_of_something_else_is_refused(folder):
    as_pickle(folder, step=7)
    with pytest.raises(CheckpointError, match="must hold a dictionary of tensors"):
        read_model(folder)


def test_missing_unexpected_and_misshapen_tensors_are_named(folder):
    path = folder / "model.safetensors"
    whole = load_file(path)
    save_file({n: t for n, t in whole.items() if n != "scorer.out_mlp.3.bias"}, path)
    with pytest.raises(TensorError, match=r"missing scorer\.out\.bias"):
        read_model(folder)
    save_file(whole | {"rnn.lstm.extra": torch.zeros(1)}, path)
    with pytest.raises(TensorError, match=r"unexpected lstm\.extra"):
        read_model(folder)
    save_file(whole | {"scorer.out_mlp.3.bias": torch.zeros(5)}, path)
    with pytest.raises(TensorError, match=r"scorer\.out\.bias has shape \[5\]"):
        read_model(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(MissingFileError, match=name):
        read_model(folder)


def test_what_their_format_cannot_hold_is_refused(make_model, tmp_path):
    import dataclasses

    from spanwise.model.checkpoint import Model

    model = make_model("bert")
    network = read_model_copy(model, tmp_path)
    for change, message in (
        ({"temperature": 2.0}, "no temperature"),
        ({"splitter": "spaces"}, "no word splitter"),
    ):
        network.config = dataclasses.replace(model.config, **change)
        with pytest.raises(UnsupportedError, match=message):
            upstream.save(Model(network, model.tokenizer), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def read_model_copy(model, tmp_path):
    from spanwise.model import checkpoint

    return checkpoint.load(checkpoint.save(model, tmp_path / "copy")).network

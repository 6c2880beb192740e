"""`spanwise info` describes models without torch; `spanwise convert` rewrites them."""

import json
import shutil

import pytest

from spanwise.cli import main


@pytest.fixture
def spanwise(capsys):
    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


def info(spanwise, path):
    status, out, err = spanwise("info", path, "--json")
    assert status == 0, err
    return json.loads(out)


def n_parameters(model):
    return sum(p.numel() for p in model.network.state_dict().values())


def test_both_formats_are_described_alike(spanwise, make_model, model_folder, gliner_folder):
    ours, theirs = info(spanwise, model_folder), info(spanwise, gliner_folder)
    assert ours["format"] == "spanwise 1"
    assert theirs["format"] == "GLiNER"
    for key in ("architecture", "encoder", "hidden_size", "max_words", "max_labels", "splitter"):
        assert ours[key] == theirs[key], key
    assert ours["encoder"]["layers"] == 2
    assert ours["parameters"] == n_parameters(make_model("bert"))
    assert ours["types"] == ["F32"]
    assert ours["onnx"] == []
    assert set(ours["files"]) == {"model.safetensors", "spanwise.json", "tokenizer.json"}


def test_a_person_reads_it_too(spanwise, model_folder):
    status, out, _ = spanwise("info", model_folder)
    assert status == 0
    assert "max labels" in out
    assert "kind bert" in out


def test_an_exported_file_describes_itself(spanwise, model_folder, tmp_path):
    status, _, err = spanwise("export", model_folder, "--output", tmp_path)
    assert status == 0, err
    (path,) = tmp_path.glob("*.onnx")
    ours = info(spanwise, model_folder)
    for place in (path, tmp_path):
        found = info(spanwise, place)
        assert found["format"] == "ONNX"
        assert found["variant"] == "fp32"
        for key in ("architecture", "encoder", "hidden_size", "max_words", "max_labels"):
            assert found[key] == ours[key], key
        assert found["onnx"] == [path.name]
    path.write_bytes(b"no graph")
    assert spanwise("info", path)[0] == 2


def test_what_is_no_model_is_an_error(spanwise, tmp_path, model_folder):
    assert "neither spanwise.json nor gliner_config.json" in spanwise("info", tmp_path)[2]
    folder = tmp_path / "damaged"
    shutil.copytree(model_folder, folder)
    (folder / "model.safetensors").write_bytes(b"\x00" * 20)
    assert "is cut short" in spanwise("info", folder)[2]
    (folder / "spanwise.json").write_text("[]")
    assert "must hold a JSON object" in spanwise("info", folder)[2]


@pytest.mark.parametrize(("there", "back"), [("gliner", "spanwise"), ("spanwise", "gliner")])
def test_a_model_survives_the_way_there_and_back(
    spanwise, model_folder, gliner_folder, tmp_path, there, back
):
    import torch

    from spanwise.model import read_model

    source = model_folder if there == "gliner" else gliner_folder
    assert spanwise("convert", source, tmp_path / "there", "--to", there)[0] == 0
    assert spanwise("convert", tmp_path / "there", tmp_path / "back", "--to", back)[0] == 0
    first, last = read_model(source), read_model(tmp_path / "back")
    before, after = first.network.state_dict(), last.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert first.tokenizer.to_str() == last.tokenizer.to_str()


@pytest.mark.parametrize("form", ["gliner", "spanwise"])
def test_half_precision_takes_half_the_room(spanwise, model_folder, tmp_path, form):
    assert (
        spanwise("convert", model_folder, tmp_path / "h", "--to", form, "--dtype", "fp16")[0] == 0
    )
    assert info(spanwise, tmp_path / "h")["types"] == ["F16"]
    whole = (model_folder / "model.safetensors").stat().st_size
    assert (tmp_path / "h" / "model.safetensors").stat().st_size < 0.6 * whole


def test_nothing_but_a_model_is_replaced_and_that_only_when_asked(spanwise, model_folder, tmp_path):
    other = tmp_path / "home"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    status, _, err = spanwise("convert", model_folder, other, "--to", "gliner", "--force")
    assert status == 2
    assert "holds other files" in err
    assert (other / "letter.txt").read_text() == "dear"

    target = tmp_path / "model"
    assert spanwise("convert", model_folder, target, "--to", "gliner")[0] == 0
    assert "--force replaces it" in spanwise("convert", model_folder, target, "--to", "gliner")[2]
    assert spanwise("convert", model_folder, target, "--to", "spanwise", "--force")[0] == 0
    assert not (target / "gliner_config.json").exists()
    assert "is a file" in spanwise("convert", target, other / "letter.txt", "--to", "gliner")[2]


def test_a_missing_model_is_named(spanwise, tmp_path):
    status, _, err = spanwise("convert", tmp_path / "none", tmp_path / "out", "--to", "gliner")
    assert status == 2
    assert "none does not exist" in err

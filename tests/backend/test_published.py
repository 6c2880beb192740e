"""GLiNER's ONNX files, made here with its input names and both of its layouts."""

from __future__ import annotations

import json
import warnings

import pytest

from spanwise.backend.onnx import OnnxBackend
from spanwise.backend.pytorch import PyTorchBackend
from spanwise.errors import CheckpointError, MissingFileError
from spanwise.extractor import Extractor

LABELS = ["person", "city", "date", "thing"]


def write(model, folder, *, labels_first):
    """Write a network as GLiNER would: words and labels are found by mask and id, in the graph."""
    import torch

    class Published(torch.nn.Module):
        def __init__(self, network, label_id):
            super().__init__()
            self.network, self.label_id = network, label_id

        def forward(self, input_ids, attention_mask, words_mask, text_lengths):
            hidden = self.network.encoder(
                input_ids=input_ids, attention_mask=attention_mask
            ).last_hidden_state
            numbers = torch.arange(1, text_lengths.max() + 1)[None, :, None]
            words = (words_mask[:, None] == numbers).float() @ hidden
            found = input_ids == self.label_id
            places = found.long().cumsum(-1) * found
            numbers = torch.arange(1, places.max() + 1)[None, :, None]
            labels = (places[:, None] == numbers).float() @ hidden
            words = self.network.lstm(self.network.projection(words))[0]
            logits = self.network.scorer(words, self.network.projection(labels))
            return logits.permute(3, 0, 1, 2) if labels_first else logits

    label_id = model.tokenizer.token_to_id("<<ENT>>")
    ids = torch.tensor([[2, label_id, 9, label_id, 10, 11, 20, 21, 22, 3]])
    mask = torch.tensor([[0, 0, 0, 0, 0, 0, 1, 2, 3, 0]])
    names = ["input_ids", "attention_mask", "words_mask"]
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in names}
    axes["logits"] = {0: "a", 1: "b", 2: "c", 3: "d"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Published(model.network, label_id).eval(),
            (ids, torch.ones_like(ids), mask, torch.tensor([[3]])),
            str(folder / "model.onnx"),
            input_names=[*names, "text_lengths"],
            output_names=["logits"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    config = model.config
    stored = {"model_name": "tiny/bert", "encoder_config": config.encoder, "max_types": 8}
    stored |= {"span_mode": "token_level", "max_len": config.max_words}
    (folder / "gliner_config.json").write_text(json.dumps(stored))
    model.tokenizer.save(str(folder / "tokenizer.json"))


@pytest.mark.parametrize("labels_first", [False, True])
def test_both_layouts_give_the_spans_of_torch(make_model, tmp_path, text, labels_first):
    model = make_model("bert")
    write(model, tmp_path, labels_first=labels_first)
    backend = OnnxBackend(tmp_path)
    wanted = Extractor(PyTorchBackend(model)).entities([text, "Who?"], LABELS)
    found = Extractor(backend).entities([text, "Who?"], LABELS)
    assert [[(e.start, e.end, e.label) for e in each] for each in found] == [
        [(e.start, e.end, e.label) for e in each] for each in wanted
    ]
    assert any(found)


@pytest.mark.parametrize("name", ["gliner_config.json", "tokenizer.json"])
def test_the_files_beside_it_must_be_there_and_readable(make_model, tmp_path, name):
    write(make_model("bert"), tmp_path, labels_first=False)
    (tmp_path / name).write_text("[")
    with pytest.raises(CheckpointError, match=name):
        OnnxBackend(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(MissingFileError, match=f"{name} is not beside it"):
        OnnxBackend(tmp_path)

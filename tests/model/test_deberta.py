from __future__ import annotations

import onnx
import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModel

from spanwise.model.deberta import traceable
from spanwise.model.export import TOLERANCE, export

KINDS = {
    "v3": {},
    "fewer buckets than distances": {"position_buckets": 16},
    "no buckets": {"position_buckets": -1, "max_relative_positions": 20},
    "projections of its own": {"share_att_key": False},
    "c2p only": {"pos_att_type": ["c2p"], "share_att_key": False},
    "p2c only": {"pos_att_type": ["p2c"]},
    "convolution": {"conv_kernel_size": 3},
}


def make_encoder(**overrides):
    settings = {
        "vocab_size": 50,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 96,
        "position_buckets": 32,
        "relative_attention": True,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "type_vocab_size": 0,
    }
    torch.manual_seed(0)
    config = AutoConfig.for_model("deberta-v2", **(settings | overrides))
    encoder = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for weight in encoder.parameters():
            if weight.dim() > 1:
                weight.mul_(10)  # attention that tells tokens and distances apart
    return encoder


@pytest.mark.parametrize("n_tokens", [1, 2, 9, 40, 150])
@pytest.mark.parametrize("kind", KINDS)
def test_the_rewritten_encoder_gives_the_same(kind, n_tokens):
    encoder = make_encoder(**KINDS[kind])
    ids = torch.randint(1, 50, (2, n_tokens), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, n_tokens // 2 + 1 :] = 0
    with torch.no_grad():
        wanted = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        found = traceable(encoder)(ids, mask).last_hidden_state
    torch.testing.assert_close(found[mask.bool()], wanted[mask.bool()], atol=1e-4, rtol=1e-4)


def test_an_encoder_without_relative_positions_stays_itself():
    for encoder in (make_encoder(relative_attention=False), nn.Identity()):
        assert traceable(encoder) is encoder


def test_a_file_looks_no_pair_up_and_projects_no_position(tmp_path, make_model):
    model = make_model("deberta-v2")
    before = {name: weight.clone() for name, weight in model.network.state_dict().items()}
    made = export(model, tmp_path / "m.onnx")
    for name, weight in model.network.state_dict().items():
        assert torch.equal(weight, before[name]), name
    graph = onnx.load(made.path).graph
    nodes = [node for node in graph.node if node.name.startswith("/encoder/")]
    assert not {"GatherElements", "Sqrt"} & {node.op_type for node in nodes}
    weights = {tensor.name for tensor in graph.initializer}
    products = [node for node in nodes if node.op_type == "MatMul" and node.input[1] in weights]
    assert len(products) == 6 * model.config.encoder["num_hidden_layers"]


def test_a_file_in_half_precision_stays_close(tmp_path, make_model):
    made = export(make_model("deberta-v2"), tmp_path / "m.onnx", variant="fp16")
    assert made.largest_difference < TOLERANCE["fp16"]

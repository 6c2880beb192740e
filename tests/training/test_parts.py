"""Loss, optimiser, schedules, adapters, average, collation: each against a naive reference."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from spanwise.data.sampling import Example
from spanwise.errors import MissingExtraError
from spanwise.flow import words
from spanwise.flow.encode import Encoder
from spanwise.model.loss import focal_loss, ranking_loss
from spanwise.training import lora
from spanwise.training.average import Average, in_place_of
from spanwise.training.collate import collate, tokenise
from spanwise.training.config import OptimConfig
from spanwise.training.optim import optimizer, rate


@pytest.mark.parametrize("alpha", [0.75, -1.0])
@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_the_formula_summed_over_what_counts(alpha, gamma, smoothing):
    torch.manual_seed(0)
    logits, targets = torch.randn(2, 3, 4, 3), (torch.rand(2, 3, 4, 3) > 0.6).float()
    mask = (torch.rand(2, 3, 4, 1) > 0.3).float()
    expected = 0.0
    for place in np.ndindex(2, 3, 4, 3):
        x, y = logits[place].item(), targets[place].item()
        p = 1 / (1 + math.exp(-x))
        soft = y * (1 - smoothing) + 0.5 * smoothing
        one = -(soft * math.log(p) + (1 - soft) * math.log(1 - p))
        one *= (1 - (p if y else 1 - p)) ** gamma
        if alpha >= 0:
            one *= alpha if y else 1 - alpha
        expected += one * mask[(*place[:3], 0)].item()
    got = focal_loss(logits, targets, mask, alpha=alpha, gamma=gamma, smoothing=smoothing)
    assert got.item() == pytest.approx(expected, rel=1e-5)


def test_ranking_is_a_softmax_over_the_words_and_nowhere():
    torch.manual_seed(0)
    logits, mask = torch.randn(2, 5, 3, 3), torch.ones(2, 5, 3, 1)
    targets = torch.zeros_like(logits)
    targets[0, 2, 1, 0] = targets[0, 3, 1, 1] = targets[0, 2:4, 1, 2] = 1  # a span of two words
    targets[1, 0, 0, :] = targets[1, 4, 0, :] = 1  # two spans of one word
    mask[:, :, 2] = 0  # a label that is none
    mask[0, 4] = 0  # a word that is none
    expected = 0.0
    for b, c, kind in np.ndindex(2, 2, 2):
        n = 4 if b == 0 else 5
        e = [math.exp(x) for x in logits[b, :n, c, kind].tolist()]
        gold = [x for x, y in zip(e, targets[b, :n, c, kind].tolist(), strict=True) if y]
        expected -= math.log((sum(gold) or 1) / (1 + sum(e)))
    assert ranking_loss(logits, targets, mask).item() == pytest.approx(expected, rel=1e-5)


def test_ranking_sees_neither_padding_nor_insides():
    logits, mask = torch.zeros(1, 3, 1, 3), torch.ones(1, 3, 1, 1)
    targets = torch.zeros_like(logits)
    targets[0, 1] = 1
    logits.requires_grad_()
    mask[0, 2] = 0
    ranking_loss(logits, targets, mask).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 2].abs().sum() == logits.grad[..., 2].abs().sum() == 0
    assert logits.grad[0, 1, 0, 0] == pytest.approx(1 / 3 - 1)
    assert logits.grad[0, 0, 0, 0] == pytest.approx(1 / 3)


def test_every_weight_is_in_one_group_with_its_own_rate_and_decay(tiny_model):
    network = tiny_model().network
    config = OptimConfig(lr_encoder=1e-5, lr_rest=1e-3, decay_encoder=0.1, decay_rest=0.2)
    made = optimizer(network, config)
    groups = {id(p): group for group in made.param_groups for p in group["params"]}
    assert len(groups) == len(list(network.parameters()))
    for name, parameter in network.named_parameters():
        encoder = name.startswith("encoder.")
        decay = (0.1 if encoder else 0.2) if parameter.dim() > 1 else 0.0
        assert groups[id(parameter)]["peak"] == (1e-5 if encoder else 1e-3)
        assert groups[id(parameter)]["weight_decay"] == decay


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("constant", [1, 1, 1]),
        ("linear", [0.75, 0.5, 0.0]),
        ("cosine", [0.5 + 0.5 * math.cos(math.pi / 4), 0.5, 0.0]),
        ("trapezoid", [1, 1, 0]),
    ],
)
def test_schedules(schedule, shares):
    config = OptimConfig(schedule=schedule, cooldown=0.25)
    got = [rate(progress, 1.0, config) for progress in (0.25, 0.5, 1.0)]
    assert got == pytest.approx(shares, abs=1e-9)
    assert rate(0.05, 0.5, config) == 0.5  # half warmed up


def test_the_rate_of_a_run_rises_and_falls(build):
    trainer = build(steps=100, optim={"warmup": 0.1, "schedule": "linear"})
    shares = []
    for trainer.progress.step in range(100):
        shares.append(trainer._rate())
    assert shares[0] == pytest.approx(0.1)
    assert shares[:10] == sorted(shares[:10])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[-1] == pytest.approx(0.01)


def test_merged_adapters_score_as_the_adapted_network(tiny_model, sentences):
    model = tiny_model()
    before = {name: value.clone() for name, value in model.network.encoder.state_dict().items()}
    lora.attach(model.network, 4)
    for name, parameter in model.network.named_parameters():
        if "lora_B" in name:  # zero at the start
            torch.nn.init.normal_(parameter, std=0.1)
    encoder = Encoder(model.tokenizer, model.config)
    batch = collate(_tokenised(encoder, sentences), encoder)
    with torch.no_grad():
        adapted = model.network.eval()(batch.inputs)
        merged = lora.merged(model)
        plain = merged.network(batch.inputs)
    assert torch.allclose(adapted, plain, atol=1e-5)
    assert merged.network.encoder.state_dict().keys() == before.keys()
    changed = [k for k, v in merged.network.encoder.state_dict().items() if not v.equal(before[k])]
    assert any("query" in name for name in changed)
    assert not any("embeddings" in name for name in changed)
    with torch.no_grad():
        assert torch.equal(model.network(batch.inputs), adapted)  # the adapted one is untouched


def _tokenised(encoder, sentences):
    made = []
    for record in sentences(3):
        text = words.split(record.text, words.RegexSplitter())
        made.append(Example(text, "", ("person", "city"), ((0, 1, 0),), "entities", ""))
    return tokenise(made, encoder, words.RegexSplitter())


def test_adapters_train_resume_and_finish_as_a_plain_model(build, tmp_path):
    changes = {"lora_rank": 2, "steps": 6, "keep": 1}
    whole = build(output=str(tmp_path / "whole"), **changes)
    frozen = whole.network.encoder.model.embeddings.word_embeddings.weight.clone()
    finished = whole.run()
    assert torch.equal(finished.network.encoder.embeddings.word_embeddings.weight, frozen)
    half = build(output=str(tmp_path / "half"), **changes)
    half._signal = "SIGTERM"
    half.run()
    again = build(output=str(tmp_path / "half"), **changes).run()
    one, other = finished.network.state_dict(), again.network.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_without_peft_adapters_name_the_extra(tiny_model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"spanwise\[train\]"):
        lora.attach(tiny_model().network, 2)


def test_the_average_follows_with_less_decay_at_first():
    module = torch.nn.Linear(1, 1)
    average = Average(module, 0.5)
    start, now = module.weight.detach().clone(), module.weight.detach() + 1
    with torch.no_grad():
        module.weight.copy_(now)
    average.update(module, 0)
    assert average.weights["weight"].item() == pytest.approx((0.1 * start + 0.9 * now).item())
    with in_place_of(module, average):
        assert torch.equal(module.weight, average.weights["weight"])
    assert torch.equal(module.weight, now)


def test_targets_stand_at_start_end_and_inside_and_padding_does_not_count(tiny_model):
    model = tiny_model()
    encoder = Encoder(model.tokenizer, model.config)
    text = words.split("Ada lives in Rome .", words.RegexSplitter())
    asked = Example(text, "who lives ?", ("city", "person"), ((1, 4, 1),), "entities", "")
    short = Example(words.split("Rome", words.RegexSplitter()), "", ("city",), (), "entities", "")
    items = tokenise([asked, short], encoder, words.RegexSplitter())
    batch = collate(items, encoder)
    n = 3  # the instruction's words come first and do not count
    assert batch.targets[0, :, 1, 0].nonzero().flatten().tolist() == [n + 1]
    assert batch.targets[0, :, 1, 1].nonzero().flatten().tolist() == [n + 3]
    assert batch.targets[0, :, 1, 2].nonzero().flatten().tolist() == [n + 1, n + 2, n + 3]
    assert batch.targets[0, :, 0].sum() == 0
    assert batch.mask[0, :, 0, 0].tolist() == [0.0] * 3 + [1.0] * 5
    assert batch.mask[1, :, :, 0].sum() == 1  # one word, one label
    assert batch.ranked.tolist() == [False, False]
    (one,) = tokenise([replace(short, task="answers")], encoder, words.RegexSplitter())
    assert collate([one], encoder).ranked.tolist() == [True]


def test_what_does_not_fit_the_positions_is_cut_with_its_spans(tiny_model):
    model = tiny_model()
    encoder = Encoder(model.tokenizer, model.config)
    text = words.joined(["Ada"] * 300)
    spans = ((0, 1, 0), (290, 291, 0))
    (item,) = tokenise([Example(text, "", ("a",), spans, "entities", "")], encoder, text_splitter())
    assert len(item) == encoder.max_tokens
    assert item.spans.tolist() == [[0, 0, 0]]


def text_splitter():
    return words.RegexSplitter()


@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")  # torch's own
def test_compiling_compiles_the_encoder_in_place(build):
    trainer = build(compile=True)
    assert trainer.network.encoder._compiled_call_impl is not None
    assert not any("_orig_mod" in name for name in trainer.network.state_dict())

from pathlib import Path

import pytest

from spanwise.data.sampling import SamplingConfig
from spanwise.errors import ConfigError
from spanwise.training.config import FINE_TUNING, of, read_toml

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.name)
def test_every_config_that_ships_is_understood(path):
    assert read_toml(path).data or path.name


def test_stage_one_has_the_papers_values():
    config = read_toml(CONFIGS / "paper-stage1.toml")
    assert (config.steps, config.batch_examples, config.accumulate) == (120_000, 8, 1)
    assert (config.optim.lr_encoder, config.optim.lr_rest) == (1e-5, 5e-5)
    assert (config.optim.decay_encoder, config.optim.decay_rest) == (0.01, 0.01)
    assert (config.optim.schedule, config.optim.warmup) == ("cosine", 0.1)
    assert config.optim.betas == (0.9, 0.999)
    assert (config.loss.alpha, config.loss.gamma, config.loss.smoothing) == (0.75, 0.0, 0.0)
    assert (config.hidden_size, config.max_words, config.max_labels) == (512, 768, 30)
    assert (config.dropout, config.sampling.max_labels) == (0.1, 30)
    assert config.encoder == "microsoft/deberta-v3-large"


def test_stage_two_has_the_papers_values():
    config = read_toml(CONFIGS / "paper-stage2.toml")
    assert (config.steps, config.batch_examples) == (1_000, 8)
    assert (config.optim.lr_encoder, config.optim.lr_rest) == (5e-6, 7e-6)
    assert (config.optim.schedule, config.optim.warmup) == ("linear", 0.1)
    assert config.model == read_toml(CONFIGS / "paper-stage1.toml").output


def test_ones_own_examples_bring_their_own_defaults():
    config = of({"train": "mine.jsonl", "optim": {"lr_encoder": 1e-5}})
    assert config.epochs == FINE_TUNING["epochs"]
    assert config.dev_share == 0.1
    assert config.optim.lr_encoder == 1e-5
    assert config.optim.lr_rest == FINE_TUNING["optim"]["lr_rest"]
    assert of({"train": "a", "steps": 5}).epochs == 0
    assert of({"train": "a", "dev": "b"}).dev_share == 0


def test_changes_go_over_a_file(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('train = "a.jsonl"\n[optim]\nlr_rest = 1e-3\nclip = 1.0\n')
    config = read_toml(path, {"seed": 3, "optim": {"clip": 2.0}})
    assert (config.seed, config.optim.clip, config.optim.lr_rest) == (3, 2.0, 1e-3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 1, "lr": 1.0}, "unknown key 'lr'"),
        ({"steps": 1, "ema": 1.0}, "ema must be from 0 to below 1, got 1.0"),
        ({"steps": 1, "batch_tokens": 0}, "batch_tokens must be at least 1, got 0"),
        ({"steps": -1}, "steps must be at least 0, got -1"),
        ({}, "nothing ends the run: set steps, epochs or minutes"),
        ({"steps": 1, "model": "a", "encoder": "b"}, "model 'a' and encoder 'b': give one"),
        ({"steps": 1, "data": "a", "train": "b"}, "data 'a' and train 'b': give one"),
        ({"steps": 1, "dev": "b"}, "name them as train"),
        ({"train": "a", "dev": "b", "dev_share": 0.2}, "dev_share 0.2 would hold out more"),
        ({"steps": 1, "select": "best"}, "select 'best' needs dev data"),
        ({"steps": 1, "precision": "fp8"}, "must be one of 'fp32', 'bf16', got 'fp8'"),
        ({"steps": 1, "optim": {"betas": [0.9]}}, "betas must be two numbers"),
        ({"steps": 1, "optim": {"lr_rest": float("nan")}}, "lr_rest must be at least 0, got nan"),
        ({"steps": 1, "loss": {"smoothing": 1.0}}, "smoothing 1.0 from 0 to below 1"),
        ({"steps": 1, "sampling": {"no_answer": 2}}, "no_answer must be a share from 0 to 1"),
        ({"steps": 1, "sampling": {"max_label": 2}}, "did you mean 'max_labels'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        of(given)


def test_a_file_that_is_not_there_or_no_toml_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.toml is no file"):
        read_toml(tmp_path / "absent.toml")
    (tmp_path / "bad.toml").write_text("steps: 3")
    with pytest.raises(ConfigError, match=r"bad\.toml is no TOML"):
        read_toml(tmp_path / "bad.toml")


def test_sampling_counts_and_shares_are_checked():
    with pytest.raises(ConfigError, match="max_labels must be at least 1, got 0"):
        SamplingConfig(max_labels=0)

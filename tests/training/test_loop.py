import json
import math

import pytest
import torch

from spanwise.errors import ConfigError, TrainingError
from spanwise.loading import load
from spanwise.training import dev, log
from spanwise.training.examples import examples


def weights(trainer):
    return {k: v.clone() for k, v in trainer.network.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_sixteen_examples_are_learned_by_heart(build, sentences, settings):
    found = examples(settings(), train=sentences(16))
    trainer = build(epochs=50, batch_examples=8)
    trainer.run()
    assert dev.own(found.train)(trainer.model)["f1"] == 1.0


def test_the_finished_model_is_loadable_from_the_output_folder(build):
    trainer = build(steps=3)
    trainer.run()
    entities = load(trainer.folder).entities("Ada lives in Rome .", ["person"], threshold=0.0)
    assert entities


def test_the_run_ends_after_its_epochs(build):
    trainer = build(n=16, epochs=2, batch_examples=4)
    trainer.run()
    assert (trainer.progress.examples, trainer.progress.step) == (32, 8)


def test_the_run_ends_after_its_minutes(build):
    trainer = build(minutes=1, save_every_s=1000)
    ticks = iter(range(0, 10_000, 5))
    trainer.clock = lambda: next(ticks)
    trainer.run()
    assert 60 <= trainer.progress.elapsed_s < 90
    assert trainer.share() == 1


def test_accumulating_is_one_larger_batch(build, tmp_path):
    changes = {"steps": 1, "optim": {"warmup": 0}, "dropout": 0.0, "encoder_dropout": 0.0}
    ends = []
    for name, more in (("two", {"accumulate": 2, "batch_examples": 8}), ("one", {})):
        trainer = build(output=str(tmp_path / name), **changes, **{"batch_examples": 16, **more})
        for module in trainer.network.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        trainer.run()
        ends.append(weights(trainer))
    assert all(torch.allclose(ends[0][k], ends[1][k], atol=2e-5) for k in ends[0])


def test_bf16_trains_close_to_fp32(build, tmp_path):
    ends = []
    for precision in ("fp32", "bf16"):
        trainer = build(output=str(tmp_path / precision), precision=precision, steps=4)
        trainer.run()
        ends.append(log.read(trainer.folder)[-1]["loss"])
    assert ends[1] == pytest.approx(ends[0], rel=0.1)
    assert ends[1] != ends[0]


def test_settings_decide_the_weights(build, tmp_path):
    def end(name, **changes):
        trainer = build(output=str(tmp_path / name), steps=3, **changes)
        trainer.run()
        return weights(trainer)

    base = end("base")
    assert same(base, end("again"))
    assert not same(base, end("seed", seed=1))
    assert not same(base, end("smoothing", loss={"smoothing": 0.2}))
    assert not same(base, end("gamma", loss={"gamma": 2.0}))
    assert not same(base, end("clip", optim={"clip": 0.1}))


def test_resuming_gives_the_very_weights(build, tmp_path):
    whole = build(output=str(tmp_path / "whole"), accumulate=2, batch_examples=3)
    whole.run()
    first = build(output=str(tmp_path / "parts"), accumulate=2, batch_examples=3)
    batches = first._groups()
    first.network.train()
    for _ in range(10):  # as `run` does, but never to the end
        group, place, n_examples = next(batches)
        first._step(group, n_examples, 0.0)
        first.progress.step += 1
        first.progress.chunk, first.progress.batch = place
        first.progress.examples += n_examples
    first.save()
    torch.manual_seed(99)
    second = build(output=str(tmp_path / "parts"), accumulate=2, batch_examples=3)
    assert second.progress.step == 10
    second.run()
    assert same(weights(whole), weights(second))


def test_workers_change_nothing(build, tmp_path):
    ends = []
    for workers in (0, 1):
        trainer = build(output=str(tmp_path / str(workers)), steps=4, workers=workers)
        trainer.run()
        ends.append(weights(trainer))
    assert same(*ends)


def test_an_infinite_loss_is_an_error_that_leaves_the_checkpoint_alone(build):
    trainer = build(steps=5)
    trainer.save()
    with torch.no_grad():
        trainer.network.scorer.out.bias.fill_(math.nan)
    with pytest.raises(TrainingError, match=r"loss is nan at step 0.*intact.*learning rates"):
        trainer.run()
    again = build(steps=5)
    again.run()
    assert all(torch.isfinite(value).all() for value in weights(again).values())


def test_other_settings_do_not_resume_a_run(build):
    build(steps=5).save()
    with pytest.raises(ConfigError, match="batch_examples was 8, is 7"):
        build(steps=5, batch_examples=7)


def test_a_finished_run_may_get_more_steps(build):
    build(steps=3, keep=1).run()
    longer = build(steps=5, keep=1)
    assert longer.progress.step == 3
    longer.run()
    assert longer.progress.step == 5


def test_only_the_newest_checkpoints_stay(build):
    trainer = build(steps=6, save_every_s=0, keep=2)
    trainer.run()
    names = sorted(path.name for path in trainer.folder.glob("step-*"))
    assert names == ["step-00000005", "step-00000006"]


def test_without_keep_the_finished_model_stands_alone(build):
    trainer = build(steps=2, keep=0)
    trainer.run()
    names = {path.name for path in trainer.folder.iterdir()}
    assert names == {"metrics.jsonl", "model.safetensors", "spanwise.json", "tokenizer.json"}


def test_what_a_killed_process_left_is_swept(build):
    trainer = build(steps=2)
    (trainer.folder / ".step-00000001.abc").mkdir()
    build(steps=2)
    assert not list(trainer.folder.glob(".step-*"))


def test_metrics_are_written_and_rewound(build):
    trainer = build(steps=4, log_every=1)
    trainer.run()
    lines = log.read(trainer.folder)
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert {"loss", "lr_share", "examples", "elapsed_s", "examples_per_s"} <= lines[0].keys()
    log.rewind(trainer.folder, 2)
    assert [line["step"] for line in log.read(trainer.folder)] == [1, 2]


def test_a_line_cut_short_is_passed_over(tmp_path):
    (tmp_path / log.FILE).write_text(json.dumps({"step": 1}) + '\n{"step": 2, "lo')
    assert log.read(tmp_path) == [{"step": 1}]


def test_evaluation_is_logged_and_the_best_weights_are_kept(build):
    scores = iter([0.2, 0.9, 0.4])
    seen = []

    def evaluate(model):
        assert not model.network.training
        seen.append({k: v.clone() for k, v in model.network.state_dict().items()})
        return {"f1": next(scores)}

    trainer = build(steps=6, eval_every=2, evaluate=evaluate, select="best", dev_share=0.2, keep=1)
    best = trainer.run()
    assert [line["f1"] for line in log.read(trainer.folder) if "f1" in line] == [0.2, 0.9, 0.4]
    assert same(best.network.state_dict(), seen[1])


def test_the_average_is_evaluated_and_finished(build):
    seen = []

    def evaluate(model):
        seen.append({k: v.clone() for k, v in model.network.state_dict().items()})
        return {"f1": 0.0}

    trainer = build(steps=5, ema=0.9, evaluate=evaluate)
    finished = trainer.run()
    assert same(seen[0], trainer.average.weights)
    assert same(finished.network.state_dict(), trainer.average.weights)
    assert not same(trainer.average.weights, weights(trainer))


def test_the_average_survives_resuming(build, tmp_path):
    whole = build(output=str(tmp_path / "whole"), ema=0.9, keep=1)
    whole.run()
    half = build(output=str(tmp_path / "half"), ema=0.9, keep=1)
    half._signal = "SIGTERM"  # stops after one step
    half.run()
    assert half.stopped == "SIGTERM"
    again = build(output=str(tmp_path / "half"), ema=0.9, keep=1)
    again.run()
    assert same(whole.average.weights, again.average.weights)

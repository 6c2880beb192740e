"""Real kills, full disks and several processes: each in processes of their own."""

import os
import resource
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from spanwise.errors import TrainingError
from spanwise.training import log, state

RUN = """
import json, sys
from spanwise.data.formats import read
from spanwise.training import config, run
from spanwise.training.examples import examples
settings = config.of(json.loads(sys.argv[1]))
print("ready", flush=True)
trainer = run.on_own_examples(settings, examples(settings))
trainer.run()
"""


@pytest.fixture
def arguments(own_file, model_folder, tmp_path):
    """Make the command line of a run of 20 steps; changes by keyword."""
    import json

    def make(name, **changes):
        settings = {
            "train": str(own_file),
            "model": str(model_folder),
            "output": str(tmp_path / name),
            "dev_share": 0.0,
            "device": "cpu",
            "threads": 1,
            "steps": 20,
            "keep": 2,
            "log_every": 1,
            "batch_examples": 4,
            **changes,
        }
        return [sys.executable, "-c", RUN, json.dumps(settings)]

    return make


@pytest.fixture
def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def wait_for_steps(folder, n, process):
    give_up = time.monotonic() + 60
    while len(log.read(folder)) < n:
        assert process.poll() is None, "the run ended by itself"
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_twenty_steps_are_ten_a_kill_and_ten_more(arguments, environment, tmp_path):
    whole = subprocess.Popen(arguments("whole"), env=environment)
    killed = subprocess.Popen(arguments("killed", save_every_s=0), env=environment)
    wait_for_steps(tmp_path / "killed", 10, killed)
    killed.kill()  # SIGKILL: no handler runs
    killed.wait()
    step = int(state.checkpoints(tmp_path / "killed")[-1].name.removeprefix("step-"))
    assert 9 <= step < 20
    subprocess.run(arguments("killed"), env=environment, check=True)
    assert whole.wait() == 0
    one, other = (load_file(tmp_path / x / "model.safetensors") for x in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    losses = [
        [(line["step"], line["loss"]) for line in log.read(tmp_path / x)]
        for x in ("whole", "killed")
    ]
    assert losses[0] == losses[1]


def test_a_signal_saves_and_stops_after_the_step_at_hand(arguments, environment, tmp_path):
    begun = subprocess.Popen(arguments("run", steps=100_000), env=environment)
    wait_for_steps(tmp_path / "run", 3, begun)
    begun.send_signal(signal.SIGTERM)
    assert begun.wait(timeout=30) == 0
    last = state.checkpoints(tmp_path / "run")[-1]
    assert last.name == f"step-{log.read(tmp_path / 'run')[-1]['step']:08d}"
    assert not (tmp_path / "run" / "spanwise.json").exists()


def test_two_processes_take_the_steps_of_one(arguments, environment, tmp_path):
    still = {"steps": 3, "dropout": 0.0, "encoder_dropout": 0.0, "optim": {"warmup": 0.0}}
    subprocess.run(arguments("one", accumulate=2, **still), env=environment, check=True)
    ranks = [
        subprocess.Popen(
            arguments("two", **still),
            env={
                **environment,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(20000 + os.getpid() % 20000),
            },
        )
        for rank in range(2)
    ]
    assert [each.wait(timeout=120) for each in ranks] == [0, 0]
    one, two = (load_file(tmp_path / x / "model.safetensors") for x in ("one", "two"))
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)
    first, second = (log.read(tmp_path / x) for x in ("one", "two"))
    assert [x["loss"] for x in second] == pytest.approx([x["loss"] for x in first], rel=1e-4)
    assert [x["examples"] for x in second] == [x["examples"] for x in first]


@pytest.fixture
def small_disk():
    """No file of this process may grow beyond 100 kB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))

    yield fill
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_an_error_that_leaves_the_checkpoint_alone(build, small_disk):
    trainer = build(steps=5)
    trainer.save()
    small_disk()
    with pytest.raises(TrainingError, match="cannot write checkpoint .*free some space"):
        trainer.run()
    assert [path.name for path in state.checkpoints(trainer.folder)] == ["step-00000000"]
    assert not list(trainer.folder.glob(".*"))
    assert build(steps=5).progress.step == 0

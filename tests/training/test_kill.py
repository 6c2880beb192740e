"""Real kills, full disks and several processes: each in processes of their own."""

import multiprocessing
import os
import resource
import runpy
import time

import pytest
import torch
from safetensors.torch import load_file

from spanwise.errors import TrainingError
from spanwise.training import log, state

RUN = """
import os, json
os.environ.update({environment!r})
import torch
torch.set_num_threads(1)
from spanwise.training import config, run
run.trainer(config.of({settings!r})).run()
"""


@pytest.fixture(scope="session")
def processes():
    """A context whose processes start with everything imported, each clean otherwise."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["spanwise.training.run", "transformers.models.bert.modeling_bert"]
    )
    return context


@pytest.fixture
def begin(processes, own_file, model_folder, tmp_path):
    """Begin a run of 20 steps in a process of its own; changes by keyword."""

    def make(name, *, rank=None, **changes):
        settings = {
            "train": str(own_file),
            "model": str(model_folder),
            "output": str(tmp_path / name),
            "dev_share": 0.0,
            "device": "cpu",
            "steps": 20,
            "keep": 2,
            "log_every": 1,
            "batch_examples": 4,
            **changes,
        }
        environment = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        if rank is not None:  # as torchrun sets them
            port = str(20000 + os.getpid() % 20000)
            environment |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
            environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        script = tmp_path / f"{name}-{rank}.py"
        script.write_text(RUN.format(environment=environment, settings=settings))
        process = processes.Process(target=runpy.run_path, args=(str(script),))
        process.start()
        return process

    return make


def end(process):
    process.join(timeout=120)
    assert process.exitcode == 0


def wait_for_steps(folder, n, process):
    give_up = time.monotonic() + 60
    while len(log.read(folder)) < n:
        assert process.exitcode is None, "the run ended by itself"
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_twenty_steps_are_ten_a_kill_and_ten_more(begin, tmp_path):
    whole = begin("whole")
    killed = begin("killed", save_every_s=0)
    wait_for_steps(tmp_path / "killed", 10, killed)
    killed.kill()  # SIGKILL: no handler runs
    killed.join()
    step = int(state.checkpoints(tmp_path / "killed")[-1].name.removeprefix("step-"))
    assert 9 <= step < 20
    end(begin("killed"))
    end(whole)
    one, other = (load_file(tmp_path / x / "model.safetensors") for x in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    losses = [
        [(line["step"], line["loss"]) for line in log.read(tmp_path / x)]
        for x in ("whole", "killed")
    ]
    assert losses[0] == losses[1]


def test_a_signal_saves_and_stops_after_the_step_at_hand(begin, tmp_path):
    begun = begin("run", steps=100_000)
    wait_for_steps(tmp_path / "run", 3, begun)
    begun.terminate()  # SIGTERM
    end(begun)
    last = state.checkpoints(tmp_path / "run")[-1]
    assert last.name == f"step-{log.read(tmp_path / 'run')[-1]['step']:08d}"
    assert not (tmp_path / "run" / "spanwise.json").exists()


def test_two_processes_take_the_steps_of_one(begin, tmp_path):
    still = {"steps": 3, "dropout": 0.0, "encoder_dropout": 0.0, "optim": {"warmup": 0.0}}
    ranks = [begin("two", rank=rank, **still) for rank in range(2)]
    end(begin("one", accumulate=2, **still))
    for process in ranks:
        end(process)
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
    with pytest.raises(TrainingError, match=r"cannot write checkpoint .*free some space"):
        trainer.run()
    assert [path.name for path in state.checkpoints(trainer.folder)] == ["step-00000000"]
    assert not list(trainer.folder.glob(".*"))
    assert build(steps=5).progress.step == 0

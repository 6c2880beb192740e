"""Scores computed by ONNX Runtime: no torch, and the default on a CPU.

On a CPU every item of a batch runs alone, without padding, and several run at once on threads of
their own. Nothing is computed for padding, activations stay in the cores' caches, and a text's
scores cannot depend on its neighbours, not even through the range that int8 activations are
scaled by. Each of these runs keeps to one core, which wastes none; texts that come one by one are
soon given a second session, whose runs use all cores. Other devices get the padded batch as it is.
"""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from spanwise import config as settings
from spanwise.backend import published
from spanwise.config import ModelConfig
from spanwise.errors import CheckpointError, InputError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from numpy.typing import NDArray

    from spanwise.flow.encode import Batch

FORMAT = 1
PREFIX = "spanwise."
PREFERRED = ("int8", "fp32", "fp16")
"""Which variant of a folder runs on a CPU, best first; fp16 comes first elsewhere."""

_PROVIDER = "ExecutionProvider"
_CPU = f"CPU{_PROVIDER}"
_FEW = 3
"""Runs too small to fill the cores after which the session that shares one out is opened."""


class OnnxBackend:
    """Runs an exported model; see `backend.base.Backend`."""

    name = "onnx"

    def __init__(
        self, path: Path, *, threads: int = 0, providers: Sequence[str] | None = None
    ) -> None:
        """Open a model.

        Args:
            path: an `.onnx` file, or a folder that holds one; ours, or GLiNER's.
            threads: cores to use, 0 for all that the process may run on.
            providers: ONNX Runtime's execution providers, the preferred one first ("CUDA",
                "OpenVINO" …, or their full names), None for the CPU.

        Raises:
            MissingFileError: no ONNX file, or no tokenizer beside one that brings none.
            InputError: a provider that is not installed, does not start or does not know the
                file's operators, or a negative number of threads.
            CheckpointError: the file is damaged, of a newer format, or no model of this kind.
        """
        if threads < 0:
            msg = f"threads must be 0 (all cores) or more, got {threads}"
            raise InputError(msg)
        self.providers = _checked(providers)
        self.threads = threads or _cores()
        self.path = _file(path, on_cpu=self._on_cpu)
        self.session = _session(self.path, self.providers, cores=1 if self._on_cpu else 0)
        stored = self.session.get_modelmeta().custom_metadata_map
        self._run: Callable[[onnxruntime.InferenceSession, Batch], NDArray[np.float32]]
        if f"{PREFIX}config" in stored:
            self.config, self.tokenizer = _described(stored, self.path)
            self._run = _own
        else:
            model = published.read(self.path, self.session)
            self.config, self.tokenizer, self._run = model.config, model.tokenizer, model.score
        self.variant = stored.get(f"{PREFIX}variant", "")
        self.pads = not self._on_cpu
        self.batch_tokens = 16384 if self._on_cpu else 32768
        self._pool: ThreadPoolExecutor | None = None
        self._shared: onnxruntime.InferenceSession | None = None
        self._few = 0
        self._opening = threading.Lock()

    @property
    def _on_cpu(self) -> bool:
        return self.providers[0] == _CPU

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Return the logits of a batch; zero at padding where items ran alone."""
        if not self._on_cpu:
            return self._run(self.session, batch)
        if len(batch) == 1:
            return self._run(self._for_few(), batch)
        rows = [batch.row(place) for place in range(len(batch))]
        if self.threads == 1 or len(rows) < self.threads:
            session = self._for_few()
            parts = [self._run(session, row) for row in rows]
        else:
            parts = list(self._workers().map(partial(self._run, self.session), rows))
        n_words, n_labels = batch.word_positions.shape[1], batch.label_positions.shape[1]
        last = 3 if self.config.architecture == "token" else n_labels
        middle = n_labels if self.config.architecture == "token" else parts[0].shape[2]
        logits = np.zeros((len(batch), n_words, middle, last), dtype=np.float32)
        for whole, part in zip(logits, parts, strict=True):
            _, words, second, third = part.shape
            whole[:words, :second, :third] = part[0]
        return logits

    def _for_few(self) -> onnxruntime.InferenceSession:
        """Return the session whose runs use all cores, opened when there is need for it.

        It holds the weights a second time and takes a moment to open, which a long job's last text
        or a single question is not worth.
        """
        if self.threads == 1:
            return self.session
        with self._opening:
            self._few += 1
            if self._shared is None and self._few > _FEW:
                self._shared = _session(self.path, self.providers, cores=self.threads)
            return self._shared or self.session

    def _workers(self) -> ThreadPoolExecutor:
        if self._pool is None:
            # one text alone never needs them, and they take a while to import
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="spanwise")
        return self._pool


def _checked(providers: Sequence[str] | None) -> list[str]:
    """Return the full names of the providers, the CPU last."""
    there = onnxruntime.get_available_providers()
    full = {name.removesuffix(_PROVIDER).lower(): name for name in there}
    chosen = []
    for provider in providers or [_CPU]:
        name = full.get(provider.removesuffix(_PROVIDER).lower())
        if name is None:
            msg = (
                f"provider {provider!r} is not installed; this onnxruntime has "
                f"{', '.join(name.removesuffix(_PROVIDER) for name in there)}"
            )
            raise InputError(msg)
        chosen.append(name)
    return chosen if _CPU in chosen else [*chosen, _CPU]


def _cores() -> int:
    """Return the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _file(path: Path, *, on_cpu: bool) -> Path:
    """Return the ONNX file of a folder, the preferred variant where there are several."""
    if path.is_file():
        return path
    files = sorted(path.glob("*.onnx"))
    if not files:
        there = sorted(each.name for each in path.iterdir())[:8] if path.is_dir() else []
        holds = f"{path} holds {', '.join(there)}" if there else f"{path} is empty or not there"
        msg = f"no .onnx file: {holds}; make one with `spanwise export {path}`"
        raise MissingFileError(msg)
    order = PREFERRED if on_cpu else PREFERRED[::-1]

    def rank(file: Path) -> tuple[int, str]:
        places = [place for place, variant in enumerate(order) if variant in file.name]
        return (places[0] if places else len(order), file.name)

    return min(files, key=rank)


def _own(session: onnxruntime.InferenceSession, batch: Batch) -> NDArray[np.float32]:
    """Run one of our own files."""
    feeds = {
        "ids": batch.ids,
        "mask": batch.mask,
        "word_positions": batch.word_positions,
        "n_words": batch.n_words,
        "label_positions": batch.label_positions,
    }
    return np.asarray(session.run(["logits"], feeds)[0], dtype=np.float32)


def _session(path: Path, providers: list[str], *, cores: int) -> onnxruntime.InferenceSession:
    """Open a file for runs that take so many cores each, 0 for the library's choice."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # lengths differ from run to run
    # Threads of a run wait for each other by spinning, which is fastest, but not between runs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # the library raises bare exceptions of its own
        lines = [line[:200] for line in str(error).strip().splitlines()]
        if providers[0] != _CPU:
            told = next((line for line in lines if "not support" in line), lines[0])
            msg = (
                f"{path}: provider {providers[0]!r} cannot run this file ({told}); give it plainer "
                "operators with `spanwise export MODEL --variant fp16`, or run it on the CPU"
            )
            raise InputError(msg) from error
        msg = f"{path} cannot be read ({lines[0]}); it may be cut short: copy or export it again"
        raise CheckpointError(msg) from error
    if session.get_providers()[0] != providers[0]:  # the library goes on with the next in silence
        msg = (
            f"provider {providers[0]!r} is installed but does not start; see that its driver and "
            "libraries are there, or leave it out to run on the CPU"
        )
        raise InputError(msg)
    return session


def _described(stored: dict[str, str], path: Path) -> tuple[ModelConfig, Tokenizer]:
    """Return what the file's metadata says."""
    found = stored.get(f"{PREFIX}format")
    if found != str(FORMAT):
        msg = f"{path}: format {found}, this version of spanwise reads {FORMAT}; update spanwise"
        raise CheckpointError(msg)
    try:
        described = json.loads(stored[f"{PREFIX}config"])
    except json.JSONDecodeError as error:
        msg = f"{path}: the configuration in its metadata is no JSON: {error}"
        raise CheckpointError(msg) from error
    config = settings.read(ModelConfig, described, where=str(path))
    try:
        tokenizer = Tokenizer.from_str(stored.get(f"{PREFIX}tokenizer", ""))
    except Exception as error:  # the library raises bare Exception
        msg = f"{path}: the tokenizer in its metadata cannot be read ({error}); export it again"
        raise CheckpointError(msg) from error
    return config, tokenizer

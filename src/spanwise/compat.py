"""The calls of the `gliner` package on top of ours: existing code changes one import.

    from spanwise.compat import GLiNER

Same arguments, same dictionaries, and upstream's span score (policy "min"). What differs is meant
to: a text longer than the model reads is read in windows instead of being cut, and an argument
that has no counterpart here is an error instead of being passed over. A prompt is glued to the
text as upstream's users do it, so spans can lie in it and offsets count it; `spanwise.Extractor`
keeps the two apart.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from spanwise.errors import InputError, UnsupportedError, did_you_mean
from spanwise.extractor import Extractor
from spanwise.loading import load, locate
from spanwise.types import Label

if TYPE_CHECKING:
    from pathlib import Path

    from spanwise.config import ModelConfig
    from spanwise.types import Entity

__all__ = ["GLiNER"]

Labels: TypeAlias = str | Sequence[str] | Mapping[str, str]

_TOKENS_PER_TEXT = 256
"""Sub-words that one text of `batch_size` stands for."""
_N_CLASS_PROBS = 5
_PRECISIONS = {
    None: "fp32",
    "fp32": "fp32",
    "float32": "fp32",
    "torch.float32": "fp32",
    "bf16": "bf16",
    "bfloat16": "bf16",
    "torch.bfloat16": "bf16",
    "fp16": "fp16",
    "float16": "fp16",
    "half": "fp16",
    "torch.float16": "fp16",
}
# Arguments of upstream whose default is what happens here; another value is refused.
_LOADING: dict[str, tuple[object, ...]] = {
    "model_dir": (None,),
    "revision": (None,),
    "cache_dir": (None,),
    "force_download": (False,),
    "proxies": (None,),
    "resume_download": (False,),
    "token": (None,),
    "strict": (False, True),  # always strict
    "load_tokenizer": (None, True, False),  # always the checkpoint's own
    "resize_token_embeddings": (True, None),
    "compile_torch_model": (False, None),
    "quantize": (None,),
    "low_cpu_mem_usage": (False,),
    "variant": (None,),
    "session_options": (None,),
    "max_width": (None,),
    "post_fusion_schema": (None,),
    "runtime": (None, "torch"),
    "runtime_model_file": (None,),
    "runtime_options": (None,),
}
_READING: dict[str, tuple[object, ...]] = {
    "packing_config": (None,),
    "input_spans": (None,),
    "return_vectors": (False,),
    "return_label_vectors": (False,),
}


_ALL_LABELS = 10_000
"""Upstream's `max_types` counts in training only: a prompt holds all labels that the window can."""


class GLiNER:
    """A model behind upstream's interface; `extractor` is what it runs on."""

    def __init__(self, extractor: Extractor) -> None:
        """Put upstream's interface on an extractor."""
        self.extractor = extractor

    @classmethod
    def from_pretrained(
        cls,
        model_id: str | Path,
        *,
        local_files_only: bool = False,
        map_location: str = "cpu",
        dtype: object = None,
        max_length: int | None = None,
        load_onnx_model: bool = False,
        onnx_model_file: str = "model.onnx",
        **others: object,
    ) -> Self:
        """Load a checkpoint, GLiNER's or ours.

        Args:
            model_id: folder or hub name.
            local_files_only: never ask the hub.
            map_location: "cpu", "cuda" ...
            dtype: of the weights in memory: None, or a name such as "bf16", or torch's own.
            max_length: words of one window, None for the model's own limit.
            load_onnx_model: run an exported model.
            onnx_model_file: its file in the folder.
            **others: upstream's further arguments, at their defaults only.

        Raises:
            InputError: an argument that is not known or that means nothing here.
            CheckpointError: see `spanwise.load`.
        """
        _refuse("from_pretrained", others, _LOADING)
        precision = _PRECISIONS.get(dtype if dtype is None else str(dtype).lower())
        if precision is None:
            names = ", ".join(name for name in _PRECISIONS if name and "." not in name)
            msg = f"dtype {dtype!r} is not one of {names}"
            raise InputError(msg)
        place = locate(model_id, local_files_only=local_files_only)
        extractor = load(
            place / onnx_model_file if load_onnx_model else place,
            backend="onnx" if load_onnx_model else "pytorch",
            device=str(map_location),
            precision=precision,  # type: ignore[arg-type]
        )
        if max_length is not None:
            backend = extractor.backend
            backend.config = dataclasses.replace(backend.config, max_words=max_length)
            extractor = Extractor(backend)
        return cls(extractor)

    @property
    def config(self) -> ModelConfig:
        """The model's configuration, under our names."""
        return self.extractor.config

    @property
    def device(self) -> object:
        """Where the model runs."""
        return getattr(self.extractor.backend, "device", "cpu")

    def eval(self) -> Self:
        """Return the model; it is always in evaluation mode."""
        return self

    def to(self, device: object) -> Self:
        """Move the model to a device and return it.

        Raises:
            UnsupportedError: an exported model stays where it was loaded.
        """
        backend: Any = self.extractor.backend
        if not hasattr(backend, "to"):
            msg = f"a model of the backend {backend.name!r} cannot be moved; load it where it runs"
            raise UnsupportedError(msg)
        backend.to(str(device))
        return self

    def inference(
        self,
        texts: str | Sequence[str],
        labels: Labels | Sequence[Labels],
        flat_ner: bool = True,
        threshold: float = 0.5,
        multi_label: bool = False,
        batch_size: int = 8,
        *,
        return_class_probs: bool = False,
        **others: object,
    ) -> list[list[dict[str, Any]]]:
        """Return the entities of each text.

        Args:
            texts: one text or many.
            labels: names, or a mapping from name to what the model reads; or one such set per
                text. Repeated names count once.
            flat_ner: entities do not overlap (False: one may lie in another).
            threshold: least probability.
            multi_label: a span may carry several labels.
            batch_size: bounds the memory of a batch, as texts of 256 sub-words. Results do not
                depend on it.
            return_class_probs: give the five best labels of each entity as `class_probs`.
            **others: upstream's further arguments, at their defaults only.

        Returns:
            For each text a list of dictionaries `start`, `end`, `text`, `label`, `score`, by
            start.

        Raises:
            InputError, LabelError: see `Extractor.entities`.
        """
        _refuse("inference", others, _READING)
        flat: object = flat_ner
        if not isinstance(flat, bool):  # a threshold in the third place, as some code has it
            msg = f"flat_ner is {flat!r}, not True or False; if that is meant, write threshold="
            raise InputError(msg)
        if batch_size < 1:
            msg = f"batch_size must be at least 1, got {batch_size}"
            raise InputError(msg)
        texts = [texts] if isinstance(texts, str) else list(texts)
        found = self.extractor.entities(
            texts,
            _label_sets(labels, len(texts)),
            threshold=threshold,
            overlap="flat" if flat_ner else "nested",
            multi_label=multi_label,
            policy="min",
            max_labels=_ALL_LABELS,
            batch_tokens=_TOKENS_PER_TEXT * batch_size,
            probabilities=return_class_probs,
        )
        return [_as_dicts(entities) for entities in found]

    run = inference

    def predict_entities(
        self,
        text: str,
        labels: Labels,
        flat_ner: bool = True,
        threshold: float = 0.5,
        multi_label: bool = False,
        return_class_probs: bool = False,
        **others: Any,  # noqa: ANN401 (handed on)
    ) -> list[dict[str, Any]]:
        """Return the entities of one text; see `inference`."""
        others["return_class_probs"] = return_class_probs
        return self.inference([text], labels, flat_ner, threshold, multi_label, **others)[0]

    def batch_predict_entities(
        self,
        texts: Sequence[str],
        labels: Labels | Sequence[Labels],
        flat_ner: bool = True,
        threshold: float = 0.5,
        multi_label: bool = False,
        **others: Any,  # noqa: ANN401 (handed on)
    ) -> list[list[dict[str, Any]]]:
        """Return the entities of each text; see `inference`."""
        return self.inference(texts, labels, flat_ner, threshold, multi_label, **others)

    def save_pretrained(self, save_directory: str | Path, **others: object) -> None:
        """Write the model in GLiNER's format, as safetensors.

        Raises:
            InputError: an argument that means nothing here.
            UnsupportedError: an exported model holds no weights to write.
        """
        _refuse(
            "save_pretrained",
            others,
            {
                "config": (None,),
                "repo_id": (None,),
                "push_to_hub": (False,),
                "safe_serialization": (True, False),  # always safetensors
            },
        )
        backend: Any = self.extractor.backend
        if backend.name != "pytorch":
            msg = f"a model of the backend {backend.name!r} cannot be saved; copy its folder"
            raise UnsupportedError(msg)
        from spanwise.model import write_model  # noqa: PLC0415 (imports torch)
        from spanwise.model.checkpoint import Model  # noqa: PLC0415

        write_model(Model(backend.network, backend.tokenizer), save_directory, form="gliner")


def _label_sets(labels: Labels | Sequence[Labels], n_texts: int) -> list[Label] | list[list[Label]]:
    """Return the labels of all texts, or a list per text."""
    if isinstance(labels, (str, Mapping)) or all(isinstance(label, str) for label in labels):
        return _label_set(labels)  # type: ignore[arg-type]
    if len(labels) != n_texts:
        msg = f"labels are given for {len(labels)} texts, there are {n_texts}; one set per text"
        raise InputError(msg)
    return [_label_set(each) for each in labels]


def _label_set(labels: Labels) -> list[Label]:
    if isinstance(labels, Mapping):
        return [Label(name, prompt) for name, prompt in labels.items()]
    names = [labels] if isinstance(labels, str) else labels
    return [Label(name) for name in dict.fromkeys(names)]


def _as_dicts(entities: Sequence[Entity]) -> list[dict[str, Any]]:
    """Return upstream's dictionaries in upstream's order: by start, then by falling score."""
    plain = []
    for entity in sorted(entities, key=lambda each: (each.start, -each.score)):
        made: dict[str, Any] = {
            "start": entity.start,
            "end": entity.end,
            "text": entity.text,
            "label": entity.label,
            "score": entity.score,
        }
        if entity.probabilities is not None:
            ranked = sorted(entity.probabilities.items(), key=lambda pair: -pair[1])
            made["class_probs"] = dict(ranked[:_N_CLASS_PROBS])
        plain.append(made)
    return plain


def _refuse(
    call: str, given: Mapping[str, object], known: Mapping[str, tuple[object, ...]]
) -> None:
    """Raise InputError for an argument that is not known, or that would have to be ignored."""
    for name, value in given.items():
        if name not in known:
            msg = f"{call} has no argument {name!r}{did_you_mean(name, known)}"
            raise InputError(msg)
        if not any(value is each or value == each for each in known[name]):
            msg = f"{call}({name}={value!r}) is not supported here; leave {name} out"
            raise InputError(msg)

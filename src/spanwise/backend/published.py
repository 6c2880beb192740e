"""GLiNER's published ONNX files: `model.onnx` beside `gliner_config.json` and `tokenizer.json`.

    input_ids, attention_mask, words_mask [batch, tokens], text_lengths [batch, 1]
    and for span-level models span_idx [batch, spans, 2], span_mask [batch, spans]
        ->  logits [batch, words, labels, 3] or, from older releases, [3, batch, words, labels];
            span level [batch, words, width, labels]

`words_mask` numbers the words, from 1, at their first sub-words. Which of the two layouts a file
has is found out once, by running it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from spanwise.config import ModelConfig
from spanwise.errors import CheckpointError, MissingFileError, UnsupportedError
from spanwise.flow.encode import Batch, Encoder

if TYPE_CHECKING:
    from pathlib import Path

    import onnxruntime
    from numpy.typing import NDArray

_TOKEN = frozenset({"input_ids", "attention_mask", "words_mask", "text_lengths"})
_SPAN = _TOKEN | {"span_idx", "span_mask"}
_ABSOLUTE_POSITIONS = ("bert-", "MiniLM", "roberta", "electra")


@dataclass(slots=True)
class Published:
    """A published file, ready to run."""

    config: ModelConfig
    tokenizer: Tokenizer
    inputs: frozenset[str]
    labels_first: bool = False

    def score(self, session: onnxruntime.InferenceSession, batch: Batch) -> NDArray[np.float32]:
        """Return the logits in our layout, by a session of this file."""
        feeds = {
            "input_ids": batch.ids,
            "attention_mask": batch.mask,
            "words_mask": _words_mask(batch),
            "text_lengths": batch.n_words[:, None],
        }
        if self.config.architecture == "span":
            feeds |= _spans(batch, self.config.max_width)
        given = {name: array for name, array in feeds.items() if name in self.inputs}
        logits = np.asarray(session.run(["logits"], given)[0], dtype=np.float32)
        if self.labels_first:
            logits = np.ascontiguousarray(np.moveaxis(logits, 0, -1))
        return logits


def read(path: Path, session: onnxruntime.InferenceSession) -> Published:
    """Return the published model whose file this session has opened.

    Raises:
        UnsupportedError: the file's inputs are of no model that this package runs.
        MissingFileError: the configuration or the tokenizer is not beside it.
        CheckpointError: they cannot be read.
    """
    inputs = frozenset(each.name for each in session.get_inputs())
    if not {"input_ids", "words_mask"} <= inputs <= _SPAN:
        msg = (
            f"{path} holds no metadata of spanwise and its inputs ({', '.join(sorted(inputs))}) "
            "are not those of a GLiNER file; make one with `spanwise export MODEL`"
        )
        raise UnsupportedError(msg)
    stored = _json(_beside(path, "gliner_config.json"))
    tokenizer_file = _beside(path, "tokenizer.json")
    try:
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
    except Exception as error:  # the library raises bare Exception
        msg = f"{tokenizer_file} cannot be read: {error}"
        raise CheckpointError(msg) from error
    config = _config(stored, span="span_idx" in inputs)
    made = Published(config, tokenizer, inputs)
    if config.architecture == "token":
        made.labels_first = _labels_first(made, session, path)
    return made


def _labels_first(model: Published, session: onnxruntime.InferenceSession, path: Path) -> bool:
    """Run two words with two labels: a first axis of 3 can only be start, end, inside."""
    encoder = Encoder(model.tokenizer, model.config)
    (words,) = encoder.words([("a", "b")])
    items = [encoder.encode(("a", "b"), encoder.instruction(()), words)]
    shape = model.score(session, encoder.collate(items)).shape
    if shape == (1, 2, 2, 3):
        return False
    if shape == (3, 1, 2, 2):
        return True
    msg = (
        f"{path} gives logits {list(shape)} for one text of two words with two labels, expected "
        "[1, 2, 2, 3] or [3, 1, 2, 2]; is the tokenizer beside it its own?"
    )
    raise CheckpointError(msg)


def _config(stored: dict[str, Any], *, span: bool) -> ModelConfig:
    """Return the configuration; the encoder's is there only where the file holds it."""
    encoder = dict(stored.get("encoder_config") or {})
    name = str(stored.get("model_name", ""))
    absolute = encoder.get("model_type") in {"bert", "roberta", "xlm-roberta", "distilbert"}
    if not encoder:
        absolute = any(part in name for part in _ABSOLUTE_POSITIONS) and "deberta" not in name
    return ModelConfig(
        architecture="span" if span else "token",
        encoder=encoder,
        hidden_size=stored.get("hidden_size") or 512,
        max_words=stored.get("max_len") or 384,
        max_positions=encoder.get("max_position_embeddings", 512) if absolute else None,
        max_labels=stored.get("max_types") or 25,
        max_width=stored.get("max_width") or 12,
        label_token=stored.get("ent_token") or "<<ENT>>",
        separator_token=stored.get("sep_token") or "<<SEP>>",
        embed_label_token=stored.get("embed_ent_token") is not False,
        source=name,
    )


def _beside(path: Path, name: str) -> Path:
    """Return a file in the ONNX file's folder or the one above (files often lie in `onnx/`)."""
    for folder in (path.parent, path.parent.parent):
        if (folder / name).is_file():
            return folder / name
    msg = f"{path} holds no metadata of spanwise, and {name} is not beside it; put it there"
    raise MissingFileError(msg)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no JSON: {error}"
        raise CheckpointError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path} must hold a JSON object, not a {type(found).__name__}"
        raise CheckpointError(msg)
    return found


def _words_mask(batch: Batch) -> NDArray[np.int64]:
    """Return `[batch, tokens]`: 1, 2, … at the words' first sub-words, 0 elsewhere."""
    made = np.zeros_like(batch.ids)
    numbers = np.arange(1, batch.word_positions.shape[1] + 1)
    real = numbers <= batch.n_words[:, None]
    rows, words = np.nonzero(real)
    made[rows, batch.word_positions[rows, words]] = numbers[words]
    return made


def _spans(batch: Batch, width: int) -> dict[str, NDArray[Any]]:
    """Return every span of up to `width` words, and which of them lie in their text."""
    n_words = batch.word_positions.shape[1]
    starts = np.repeat(np.arange(n_words), width)
    ends = starts + np.tile(np.arange(width), n_words)
    every = np.stack((starts, ends), axis=1)[None]
    real = ends[None] < batch.n_words[:, None]
    return {"span_idx": every * real[..., None], "span_mask": real}

"""GLiNER's checkpoints: read into our form and written from it; its names live in this file only.

A folder holds `gliner_config.json`, `model.safetensors` or `pytorch_model.bin`, and the
tokenizer's files. Format and meaning: docs/checkpoints.md. Tensor names translate by the one
table below, in both directions.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import AddedToken
from transformers import AutoConfig

from spanwise.config import ModelConfig
from spanwise.errors import CheckpointError, MissingFileError, UnsupportedError
from spanwise.files import whole_folder
from spanwise.model.checkpoint import (
    TOKENIZER_FILE,
    Model,
    fill,
    read_json,
    read_safetensors,
    read_tokenizer,
)
from spanwise.model.network import Network, encoder_width

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

logger = logging.getLogger(__name__)

CONFIG_FILE = "gliner_config.json"

TENSORS = {
    "encoder.": "token_rep_layer.bert_layer.model.",
    "projection.": "token_rep_layer.projection.",
    "lstm.": "rnn.lstm.",
    "scorer.word_projection.": "scorer.proj_token.",
    "scorer.label_projection.": "scorer.proj_label.",
    "scorer.hidden.": "scorer.out_mlp.0.",
    "scorer.out.": "scorer.out_mlp.3.",
}
"""Our prefix -> GLiNER's, token-level models."""

SPAN_TENSORS = {
    **{ours: theirs for ours, theirs in TENSORS.items() if not ours.startswith("scorer.")},
    "scorer.start.": "span_rep_layer.span_rep_layer.project_start.",
    "scorer.end.": "span_rep_layer.span_rep_layer.project_end.",
    "scorer.out.": "span_rep_layer.span_rep_layer.out_project.",
    "scorer.label.": "prompt_rep_layer.",
}
"""The same for span-level models."""

_NOT_NEEDED = ("pooler.", "position_ids")
"""Parts of tensor names that take no part in the scores."""

_KEYS: dict[str, type | tuple[type, ...]] = {
    "hidden_size": int,
    "dropout": (int, float),
    "span_mode": str,
    "subtoken_pooling": str,
    "max_types": int,
    "max_len": int,
    "max_width": int,
    "num_rnn_layers": int,
    "has_rnn": bool,
    "embed_ent_token": bool,
    "class_token_index": int,
    "vocab_size": int,
    "words_splitter_type": str,
    "represent_spans": bool,
    "ent_token": str,
    "sep_token": str,
    "encoder_config": dict,
    "model_name": str,
    "fuse_layers": bool,
    "model_type": str,
    "labels_encoder": str,
    "labels_decoder": str,
    "relations_layer": str,
    "span_encoder_config": dict,
    "post_fusion_schema": str,
}
"""Keys that are read, with their types; null counts as absent."""

_SPLITTERS = {"whitespace": "regex", "universal": "unicode"}
_ABSOLUTE_POSITIONS = frozenset(
    {"bert", "roberta", "xlm-roberta", "distilbert", "electra", "albert"}
)


def is_upstream(folder: Path) -> bool:
    """Return whether the folder is a GLiNER checkpoint."""
    return (folder / CONFIG_FILE).is_file()


def load(folder: str | Path, *, attention: str = "sdpa") -> Model:
    """Read a GLiNER checkpoint.

    Raises:
        MissingFileError: a file is not there.
        UnsupportedError: an architecture that this package does not run; names the key.
        CheckpointError: a file cannot be read, or a key has the wrong type.
        TensorError: a tensor is missing, unexpected or misshapen.
    """
    folder = Path(folder)
    stored = _checked(read_json(folder / CONFIG_FILE), folder / CONFIG_FILE)
    tokenizer = read_tokenizer(_tokenizer_file(folder, stored))
    _add_special_tokens(tokenizer, stored)
    weights, where = _read_weights(folder)
    renamed = _renamed(weights, stored, where)
    config = _config(stored, folder, tokenizer.get_vocab_size(), renamed)
    network = Network(config, attention=attention)
    fill(network, renamed, where=where)
    return Model(network.eval(), tokenizer)


def save(model: Model, folder: str | Path, *, dtype: torch.dtype | None = None) -> Path:
    """Write a model in GLiNER's format, so that `gliner` loads it and gives the same spans.

    Args:
        model: what to write.
        folder: created, or replaced.
        dtype: the weights' type on disk, None as they are.

    Raises:
        UnsupportedError: a calibrated temperature, which GLiNER's format cannot hold.
    """
    config = model.config
    if config.temperature != 1:
        msg = f"GLiNER's format holds no temperature ({config.temperature}); save without it"
        raise UnsupportedError(msg)
    table = TENSORS if config.architecture == "token" else SPAN_TENSORS
    tensors = {}
    for name, tensor in model.network.state_dict().items():
        ours = next(prefix for prefix in table if name.startswith(prefix))
        tensors[table[ours] + name.removeprefix(ours)] = tensor
    tensors.update(_poolers(model.network, config))
    tensors = {
        name: tensor.detach().to("cpu", dtype or tensor.dtype).contiguous()
        for name, tensor in tensors.items()
    }
    splitter = {ours: theirs for theirs, ours in _SPLITTERS.items()}.get(config.splitter)
    if splitter is None:
        msg = f"GLiNER has no word splitter like {config.splitter!r}; save with 'regex'"
        raise UnsupportedError(msg)
    stored = {
        "model_type": f"gliner_uni_encoder_{config.architecture}",
        "model_name": config.source or "spanwise",
        "name": "spanwise",
        "encoder_config": config.encoder,
        "hidden_size": config.hidden_size,
        "dropout": config.dropout,
        "span_mode": "token_level" if config.architecture == "token" else "markerV0",
        "subtoken_pooling": "first",
        "max_types": config.max_labels,
        "max_len": config.max_words,
        "max_width": config.max_width,
        "num_rnn_layers": config.lstm_layers,
        "has_rnn": config.lstm_layers > 0,
        "embed_ent_token": config.embed_label_token,
        "class_token_index": model.tokenizer.token_to_id(config.label_token),
        "vocab_size": vocabulary_size(model.network),
        "ent_token": config.label_token,
        "sep_token": config.separator_token,
        "words_splitter_type": splitter,
        "fine_tune": True,
        "represent_spans": False,
        "fuse_layers": False,
        "post_fusion_schema": "",
    }
    with whole_folder(folder) as partial:
        save_file(tensors, partial / "model.safetensors", metadata={"format": "pt"})
        model.tokenizer.save(str(partial / TOKENIZER_FILE))
        (partial / "tokenizer_config.json").write_text(_tokenizer_config(model), encoding="utf-8")
        text = json.dumps(stored, indent=2, sort_keys=True) + "\n"
        (partial / CONFIG_FILE).write_text(text, encoding="utf-8")
    return Path(folder)


def _checked(stored: dict[str, Any], where: Path) -> dict[str, Any]:
    """Return the keys that are read, of the right types; null values are left out."""
    known = {key: value for key, value in stored.items() if key in _KEYS and value is not None}
    for key, value in known.items():
        wanted = _KEYS[key]
        right = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
        if not right:
            name = " or ".join(
                t.__name__ for t in (wanted if isinstance(wanted, tuple) else (wanted,))
            )
            msg = f"{where}: key {key!r} must be of type {name}, got {value!r}"
            raise CheckpointError(msg)
    unread = sorted(stored.keys() - _KEYS.keys())
    if unread:
        logger.debug("%s: keys that mean nothing here: %s", where, ", ".join(unread))
    _refuse_unsupported(known, where)
    return known


def _refuse_unsupported(stored: dict[str, Any], where: Path) -> None:
    kind = stored.get("model_type", "")
    for part in ("bi_encoder", "decoder", "relex", "streaming"):
        if part in kind:
            msg = f"{where}: key 'model_type' is {kind!r}; only single-encoder span models run here"
            raise UnsupportedError(msg)
    for key in ("labels_encoder", "labels_decoder", "relations_layer", "span_encoder_config"):
        if stored.get(key):
            msg = (
                f"{where}: key {key!r} is {str(stored[key])[:60]!r}: models with such a part do "
                "not run here, only single-encoder ones"
            )
            raise UnsupportedError(msg)
    expected: dict[str, tuple[object, ...]] = {
        "subtoken_pooling": ("first",),
        "span_mode": ("token_level", "markerV0"),
        "fuse_layers": (False,),
        "represent_spans": (False,),
        "post_fusion_schema": ("",),
        "words_splitter_type": tuple(_SPLITTERS),
    }
    for key, supported in expected.items():
        if key in stored and stored[key] not in supported:
            names = ", ".join(map(repr, supported))
            msg = f"{where}: key {key!r} is {stored[key]!r}; supported: {names}"
            raise UnsupportedError(msg)


def _config(
    stored: dict[str, Any], folder: Path, vocabulary: int, tensors: dict[str, Tensor]
) -> ModelConfig:
    """Translate the configuration; what it leaves open is taken from the tensors."""
    encoder = _encoder_config(stored, folder)
    rows = next(
        (
            t.shape[0]
            for n, t in tensors.items()
            if n.endswith(("word_embeddings.weight", "tok_embeddings.weight"))
        ),
        vocabulary,
    )
    encoder["vocab_size"] = int(rows)
    absolute = encoder.get("model_type") in _ABSOLUTE_POSITIONS
    positions = encoder.get("max_position_embeddings") if absolute else None
    if positions and encoder.get("model_type") in {"roberta", "xlm-roberta"}:
        positions -= 2  # their positions begin after the pad token's
    has_lstm = any(name.startswith("lstm.") for name in tensors)
    return ModelConfig(
        architecture="token" if stored.get("span_mode", "markerV0") == "token_level" else "span",
        encoder=encoder,
        hidden_size=stored.get("hidden_size", 512),
        max_words=stored.get("max_len", 384),
        max_positions=positions,
        max_labels=stored.get("max_types", 25),
        max_width=stored.get("max_width", 12),
        lstm_layers=max(1, stored.get("num_rnn_layers", 1)) if has_lstm else 0,
        label_token=stored.get("ent_token", "<<ENT>>"),
        separator_token=stored.get("sep_token", "<<SEP>>"),
        embed_label_token=stored.get("embed_ent_token", True),
        splitter=_SPLITTERS[stored.get("words_splitter_type", "whitespace")],
        dropout=float(stored.get("dropout", 0.1)),
        source=stored.get("model_name", ""),
    )


def _encoder_config(stored: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the encoder's configuration: from the file, a folder beside it, or the local hub."""
    if "encoder_config" in stored:
        return {"model_type": "deberta-v2", **stored["encoder_config"]}
    name = stored.get("model_name", "")
    beside = folder / name
    place = beside if name and (beside / "config.json").is_file() else name
    try:
        found = AutoConfig.from_pretrained(place, local_files_only=True)
    except (OSError, ValueError) as error:
        msg = (
            f"{folder / CONFIG_FILE}: no 'encoder_config', and the configuration of encoder "
            f"{name!r} is neither beside it nor in the local hub cache; put its config.json "
            f"into {beside}"
        )
        raise MissingFileError(msg) from error
    made: dict[str, Any] = found.to_diff_dict()
    made["model_type"] = found.model_type
    return made


def _tokenizer_file(folder: Path, stored: dict[str, Any]) -> Path:
    """Return the fast tokenizer's file: in the folder, or in the encoder's beside it."""
    beside = folder / stored.get("model_name", "") / TOKENIZER_FILE
    own = folder / TOKENIZER_FILE
    return own if own.is_file() or not beside.is_file() else beside


def _add_special_tokens(tokenizer: Tokenizer, stored: dict[str, Any]) -> None:
    """Add the prompt's tokens where the encoder's own tokenizer came along (gliner_*-v2.1).

    Such files were trained with three tokens added at the end in this order; `[FLERT]` stands in
    no prompt, but takes an id.
    """
    tokens = [stored.get("ent_token", "<<ENT>>"), stored.get("sep_token", "<<SEP>>")]
    if all(tokenizer.token_to_id(token) is None for token in tokens):
        added = [AddedToken(t, special=True, normalized=False) for t in ("[FLERT]", *tokens)]
        tokenizer.add_special_tokens(added)


def _read_weights(folder: Path) -> tuple[dict[str, Tensor], Path]:
    """Read safetensors, else the pickle with nothing but tensors in it."""
    path = folder / "model.safetensors"
    if path.is_file():
        tensors = read_safetensors(path)
        with safe_open(path, framework="pt") as file:
            tied = file.metadata() or {}
        for name, other in tied.items():
            if other in tensors and name not in tensors:
                tensors[name] = tensors[other]
        return tensors, path
    path = folder / "pytorch_model.bin"
    if not path.is_file():
        msg = f"{folder} holds neither model.safetensors nor pytorch_model.bin"
        raise MissingFileError(msg)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes make the unpickler raise anything
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        msg = (
            f"{path} is refused: it is damaged or holds more than tensors ({reason[:120]}); "
            "a pickle can run code, get a safetensors file"
        )
        raise CheckpointError(msg) from error
    if not isinstance(found, dict) or not all(isinstance(t, torch.Tensor) for t in found.values()):
        msg = f"{path} must hold a dictionary of tensors"
        raise CheckpointError(msg)
    return found, path


def _renamed(tensors: dict[str, Tensor], stored: dict[str, Any], where: Path) -> dict[str, Tensor]:
    """Return the tensors under our names; those that take no part in the scores are left out."""
    table = TENSORS if stored.get("span_mode", "markerV0") == "token_level" else SPAN_TENSORS
    theirs = {other: own for own, other in table.items()}
    renamed: dict[str, Tensor] = {}
    ignored = []
    for full_name, tensor in tensors.items():
        name = full_name.removeprefix("model.") if full_name.startswith("model.t") else full_name
        name = name.replace("_orig_mod.", "")
        prefix = next((p for p in theirs if name.startswith(p)), None)
        if prefix and any(part in name for part in _NOT_NEEDED):
            ignored.append(full_name)
            continue
        renamed[theirs[prefix] + name.removeprefix(prefix) if prefix else full_name] = tensor
    if ignored:
        logger.debug("%s: tensors that take no part: %s", where, ", ".join(ignored))
    return renamed


def _poolers(network: Network, config: ModelConfig) -> dict[str, Tensor]:
    """Return zeros for the pooler that GLiNER's encoders carry without using it."""
    if config.encoder.get("model_type") not in {"bert", "roberta", "xlm-roberta"}:
        return {}
    width = encoder_width(network.encoder)
    prefix = TENSORS["encoder."] + "pooler.dense."
    return {f"{prefix}weight": torch.zeros(width, width), f"{prefix}bias": torch.zeros(width)}


def _tokenizer_config(model: Model) -> str:
    """Return the least `tokenizer_config.json` with which transformers reads the tokenizer."""
    special = {
        name: token
        for name, choices in {
            "cls_token": ("[CLS]", "<s>"),
            "sep_token": ("[SEP]", "</s>"),
            "pad_token": ("[PAD]", "<pad>"),
            "unk_token": ("[UNK]", "<unk>"),
            "mask_token": ("[MASK]", "<mask>"),
        }.items()
        for token in choices
        if model.tokenizer.token_to_id(token) is not None
    }
    return json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **special}, indent=1) + "\n"


def vocabulary_size(network: Network) -> int:
    """Return the rows of the encoder's word embeddings."""
    return int(network.encoder.get_input_embeddings().weight.shape[0])  # type: ignore[operator]


def without_calibration(config: ModelConfig) -> ModelConfig:
    """Return the configuration without thresholds and temperature, which GLiNER cannot hold."""
    return dataclasses.replace(config, thresholds={}, temperature=1.0)

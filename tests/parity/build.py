"""Builds the tiny random-weight checkpoints that the judge is asked about.

In: the texts of `texts.jsonl`, from which small tokenizers are trained. Out: one folder per
`Recipe`, written by gliner's own `save_pretrained`, then brought into the older or newer form
that the recipe names. Weights are random but not arbitrary: attention is peaked enough that
labels differ from one another, and the last layer is calibrated so that some, not all, words
start, end and lie inside spans. They lie on a coarse grid, so that they compress.

Runs in the judge's environment only; see `record.py`.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from gliner.model import UniEncoderSpanGLiNER, UniEncoderTokenGLiNER
from tokenizers import AddedToken, Tokenizer
from vocabulary import TOKENIZERS

if TYPE_CHECKING:
    from pathlib import Path

PROBE_LABELS = [
    "person",
    "Organization",
    "city",
    "date of birth",
    "key phrase",
    "answer",
    "food",
    "Ada Lovelace <> employer",
    "programming language",
    "summary",
    "river",
    "medical condition",
]
"""Labels with which the last layer is calibrated."""

KEPT_OPEN = 10**30
"""What a tokenizer without a length limit writes as its limit."""

TRAINING_KEYS: dict[str, Any] = {
    "eval_every": 1000,
    "log_dir": "models",
    "lr_encoder": "1e-5",
    "lr_others": "5e-5",
    "num_steps": 30000,
    "prev_path": None,
    "random_drop": True,
    "scheduler_type": "cosine",
    "shuffle_types": True,
    "size_sup": -1,
    "train_batch_size": 8,
    "warmup_ratio": 0.1,
}
"""Keys of a training run, which old releases left in the model's config."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One checkpoint: what is built, and the form of the files it is left in."""

    name: str
    encoder: str
    """`bert`, `deberta` or `modernbert`."""
    tokenizer: str
    """A key of `vocabulary.TOKENIZERS`."""
    width: int = 32
    hidden: int = 32
    span_mode: str = "token_level"
    safetensors: bool = True
    rnn_layers: int = 1
    max_len: int = 384
    max_width: int = 12
    max_positions: int = 512
    special_tokens: tuple[str, ...] = ("[FLERT]", "<<ENT>>", "<<SEP>>")
    ent_token: str = "<<ENT>>"
    sep_token: str = "<<SEP>>"
    extra: dict[str, Any] = field(default_factory=dict)
    """Further keys of `gliner_config.json`, given to gliner itself."""
    drop: tuple[str, ...] = ()
    """Keys taken out of the written `gliner_config.json`."""
    put: dict[str, Any] = field(default_factory=dict)
    """Keys put into the written `gliner_config.json`."""
    tied: bool = False
    """Whether two tensors share storage, so that safetensors leaves one out."""
    outer_encoder: bool = False
    """Whether encoder config and tokenizer lie in a folder `encoder`, named by `model_name`."""
    verbatim: bool = True
    """Whether the tokenizer's class lets transformers read `tokenizer.json` as it stands."""
    seed: int = 0


MULTITASK_FORM: dict[str, Any] = {
    "decoder_mode": None,
    "has_rnn": True,
    "labels_encoder": None,
    "labels_encoder_config": None,
    "model_type": "gliner",
    "name": "span level gliner",
    "num_post_fusion_layers": 1,
    "post_fusion_schema": "",
    "transformers_version": "4.44.0",
    **TRAINING_KEYS,
}

RECIPES = (
    Recipe(name="bert-token", encoder="bert", tokenizer="uncased", verbatim=False, seed=1),
    Recipe(
        name="bert-token-projected",
        encoder="bert",
        tokenizer="cased",
        hidden=48,
        safetensors=False,
        max_len=40,
        max_positions=160,
        drop=("num_rnn_layers", "represent_spans", "ent_token", "sep_token", "neg_spans_ratio"),
        put={**TRAINING_KEYS, "has_rnn": True, "freeze_token_rep": False},
        verbatim=False,
        seed=22,
    ),
    Recipe(
        name="bert-token-no-rnn",
        encoder="bert",
        tokenizer="uncased",
        rnn_layers=0,
        special_tokens=("<<SEP>>", "[SPARE]", "<<ENT>>", "[LAST]"),
        put={"has_rnn": False},
        seed=3,
    ),
    Recipe(
        name="bert-token-rnn-flag",
        encoder="bert",
        tokenizer="uncased",
        rnn_layers=0,
        special_tokens=("<<SEP>>", "[SPARE]", "<<ENT>>", "[LAST]"),
        drop=("num_rnn_layers",),
        put={"has_rnn": False},
        seed=3,
    ),
    Recipe(
        name="bert-span",
        encoder="bert",
        tokenizer="cased",
        span_mode="markerV0",
        tied=True,
        seed=4,
    ),
    Recipe(
        name="bert-token-represented",
        encoder="bert",
        tokenizer="uncased",
        safetensors=False,
        extra={"represent_spans": True},
        seed=5,
    ),
    Recipe(
        name="deberta-token",
        encoder="deberta",
        tokenizer="unigram-nfc",
        safetensors=False,
        verbatim=False,
        seed=6,
    ),
    Recipe(
        name="deberta-token-projected",
        encoder="deberta",
        tokenizer="unigram",
        width=48,
        max_len=60,
        max_width=100,
        extra={"max_types": 30, "dropout": 0.1},
        drop=("num_rnn_layers", "represent_spans", "ent_token", "sep_token"),
        put=MULTITASK_FORM,
        seed=7,
    ),
    Recipe(
        name="deberta-token-published",
        encoder="deberta",
        tokenizer="unigram",
        hidden=48,
        drop=("num_rnn_layers",),
        put={"has_rnn": True},
        verbatim=False,
        seed=8,
    ),
    Recipe(
        name="deberta-token-label",
        encoder="deberta",
        tokenizer="unigram",
        rnn_layers=2,
        special_tokens=("[SEPARATOR]", "[LABEL]"),
        ent_token="[LABEL]",
        sep_token="[SEPARATOR]",
        extra={"embed_ent_token": False},
        seed=9,
    ),
    Recipe(
        name="deberta-span",
        encoder="deberta",
        tokenizer="unigram",
        hidden=40,
        span_mode="markerV0",
        max_width=6,
        seed=10,
    ),
    Recipe(
        name="deberta-span-old",
        encoder="deberta",
        tokenizer="unigram",
        span_mode="markerV0",
        safetensors=False,
        outer_encoder=True,
        drop=("encoder_config", "vocab_size", "class_token_index", "num_rnn_layers", "model_type"),
        put=TRAINING_KEYS,
        seed=11,
    ),
    Recipe(
        name="modernbert-token",
        encoder="modernbert",
        tokenizer="bytes",
        hidden=48,
        seed=12,
    ),
)


def build(recipe: Recipe, texts: list[str], folder: Path, scratch: Path) -> None:
    """Writes the recipe's checkpoint into `folder`, using `scratch` for what is not kept."""
    base = scratch / f"base-{recipe.name}"
    write_base(recipe, texts, base)
    kind = UniEncoderTokenGLiNER if recipe.span_mode == "token_level" else UniEncoderSpanGLiNER
    flert = recipe.special_tokens[0] == "[FLERT]"
    indices: dict[str, int] = {}
    if not flert:
        tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        index = tokenizer.token_to_id(recipe.ent_token)
        indices = {"class_token_index": index, "vocab_size": tokenizer.get_vocab_size()}
    encoder_config = json.loads((base / "config.json").read_text())
    model = kind.load_from_config(
        {
            "model_name": str(base),
            "name": recipe.name,
            "hidden_size": recipe.hidden,
            "span_mode": recipe.span_mode,
            "max_len": recipe.max_len,
            "max_width": recipe.max_width,
            "num_rnn_layers": recipe.rnn_layers,
            "ent_token": recipe.ent_token,
            "sep_token": recipe.sep_token,
            "encoder_config": encoder_config,
            "labels_encoder": None,
            **indices,
            **recipe.extra,
        },
        backbone_from_pretrained=False,
    )
    draw_weights(model, recipe)
    calibrate(model, texts)
    model.config.model_name = "encoder" if recipe.outer_encoder else f"tiny/{recipe.encoder}"
    model.save_pretrained(folder, safe_serialization=recipe.safetensors)
    bring_into_form(recipe, base, folder)


def bring_into_form(recipe: Recipe, base: Path, folder: Path) -> None:
    """Rewrites config and tokenizer files as the recipe's form of release has them."""
    path = folder / "gliner_config.json"
    config = json.loads(path.read_text())
    kept = {key: value for key, value in config.items() if key not in recipe.drop}
    path.write_text(json.dumps(kept | recipe.put, indent=2, sort_keys=True) + "\n")
    if recipe.outer_encoder:
        for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
            (folder / file).unlink(missing_ok=True)
        shutil.copytree(base, folder / "encoder")
    elif recipe.tokenizer == "unigram" and not recipe.verbatim:
        # As transformers 4 wrote it: the normalizer that training saw is in the file.
        tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        tokenizer.add_special_tokens(
            [AddedToken(t, normalized=False, special=True) for t in recipe.special_tokens]
        )
        tokenizer.save(str(folder / "tokenizer.json"))
    settings = folder / "tokenizer_config.json"
    if settings.exists():
        written = json.loads(settings.read_text())
        dropped = ("is_local", "local_files_only", "name_or_path")
        written = {key: value for key, value in written.items() if key not in dropped}
        settings.write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")


def write_base(recipe: Recipe, texts: list[str], base: Path) -> None:
    """Writes what a hub repository of the bare encoder would hold, without weights."""
    base.mkdir(parents=True)
    tokenizer, settings = TOKENIZERS[recipe.tokenizer](texts)
    if recipe.special_tokens[0] != "[FLERT]":
        tokenizer.add_special_tokens(
            [AddedToken(t, normalized=False, special=True) for t in recipe.special_tokens]
        )
    if recipe.verbatim:
        settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    limited = recipe.encoder == "bert"
    settings["model_max_length"] = recipe.max_positions if limited else KEPT_OPEN
    tokenizer.save(str(base / "tokenizer.json"))
    (base / "tokenizer_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True))
    config = encoder_config(recipe, tokenizer.get_vocab_size())
    (base / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True))


def encoder_config(recipe: Recipe, vocab_size: int) -> dict[str, Any]:
    """The encoder's `config.json`."""
    config: dict[str, Any] = {
        "hidden_size": recipe.width,
        "intermediate_size": 2 * recipe.width,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "pad_token_id": 0,
        "vocab_size": vocab_size,
    }
    if recipe.encoder == "bert":
        return config | {"model_type": "bert", "max_position_embeddings": recipe.max_positions}
    if recipe.encoder == "modernbert":
        return config | {
            "model_type": "modernbert",
            "max_position_embeddings": recipe.max_positions,
            "local_attention": 16,
            "global_attn_every_n_layers": 2,
            "bos_token_id": 1,
            "cls_token_id": 1,
            "eos_token_id": 2,
            "sep_token_id": 2,
            "reference_compile": False,
        }
    return config | {
        "model_type": "deberta-v2",
        "layer_norm_eps": 1e-7,
        "max_position_embeddings": recipe.max_positions,
        "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm",
        "pos_att_type": "p2c|c2p",
        "position_biased_input": False,
        "position_buckets": 32,
        "relative_attention": True,
        "share_att_key": True,
        "type_vocab_size": 0,
    }


def on_grid(tensor: torch.Tensor, levels: int) -> torch.Tensor:
    """The tensor on multiples of a power of two, about `levels` of them per deviation."""
    spread = float(tensor.double().std()) if tensor.numel() > 1 else float(tensor.abs())
    step = 2.0 ** round(math.log2(max(spread, 1e-3) / levels))
    return torch.round(tensor / step) * step


@torch.no_grad()
def draw_weights(model: Any, recipe: Recipe) -> None:
    """Replaces every parameter by seeded normal noise of a scale that suits its place."""
    source = torch.Generator().manual_seed(1000 + recipe.seed)
    for name, parameter in model.model.named_parameters():
        noise = torch.randn(parameter.shape, generator=source)
        if "norm" in name.lower() or name.endswith(("rel_embeddings.LayerNorm.weight",)):
            value = 1 + 0.1 * noise if name.endswith("weight") else 0.05 * noise
        elif "embeddings" in name or "tok_embeddings" in name:
            value = noise * (0.15 if "position" in name or "token_type" in name else 0.6)
        elif parameter.dim() == 1:
            value = 0.1 * noise
        else:
            peaked = any(part in name for part in ("query", "key", "Wqkv"))
            value = noise * (1.6 if peaked else 1.1) / math.sqrt(parameter.shape[-1])
        parameter.copy_(on_grid(value, 5))
    if recipe.tied:
        layer = model.model.span_rep_layer.span_rep_layer
        layer.project_end[3].weight = layer.project_start[3].weight


@torch.no_grad()
def calibrate(model: Any, texts: list[str]) -> None:
    """Scales the last layer so that some words, not all, start, end and lie inside spans."""
    core = model.model
    sample = [text for text in texts if 40 < len(text) < 400][:48]
    if hasattr(core, "scorer"):
        # Labels alone must not decide: their own part of the first layer counts for less.
        width = core.scorer.out_mlp[0].weight.shape[1] // 3
        core.scorer.out_mlp[0].weight[:, width : 2 * width] *= 0.25
        last = core.scorer.out_mlp[3]
        logits = torch.cat([z.reshape(-1, 3) for z in logits_of(model, sample)])
        last.weight.mul_(2.2 / logits.std(0).unsqueeze(1))
        last.weight.copy_(on_grid(last.weight, 24))
        logits = torch.cat([z.reshape(-1, 3) for z in logits_of(model, sample)])
        for part, share in enumerate((0.80, 0.79, 0.40)):
            last.bias[part] -= torch.quantile(logits[:, part], share)
        last.bias.copy_(torch.round(last.bias * 4096) / 4096)
    if hasattr(core, "span_rep_layer"):
        out = core.span_rep_layer.span_rep_layer.out_project[3]
        label = core.prompt_rep_layer[3] if hasattr(core, "prompt_rep_layer") else None
        seen: list[torch.Tensor] = []
        hook = out.register_forward_hook(lambda _m, _i, o: seen.append(o.reshape(-1, o.shape[-1])))
        span_logits_of(model, sample)
        hook.remove()
        out.bias -= torch.cat(seen).mean(0)
        scale = 2.2 / span_logits_of(model, sample).std()
        out.weight.copy_(on_grid(out.weight * scale, 24))
        out.bias.copy_(torch.round(out.bias * scale * 4096) / 4096)
        if label is not None:
            # One dimension carries the shift: 1 on the span's side, a constant on the label's.
            out.weight[0] = 0
            out.bias[0] = 1
            label.weight[0] = 0
            label.bias[0] = 0
            shift = torch.quantile(span_logits_of(model, sample), 0.95)
            label.bias[0] = -torch.round(shift * 4096) / 4096


def logits_of(model: Any, texts: list[str]) -> list[torch.Tensor]:
    """The logits of each text alone, for the probe labels."""
    model.eval()
    return [run(model, text).logits[0] for text in texts]


def span_logits_of(model: Any, texts: list[str]) -> torch.Tensor:
    """The span scores of every text in one row, at most a million of them."""
    model.eval()
    outputs = [run(model, text) for text in texts]
    found = [o.logits if o.span_logits is None else o.span_logits for o in outputs]
    return torch.cat([z.reshape(-1) for z in found])[:1_000_000]


def run(model: Any, text: str) -> Any:
    """What the model puts out for one text and the probe labels."""
    prepared = model.prepare_batch([text], PROBE_LABELS)
    batch = model.collate_batch(prepared["input_x"], prepared["entity_types"])
    return model.run_batch(batch)

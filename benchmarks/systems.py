"""One system in a process of its own: loads a model, then runs what it is told to, and times it.

    python systems.py NAME FOLDER THREADS    commands as JSON lines on stdin, answers on stdout
    python systems.py build SHAPE FOLDER     random weights of that shape, in gliner's format

`NAME` is a key of `LOADERS`; those of gliner run in gliner's own environment, so this file imports
nothing of ours at its head. A command is `{"texts": [...], "labels": [...], "each": bool}`: all
texts in one call, or one call per text; with `"since_start": true` the peak of memory counts from
the start of the process, otherwise from that of the command. The answer has seconds, spans, peak.
"""

# ruff: noqa: PLC0415 (two environments run this file, and neither has all that it imports)

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[list[str], list[str]], list[Any]]

MINILM: dict[str, Any] = {
    "model_type": "bert",
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}
DEBERTA_LARGE: dict[str, Any] = {
    "model_type": "deberta-v2",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "max_position_embeddings": 512,
    "type_vocab_size": 0,
    "layer_norm_eps": 1e-7,
    "max_relative_positions": -1,
    "norm_rel_ebd": "layer_norm",
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "position_buckets": 256,
    "relative_attention": True,
    "share_att_key": True,
}
SHAPES = {"small": (MINILM, 256, 384, 30_525), "large": (DEBERTA_LARGE, 512, 768, 128_004)}
"""Encoder, H, words of a window, rows of the embedding table."""

HITS = 0.01
"""Share of (word, label) places that start a span, of those that end one; inside: ten times it."""

CLEAR = Path("/proc/self/clear_refs")


def spanwise_torch(folder: str, threads: int, precision: str) -> Call:
    """Ours on torch."""
    import spanwise

    extractor = spanwise.load(folder, backend="pytorch", precision=precision, threads=threads)
    return lambda texts, labels: extractor.entities(texts, labels, policy="min")


def spanwise_onnx(folder: str, threads: int, variant: str) -> Call:
    """Ours on ONNX Runtime."""
    import spanwise

    extractor = spanwise.load(f"{folder}/model.{variant}.onnx", threads=threads)
    return lambda texts, labels: extractor.entities(texts, labels, policy="min")


def gliner(folder: str, threads: int, kind: str) -> Call:
    """Gliner: its default, or one of the ways it offers to be faster."""
    import torch
    from gliner import GLiNER

    torch.set_num_threads(threads)
    options: dict[str, Any] = {"local_files_only": True}
    if kind == "bf16":
        options["dtype"] = "bf16"
    elif kind == "compile":
        options["compile_torch_model"] = True
    elif kind in {"onnx", "onnx-int8"}:
        import onnxruntime

        session = onnxruntime.SessionOptions()
        session.intra_op_num_threads = threads
        file = "gliner.onnx" if kind == "onnx" else "gliner_quantized.onnx"
        options |= {"load_onnx_model": True, "onnx_model_file": file, "session_options": session}
    model = GLiNER.from_pretrained(folder, **options)
    if kind == "int8":
        model.quantize("int8")
    more: dict[str, Any] = {}
    if kind == "packing":
        from gliner import InferencePackingConfig

        more["packing_config"] = InferencePackingConfig(max_length=512)
    return lambda texts, labels: model.inference(texts, labels, **more)


LOADERS: dict[str, tuple[Callable[[str, int, str], Call], str]] = {
    "spanwise torch fp32": (spanwise_torch, "fp32"),
    "spanwise torch bf16": (spanwise_torch, "bf16"),
    "spanwise onnx fp32": (spanwise_onnx, "fp32"),
    "spanwise onnx int8": (spanwise_onnx, "int8"),
    "gliner": (gliner, "default"),
    "gliner bf16": (gliner, "bf16"),
    "gliner int8": (gliner, "int8"),
    "gliner packing": (gliner, "packing"),
    "gliner compile": (gliner, "compile"),
    "gliner onnx": (gliner, "onnx"),
    "gliner onnx int8": (gliner, "onnx-int8"),
}


def main(arguments: list[str]) -> None:
    """Build a model, or load one and answer commands."""
    if arguments[0] == "build":
        build(arguments[1], Path(arguments[2]))
        return
    name, folder, threads = arguments
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    load, kind = LOADERS[name]
    try:
        call = load(folder, int(threads), kind)
        answers.write(json.dumps({"ready": True}) + "\n")
        for line in sys.stdin:
            answers.write(json.dumps(answer(call, **json.loads(line))) + "\n")
    except Exception as error:  # noqa: BLE001 (the edge of a process: others go on without it)
        lines = str(error).strip().splitlines() or [""]
        answers.write(json.dumps({"error": f"{type(error).__name__}: {lines[0][:200]}"}) + "\n")


def answer(
    call: Call,
    *,
    texts: list[str],
    labels: list[str],
    each: bool = False,
    since_start: bool = False,
) -> dict[str, Any]:
    """Run one command."""
    if not since_start and CLEAR.exists():
        CLEAR.write_text("5")  # resets the peak, see proc(5)
    times = []
    n_spans = 0
    worked = time.process_time()
    for part in [[text] for text in texts] if each else [texts]:
        start = time.perf_counter()
        found = call(part, labels)
        times.append(time.perf_counter() - start)
        n_spans += sum(map(len, found))
    return {
        "seconds": times,
        "spans": n_spans,
        "peak_mb": peak_mb(),
        "cpu_s": time.process_time() - worked,
    }


def peak_mb() -> float:
    """Return the most memory held at once, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def build(shape: str, folder: Path) -> None:
    """Write a random-weight model of that shape with gliner's own classes and its ONNX files."""
    import torch
    from gliner.model import UniEncoderTokenGLiNER

    encoder, hidden, max_len, rows = SHAPES[shape]
    residual = (2 * encoder["num_hidden_layers"]) ** -0.5
    base = folder / "base"  # holds tokenizer.json already
    encoder = encoder | {"vocab_size": rows, "pad_token_id": 0}
    (base / "config.json").write_text(json.dumps(encoder))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}
    settings |= {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    (base / "tokenizer_config.json").write_text(json.dumps(settings | {"sep_token": "[SEP]"}))
    tokens = json.loads((base / "tokenizer.json").read_text())["added_tokens"]
    (label_token,) = (token["id"] for token in tokens if token["content"] == "<<ENT>>")
    torch.manual_seed(0)
    model = UniEncoderTokenGLiNER.load_from_config(
        {
            "model_name": str(base),
            "hidden_size": hidden,
            "span_mode": "token_level",
            "max_len": max_len,
            "max_types": 100,
            "num_rnn_layers": 1,
            "encoder_config": encoder,
            # both given, or the table is cut to the rows that the tokenizer uses
            "vocab_size": rows,
            "class_token_index": label_token,
        },
        backbone_from_pretrained=False,
    ).eval()
    last = model.model.scorer.out_mlp[3]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("output.dense.weight"):
                # as GPT-2 starts: in 24 layers of full size all tokens become alike
                weight.mul_(residual)
        probe = model.prepare_batch(["Ada Lovelace wrote the first program . " * 5], ["a", "b"])
        batch = model.collate_batch(probe["input_x"], probe["entity_types"])
        logits = model.run_batch(batch).logits.reshape(-1, 3)
        last.weight.mul_((2 / logits.std(0))[:, None])
        logits = model.run_batch(batch).logits.reshape(-1, 3)
        last.bias -= torch.stack(
            [torch.quantile(logits[:, i], 1 - HITS * (10 if i == 2 else 1)) for i in range(3)]
        )
    model.save_pretrained(folder)
    model.export_to_onnx(
        folder,
        onnx_filename="gliner.onnx",
        quantized_filename="gliner_quantized.onnx",
        quantize=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])

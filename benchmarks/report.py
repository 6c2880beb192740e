"""Results of `speed.py` -> the page docs/benchmarks.md and its plot.

All that is written follows from the results file, so a page can be made anew without a machine to
measure on. What was not measured says so; it is never left out.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Results = dict[str, Any]

BASE = "gliner"
OURS = "spanwise onnx int8"
SENTENCES, ONE, MANY = "sentence, 9 labels", "one sentence, 9 labels", "sentence, 100 labels"
NOT = "not measured"
SIZES = {
    "small": "26M parameters, MiniLM shape",
    "large": "440M parameters, DeBERTa-v3-large shape",
}
NOTES = {
    "large": [
        "Both systems read with the tokenizer of the small shape, so ids stay below 30,525 of the",
        "table's 128,004 rows, and texts are as many sub-words long as there. The maps that end in",
        "a residual sum are scaled by 1/sqrt(2 x layers): after 24 random layers of full size all",
        "tokens would be alike. Texts are few, since gliner takes about half a second for each,",
        "and its packing and `torch.compile` are left out, as is spanwise's torch in fp32.",
    ]
}
APART = {"machine", "failed", "memory", "cold", "decode", "linear", "install_mb"}
"""Keys of the results that are no cases."""
PACKAGES = ["gliner", "numpy", "onnx", "onnxruntime", "tokenizers", "torch", "transformers"]


def write(everything: Results, docs: Path) -> None:
    """Write the page and, where matplotlib is installed, the plot of each shape."""
    text = [
        "# Speed and memory",
        "",
        "Written by `benchmarks/speed.py` from the results it leaves beside this page:",
        "",
        "```sh",
        "python benchmarks/speed.py --gliner-python PYTHON --tokenizer tokenizer.json",
        "```",
        "",
        "in about five minutes with `--quick`, with another model with `--shape large`.",
        "Same random weights, texts (cut from real sentences), labels and threads for all. Every",
        "system is a process of its own and all take turns, round by round; ratios are medians of",
        "the ratios within rounds. `gliner` is its default; its *best* is the fastest of its other",
        "settings in the same case: bf16, dynamic int8, packing, its own ONNX files in fp32 and",
        "int8. Texts of 5,000 words are cut to 200-word pieces for gliner, which would drop the",
        "rest. Its `torch.compile` takes minutes to start and is measured only on request.",
    ]
    for shape in SIZES:
        text += ["", *_shape(shape, everything.get(shape, {}), docs)]
    docs.mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def seconds(found: Results) -> float:
    """Return a system's median seconds of a round."""
    return statistics.median(sum(times) for times in found["seconds"])


def best(rows: Results) -> str | None:
    """Return gliner's fastest setting other than its default."""
    others = [name for name in rows if name.startswith("gliner") and name != BASE]
    return min(others, key=lambda name: seconds(rows[name]), default=None)


def ratio(rows: Results, name: str | None, ours: str = OURS) -> float | None:
    """Return the median over rounds of `name`'s seconds by ours, None where one is missing."""
    if name not in rows or ours not in rows:
        return None
    theirs, own = ([sum(times) for times in rows[each]["seconds"]] for each in (name, ours))
    pairs = list(zip(theirs, own, strict=False))
    return statistics.median(their / our for their, our in pairs) if pairs else None


def summary(shape: str, results: Results) -> str:
    """Return what was wanted and what was measured, as a table."""
    lines = ["| wanted | measured | met |", "|---|---|---|"]
    for wanted, value, met in _wanted(shape, results):
        verdict = "-" if met is None else "yes" if met else "**no**"
        lines.append(f"| {wanted} | {value} | {verdict} |")
    return "\n".join(lines)


def _shape(shape: str, results: Results, docs: Path) -> list[str]:
    lines = [f"## Model `{shape}`: {SIZES[shape]}", ""]
    if results:
        lines += [*_machine(results.get("machine", {})), ""]
    if shape in NOTES:
        lines += [*NOTES[shape], ""]
    lines += ["### Wanted and measured", "", summary(shape, results)]
    if _plot(shape, results, docs):
        lines += ["", f"![texts a second](benchmarks-{shape}.png)"]
    for case, rows in results.items():
        if case not in APART:
            lines += ["", *_case(case, rows)]
    lines += _memory(results) + _cold(results) + _linear(results)
    if "decode" in results:
        found = results["decode"]
        lines += ["", "### Decoding alone", ""]
        lines.append(
            f"32 texts x 300 words x 30 labels with 1% hits, {found['n_candidates']:,} candidates: "
            f"median {found['decode_ms']:.1f} ms, best {found['best_decode_ms']:.1f} ms."
        )
    if results.get("failed"):
        lines += ["", "### What failed or was left out", ""]
        lines += [f"- {name}: {why}" for name, why in results["failed"].items()]
    return lines


def _machine(found: Results) -> list[str]:
    if not found:
        return ["The machine was not noted."]
    flags = ", ".join(found["flags"]) or "none of those that matter"
    lines = [
        (
            f"{found['processor']}, {found['cores']} cores, {found['threads']} threads, load "
            f"{found['load']} before the start; instructions: {flags}."
        ),
        "",
        "| versions | " + " | ".join(["python", *PACKAGES]) + " |",
        "|---" * (len(PACKAGES) + 2) + "|",
    ]
    for who, versions in found["versions"].items():
        cells = [versions.get(name, "-") for name in ("python", *PACKAGES)]
        lines.append(f"| {who} | {' | '.join(cells)} |")
    return lines


def _case(case: str, rows: Results) -> list[str]:
    first = next(iter(rows.values()))
    each, n_texts = first["each"], first["n_texts"]
    n_rounds = min(len(found["seconds"]) for found in rows.values())
    head = "p50 ms | p95 ms" if each else "texts/s | words/s"
    fastest = best(rows)
    lines = [
        f"### {case[0].upper()}{case[1:]}",
        "",
        (
            f"{n_texts} texts of {first['n_words']:,} words, {n_rounds} paired rounds; gliner's "
            f"best here: {fastest or NOT}."
        ),
        "",
        f"| system | {head} | x default | x best | CPU s | peak MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in rows.items():
        if each:
            every = sorted(t * 1e3 for times in found["seconds"] for t in times)
            pair = every[len(every) // 2], every[int(len(every) * 0.95)]
        else:
            rate = n_texts / seconds(found)
            pair = rate, rate * first["n_words"]
        ratios = [ratio(rows, other, name) for other in (BASE, fastest)]
        cells = [f"{value:,.1f}" for value in pair]
        cells += ["-" if value is None else f"{value:.2f}" for value in ratios]
        cells += [f"{statistics.median(found['cpu_s']):.2f}", f"{found['peak_mb']:,.0f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _memory(results: Results) -> list[str]:
    found = results.get("memory")
    if not found:
        return []
    lines = ["", "### Memory: 8 texts of 500 words, 60 labels", ""]
    lines += ["Peak of a process that loads the model and does this once. gliner reads of a text"]
    lines += ["only what its window holds, spanwise all of it.", ""]
    lines += ["| system | peak MB | of gliner's |", "|---|---|---|"]
    for name, peak in found.items():
        share = f"{peak / found[BASE]:.0%}" if BASE in found else "-"
        lines.append(f"| {name} | {peak:,.0f} | {share} |")
    return lines


def _cold(results: Results) -> list[str]:
    found = results.get("cold")
    if not found:
        return []
    lines = ["", "### Cold start", ""]
    lines += ["Seconds from the start of a process to its end with one sentence and one label:"]
    lines += ["`spanwise entities TEXT -l person` and a four-line gliner script. *Idle*: the files"]
    lines += ["of model and packages were dropped from the disk cache first.", ""]
    lines += ["| command | cache | median s | all | peak MB |", "|---|---|---|---|---|"]
    for name, kinds in found.items():
        for kind, noted in kinds.items():
            every = ", ".join(f"{value:.2f}" for value in noted["s"])
            middle, peak = statistics.median(noted["s"]), max(noted["peak_mb"])
            lines.append(f"| {name} | {kind} | {middle:.2f} | {every} | {peak:,.0f} |")
    return lines


def _linear(results: Results) -> list[str]:
    found = results.get("linear")
    if not found:
        return []
    lines = ["", f"### Long texts: {OURS}, 9 labels", ""]
    lines += ["| words | seconds | seconds per 1,000 words | peak MB |", "|---|---|---|---|"]
    for words, noted in found.items():
        n_words, took = int(words), noted["seconds"]
        each = took / n_words * 1000
        lines.append(f"| {n_words:,} | {took:.2f} | {each:.3f} | {noted['peak_mb']:,.0f} |")
    return lines


def _wanted(shape: str, results: Results) -> list[tuple[str, str, bool | None]]:
    """Return (what, measured, met) for every number that was promised."""
    if shape == "large":
        found = results.get(SENTENCES, {})
        what = f"{SENTENCES}: onnx int8 at least 5x gliner's default"
        rows = [_least(what, ratio(found, BASE), 5)]
        return [
            *rows,
            _least("the same: at least 1.5x gliner's best", ratio(found, best(found)), 1.5),
        ]
    sentences, one, many = (results.get(name, {}) for name in (SENTENCES, ONE, MANY))
    torch = ratio(sentences, BASE, "spanwise torch fp32")
    rows = [
        _least(f"{SENTENCES}: onnx int8 at least 6x gliner's default", ratio(sentences, BASE), 6),
        _least("the same: at least 2x gliner's best", ratio(sentences, best(sentences)), 2),
        _least("the same: torch fp32 at least 1.8x gliner's default", torch, 1.8),
        _share(f"{ONE}: at most 1/3 of the default's time", ratio(one, BASE), 3),
        _share("the same: at most 2/3 of the best's time", ratio(one, best(one)), 1.5),
        _least(f"{MANY}: at least 6x gliner's default", ratio(many, BASE), 6),
    ]
    memory, cold = results.get("memory", {}), results.get("cold", {})
    for name in ("spanwise torch fp32", OURS):
        both = name in memory and BASE in memory
        value = memory[name] / memory[BASE] if both else None
        what = f"500 words, 60 labels: {name} at most half of gliner's memory"
        rows.append(_most(what, value, 0.5, lambda v: f"{v:.0%}"))
    rows += _wanted_cold(cold)
    found = results.get("decode", {}).get("decode_ms")
    rows.append(_most("decoding 32 x 300 x 30 under 5 ms", found, 5, lambda v: f"{v:.1f} ms"))
    rows += _wanted_linear(results.get("linear", {}))
    rows += _wanted_size(results.get("install_mb", {}))
    rows.append(("int8 loses at most 0.5 F1 against fp32", "not measured here", None))
    return rows


def _wanted_cold(cold: Results) -> list[tuple[str, str, bool | None]]:
    ours, theirs = (
        cold.get(name, {}).get("idle") for name in ("spanwise entities", "gliner script")
    )
    took = statistics.median(ours["s"]) if ours else None
    share = took / statistics.median(theirs["s"]) if took and theirs else None
    peak = max(ours["peak_mb"]) if ours else None
    return [
        _most("cold start from an idle disk cache under 1.0 s", took, 1, lambda v: f"{v:.2f} s"),
        _most("the same: at most 1/4 of gliner's", share, 0.25, lambda v: f"{v:.0%}"),
        _most("peak memory of that command under 400 MB", peak, 400, lambda v: f"{v:.0f} MB"),
    ]


def _wanted_size(found: Results) -> list[tuple[str, str, bool | None]]:
    alone, whole = "base install without a model at most 200 MB", "the same with the embedded model"
    if not found:
        return [(alone, NOT, None), (whole, NOT, None)]
    packages, model = found["packages"], found["model"]
    bytecode = f"{packages:.1f} MB, {found['bytecode']:.1f} of it bytecode"
    in_use = f"{packages + model:.1f} MB, {found['model in use']:.1f} of it read to run"
    return [
        (alone, bytecode, packages <= 200),
        (whole, in_use, packages + model <= 200),
    ]


def _wanted_linear(found: Results) -> list[tuple[str, str, bool | None]]:
    what = "cost linear up to 100,000 words, constant memory"
    if not {"1000", "100000"} <= set(found):
        return [(what, NOT, None)]
    short, long = found["1000"], found["100000"]
    growth = long["seconds"] / short["seconds"]
    memory = long["peak_mb"] - short["peak_mb"]
    said = f"100x the words: {growth:.0f}x the time, {memory:+.0f} MB"
    # a fifth more time is noise, as is memory that does not come near the short text's own
    return [(what, said, growth < 120 and memory < short["peak_mb"])]


def _least(what: str, value: float | None, bound: float) -> tuple[str, str, bool | None]:
    return (what, NOT, None) if value is None else (what, f"{value:.2f}x", value >= bound)


def _share(what: str, value: float | None, bound: float) -> tuple[str, str, bool | None]:
    return (what, NOT, None) if value is None else (what, f"1/{value:.2f}", value >= bound)


def _most(
    what: str, value: float | None, bound: float, shown: Callable[[float], str]
) -> tuple[str, str, bool | None]:
    return (what, NOT, None) if value is None else (what, shown(value), value <= bound)


def _plot(shape: str, results: Results, docs: Path) -> bool:
    """Draw texts a second of every system, a panel per case; False where it cannot be."""
    cases = {n: r for n, r in results.items() if n not in APART and not _each(r)}
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)
    except ImportError:
        return (docs / f"benchmarks-{shape}.png").is_file()
    if not cases:
        return False
    n_rows = max(map(len, cases.values()))
    figure = Figure(figsize=(6 * len(cases), 1 + 0.38 * n_rows), layout="constrained")
    panels = figure.subplots(1, len(cases), squeeze=False)[0]
    for panel, (case, rows) in zip(panels, cases.items(), strict=True):
        names = list(rows)[::-1]
        rates = [rows[name]["n_texts"] / seconds(rows[name]) for name in names]
        colors = ["#1f6f8b" if name.startswith("spanwise") else "#b8b8b8" for name in names]
        bars = panel.barh(names, rates, color=colors)
        panel.bar_label(bars, fmt="%.0f", padding=3)
        panel.set_title(case)
        panel.set_xlabel("texts a second")
        panel.margins(x=0.15)
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(docs / f"benchmarks-{shape}.png", dpi=110, metadata={"Software": None})
    return True


def _each(rows: Results) -> bool:
    return any(found["each"] for found in rows.values())

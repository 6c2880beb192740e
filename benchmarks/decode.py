"""How long decoding takes: logits of 32 texts x 300 words x 30 labels, 1% of them hits.

python benchmarks/decode.py
"""

from __future__ import annotations

import statistics
import time
from itertools import pairwise

import numpy as np

from spanwise.flow.decode import greedy, token_candidates

BATCH, WORDS, LABELS, HITS = 32, 300, 30, 0.01


def main() -> None:
    """Print what was measured."""
    print(", ".join(f"{name}: {value:.1f}" for name, value in measured().items()))


def measured() -> dict[str, float]:
    """Return the median ms of 21 runs: candidates alone, and with the greedy choice per text."""
    drawn = np.random.default_rng(0)
    logits = np.full((BATCH, WORDS, LABELS, 3), -5, dtype=np.float32)
    # a hit is a span of one to three words: start, inside and end above the threshold
    hits = np.argwhere(drawn.random((BATCH, WORDS, LABELS)) < HITS)
    for item, word, label in hits:
        last = min(WORDS - 1, word + int(drawn.integers(3)))
        logits[item, word : last + 1, label, 2] = drawn.normal(2, 1)
        logits[item, word, label, 0] = logits[item, last, label, 1] = drawn.normal(2, 1)
    n_words, n_labels = np.full(BATCH, WORDS), np.full(BATCH, LABELS)
    thresholds = np.full((BATCH, LABELS), 0.5)
    times: dict[str, list[float]] = {"candidates": [], "decode": []}
    for _ in range(21):
        start = time.perf_counter()
        found = token_candidates(logits, n_words, n_labels, thresholds)
        middle = time.perf_counter()
        bounds = np.searchsorted(found.items, np.arange(BATCH + 1))
        for low, high in pairwise(bounds):
            greedy(found.take(np.arange(low, high)))
        times["candidates"].append(middle - start)
        times["decode"].append(time.perf_counter() - middle)
    middle = {name: statistics.median(each) * 1e3 for name, each in times.items()}
    return {
        "candidates_ms": middle["candidates"],
        "decode_ms": middle["decode"],
        "best_decode_ms": min(times["decode"]) * 1e3,
        "n_candidates": len(found),
    }


if __name__ == "__main__":
    main()

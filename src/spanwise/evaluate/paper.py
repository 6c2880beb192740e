"""The numbers of the paper (arXiv 2406.12925, tables 2 to 6), to stand beside ours.

Percent in tables 2, 3, 5; shares in tables 4 and 6, as printed there.
"""

from __future__ import annotations

from dataclasses import dataclass

MODEL = "gliner-multitask-large-v0.5"

NER_SETS = (
    ("crossner-ai", "AI"),
    ("crossner-literature", "literature"),
    ("crossner-music", "music"),
    ("crossner-politics", "politics"),
    ("crossner-science", "science"),
    ("mit-movie", "movie"),
    ("mit-restaurant", "restaurant"),
)
"""Benchmarks of table 2 in its order, with the headings of its columns."""

TABLE_2: dict[str, tuple[float, ...]] = {
    MODEL: (51.05, 68.96, 74.30, 78.27, 67.29, 56.60, 43.51),
    "NuNER_Zero-span": (60.12, 64.89, 69.95, 72.73, 66.42, 55.05, 44.62),
    "gliner-large-news-v2.1": (56.96, 60.44, 65.20, 62.92, 65.92, 56.57, 43.38),
    "gliner_large-v2.1": (53.45, 57.87, 67.08, 64.90, 62.00, 51.29, 46.25),
}
"""F1 by set, in the order of `NER_SETS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A system of tables 3 to 5: SQuAD EM and F1, ROUGE mean and deviation, FewRel EM and F1."""

    parameters: str
    squad: tuple[float, float]
    rouge: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    fewrel: tuple[float, float]


TABLES_3_TO_5: dict[str, Row] = {
    MODEL: Row(
        parameters="440M",
        squad=(87.72, 91.99),
        rouge=((0.2484, 0.1142), (0.0881, 0.0892), (0.2279, 0.1117)),
        fewrel=(82.5, 87.36),
    ),
    "UTC-DeBERTa-large-v2": Row(
        parameters="434M",
        squad=(86.06, 92.53),
        rouge=((0.2409, 0.1145), (0.0785, 0.0870), (0.2164, 0.1091)),
        fewrel=(71.91, 80.95),
    ),
    "UTC-DeBERTa-base-v2": Row(
        parameters="184M",
        squad=(83.95, 90.18),
        rouge=((0.2143, 0.0983), (0.0603, 0.0713), (0.1955, 0.0928)),
        fewrel=(64.06, 72.32),
    ),
    "UTC-DeBERTa-small-v2": Row(
        parameters="141M",
        squad=(80.92, 86.89),
        rouge=((0.1813, 0.1258), (0.0510, 0.0800), (0.1618, 0.1172)),
        fewrel=(48.39, 55.95),
    ),
    "Flan-T5-small": Row(
        parameters="77M",
        squad=(79.68, 85.86),
        rouge=((0.1935, 0.1114), (0.0565, 0.0784), (0.1767, 0.1041)),
        fewrel=(22.25, 29.45),
    ),
    "Flan-T5-base": Row(
        parameters="248M",
        squad=(83.39, 90.33),
        rouge=((0.2166, 0.1232), (0.0693, 0.0899), (0.1983, 0.1194)),
        fewrel=(53.75, 60.21),
    ),
    "Flan-T5-large": Row(
        parameters="783M",
        squad=(81.05, 89.39),
        rouge=((0.2055, 0.1253), (0.0676, 0.0969), (0.1876, 0.1211)),
        fewrel=(55.30, 61.20),
    ),
    "Llama-3-8B-Instruct": Row(
        parameters="8.03B",
        squad=(68.94, 80.51),
        rouge=((0.2160, 0.0708), (0.0644, 0.0465), (0.1991, 0.0663)),
        fewrel=(38.28, 44.28),
    ),
}

THIRD_PARTY_SQUAD = {
    "exact": 42.4,
    "f1": 46.7,
    "answerable_exact": 75.4,
    "answerable_f1": 84.0,
    "unanswerable_exact": 9.5,
}
"""The released `MODEL` on all 11,873 questions, as measured by others than its authors."""

TABLE_6: dict[str, tuple[float, float]] = {
    MODEL: (0.6276, 0.6416),
    "gliner_large-v2.1": (0.5754, 0.59237),
    "NuNER_Zero-span": (0.6196, 0.6295),
}
"""Mean F1 over the seven sets before and after self-learning."""

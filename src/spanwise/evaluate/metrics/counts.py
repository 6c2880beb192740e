"""Counts of correct, predicted and gold items, and the precision, recall and F1 they give.

Every metric that counts matches ends in a `Counts`: counts of parts of a set add up to those of
the whole, which is what "micro" means. A ratio with nothing below the line is 0, not undefined:
a system that predicts nothing has no precision to boast of.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Matches among predicted and gold items.

    `n_correct` is a whole number except where partial matches count one half.
    """

    n_correct: float = 0.0
    n_predicted: int = 0
    n_gold: int = 0

    @property
    def precision(self) -> float:
        """Share of the predicted items that are correct, 0..1."""
        return self.n_correct / self.n_predicted if self.n_predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold items that were found, 0..1."""
        return self.n_correct / self.n_gold if self.n_gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0..1."""
        total = self.n_predicted + self.n_gold
        return 2 * self.n_correct / total if total else 0.0

    def __add__(self, other: Counts) -> Counts:
        """Return the counts of both sets taken together."""
        return Counts(
            n_correct=self.n_correct + other.n_correct,
            n_predicted=self.n_predicted + other.n_predicted,
            n_gold=self.n_gold + other.n_gold,
        )

    def to_dict(self) -> dict[str, float]:
        """Return the counts and the three ratios, for a run file."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "n_correct": self.n_correct,
            "n_predicted": self.n_predicted,
            "n_gold": self.n_gold,
        }

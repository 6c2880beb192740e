"""Filters: results of a task -> those of them that are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanwise.errors import InputError, did_you_mean
from spanwise.flow.decode import check_thresholds
from spanwise.tasks.relations import distance
from spanwise.types import Relation, Sentiment

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a result must be to stay.

    Attributes:
        labels: of an entity or end of an opinion's scale; for relations their names.
        heads, tails: labels of the ends of a relation.
        min_score: least score.
        max_distance: most characters between the ends of a relation.

    Raises:
        InputError: nothing is wanted, or a bound is out of range.
    """

    labels: Sequence[str] = ()
    heads: Sequence[str] = ()
    tails: Sequence[str] = ()
    min_score: float = 0.0
    max_distance: int | None = None

    def __post_init__(self) -> None:
        """Check the bounds."""
        for name in ("labels", "heads", "tails"):
            if isinstance(getattr(self, name), str):
                msg = f"{name} must be a list, got the string {getattr(self, name)!r}"
                raise InputError(msg)
        check_thresholds(self.min_score)
        if self.max_distance is not None and self.max_distance < 0:
            msg = f"max_distance is {self.max_distance}; give 0 or more"
            raise InputError(msg)
        if not (self.labels or self.heads or self.tails or self.min_score) and (
            self.max_distance is None
        ):
            msg = "a filter needs labels, heads, tails, min_score or max_distance"
            raise InputError(msg)

    def check(self, kind: str, known: Sequence[str] | None) -> None:
        """Raise InputError where the filter asks for what its source does not have.

        Args:
            kind: "entities", "relations", "spans" or "opinions".
            known: the labels that the source can give, None where it gives none.
        """
        if kind != "relations" and (self.heads or self.tails or self.max_distance is not None):
            msg = f"heads, tails and max_distance are of relations; the source gives {kind}"
            raise InputError(msg)
        for label in self.labels:
            if known is None or label not in known:
                names = list(known or ())
                msg = (
                    f"label {label!r} is none of the source's{did_you_mean(label, names)}; "
                    f"known: {', '.join(names) or 'none, its spans carry no label'}"
                )
                raise InputError(msg)

    def keep(self, results: Sequence[Any]) -> list[Any]:
        """Return the results that stay, in their order."""
        return [each for each in results if self._wants(each)]

    def _wants(self, result: Any) -> bool:  # noqa: ANN401 (whatever has a score)
        if result.score < self.min_score:
            return False
        if not isinstance(result, Relation):
            label = result.polarity if isinstance(result, Sentiment) else result.label
            return not self.labels or label in self.labels
        head, tail = result.head, result.tail
        far = self.max_distance is not None and distance(head, tail) > self.max_distance
        return not far and all(
            not wanted or label in wanted
            for label, wanted in (
                (result.relation, self.labels),
                (head.label, self.heads),
                (tail.label, self.tails),
            )
        )

"""Documents -> rows -> a pandas, Polars or Arrow table.

One row is one span: an entity, an answer, a sentence, an opinion, or the tail of a relation, whose
head stands in columns of its own. All tables have the same columns, so results of several tasks
and runs can be put together; what a row has no use for is empty.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from spanwise.errors import MissingExtraError
from spanwise.results.document import label_of, pieces, relations
from spanwise.types import Sentiment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from spanwise.results.document import Document

COLUMNS = {
    "document": str,  # its id, else its number
    "step": str,
    "label": str,  # of the span; a polarity for sentiment
    "text": str,
    "start": int,
    "end": int,
    "score": float,
    "relation": str,
    "head_label": str,
    "head_text": str,
    "head_start": int,
    "head_end": int,
    "aspect": str,
}
"""The columns of every table and their types."""


def rows(documents: Iterable[Document]) -> Iterator[dict[str, Any]]:
    """Yield a row for every span and relation, in the order of documents and steps."""
    empty = dict.fromkeys(COLUMNS)
    for number, document in enumerate(documents):
        name = str(number if document.id is None else document.id)
        for step, piece in pieces(document):
            yield {
                **empty,
                "document": name,
                "step": step,
                "label": label_of(piece),
                "text": piece.text,
                "start": piece.start,
                "end": piece.end,
                "score": piece.score,
                "aspect": piece.aspect if isinstance(piece, Sentiment) else None,
            }
        for step, found in relations(document):
            yield {
                **empty,
                "document": name,
                "step": step,
                "label": found.tail.label,
                "text": found.tail.text,
                "start": found.tail.start,
                "end": found.tail.end,
                "score": found.score,
                "relation": found.relation,
                "head_label": found.head.label,
                "head_text": found.head.text,
                "head_start": found.head.start,
                "head_end": found.head.end,
            }


def to_pandas(documents: Iterable[Document]) -> pd.DataFrame:
    """Return a pandas frame of all rows; offsets of heads are nullable integers.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    pandas = _package("pandas")
    kinds = {str: "string", int: "Int64", float: "float64"}
    frame: pd.DataFrame = pandas.DataFrame(list(rows(documents)), columns=list(COLUMNS))
    typed: pd.DataFrame = frame.astype({name: kinds[kind] for name, kind in COLUMNS.items()})
    return typed


def to_polars(documents: Iterable[Document]) -> pl.DataFrame:
    """Return a Polars frame of all rows.

    Raises:
        MissingExtraError: polars is not installed.
    """
    polars = _package("polars")
    kinds = {str: polars.String, int: polars.Int64, float: polars.Float64}
    schema = {name: kinds[kind] for name, kind in COLUMNS.items()}
    frame: pl.DataFrame = polars.DataFrame(list(rows(documents)), schema=schema)
    return frame


def to_arrow(documents: Iterable[Document]) -> pa.Table:
    """Return an Arrow table of all rows.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow = _package("pyarrow")
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    return arrow.Table.from_pylist(list(rows(documents)), schema=schema)


def _package(name: str) -> Any:  # noqa: ANN401 (a module)
    if find_spec(name) is None:
        what = f"A table of {name}"
        raise MissingExtraError(what, "tables")
    import importlib  # noqa: PLC0415 (an extra's package, only where it is used)

    return importlib.import_module(name)

"""Results for other tools: plain data, tables, spaCy documents, graphs.

Every export takes `Document`s: a text with the results of named steps or tasks. `Document(text,
{"people": extractor.entities(text, ["person"])})` makes one; a pipeline yields them.
"""

from __future__ import annotations

from spanwise.results.document import Document
from spanwise.results.graph import to_jsonld, to_networkx
from spanwise.results.spacy_doc import to_spacy
from spanwise.results.tables import COLUMNS, rows, to_arrow, to_pandas, to_polars

__all__ = [
    "COLUMNS",
    "Document",
    "rows",
    "to_arrow",
    "to_jsonld",
    "to_networkx",
    "to_pandas",
    "to_polars",
    "to_spacy",
]

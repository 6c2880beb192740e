"""Relations as a graph: networkx, or JSON-LD for anything that reads RDF.

What has the same label and the same words (white space and case aside) is one node, over all
documents; every relation is an edge that knows where it was found.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanwise.errors import InputError, MissingExtraError
from spanwise.results.document import pieces, relations
from spanwise.types import Entity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import networkx as nx

    from spanwise.results.document import Document
    from spanwise.types import Relation, Span


def to_networkx(documents: Iterable[Document]) -> nx.MultiDiGraph[str]:
    """Return a directed graph with parallel edges.

    Nodes have `text`, `label` and `mentions` (document, start, end); edges have `relation`,
    `score`, `document`, and the offsets of both ends. Entities without relations are nodes too.

    Raises:
        MissingExtraError: networkx is not installed.
    """
    if find_spec("networkx") is None:
        what = "A graph of networkx"
        raise MissingExtraError(what, "graph")
    import networkx as nx  # noqa: PLC0415 (an extra)

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for name, document in _named(documents):
        for span in _nodes(document):
            key = _key(span)
            if key not in graph:
                graph.add_node(key, text=span.text, label=span.label, mentions=[])
            mention = (name, span.start, span.end)
            if mention not in graph.nodes[key]["mentions"]:
                graph.nodes[key]["mentions"].append(mention)
        for _, found in relations(document):
            graph.add_edge(_key(found.head), _key(found.tail), **_edge(found, name))
    return graph


def to_jsonld(
    documents: Iterable[Document], *, base: str = "urn:spanwise:", vocabulary: str | None = None
) -> dict[str, Any]:
    """Return JSON-LD: nodes with their label as `@type`, relations as statements about them.

    A relation is a direct property of its head (`head relation tail`) and, since RDF has no place
    for a score on it, also an `rdf:Statement` with score and offsets.

    Args:
        documents: with relations or entities among their results.
        base: what the nodes' identifiers begin with.
        vocabulary: what relations and types begin with; None: `base`.

    Raises:
        InputError: `base` or `vocabulary` is no absolute IRI.
    """
    words = base if vocabulary is None else vocabulary
    for iri in (base, words):
        if ":" not in iri:
            msg = f"{iri!r} is no absolute IRI; give one such as 'https://example.org/'"
            raise InputError(msg)
    nodes: dict[str, dict[str, Any]] = {}
    statements = []
    for name, document in _named(documents):
        for span in _nodes(document):
            identifier = base + quote(_key(span), safe="")
            node = nodes.setdefault(identifier, {"@id": identifier, "name": span.text})
            if span.label is not None:
                node["@type"] = words + quote(span.label)
        for _, found in relations(document):
            head, tail = (base + quote(_key(span), safe="") for span in (found.head, found.tail))
            predicate = words + quote(found.relation)
            tails = nodes[head].setdefault(predicate, [])
            if {"@id": tail} not in tails:
                tails.append({"@id": tail})
            statements.append(
                {
                    "@type": "rdf:Statement",
                    "rdf:subject": {"@id": head},
                    "rdf:predicate": {"@id": predicate},
                    "rdf:object": {"@id": tail},
                    **_edge(found, name),
                }
            )
    context = {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "name": "http://www.w3.org/2000/01/rdf-schema#label",
        **{key: words + key for key in _EDGE},
    }
    return {"@context": context, "@graph": [*nodes.values(), *statements]}


_EDGE = ("relation", "score", "document", "head_start", "head_end", "tail_start", "tail_end")


def _edge(found: Relation, document: str) -> dict[str, Any]:
    head, tail = found.head, found.tail
    values = (found.relation, found.score, document, head.start, head.end, tail.start, tail.end)
    return dict(zip(_EDGE, values, strict=True))


def _named(documents: Iterable[Document]) -> Iterator[tuple[str, Document]]:
    for number, document in enumerate(documents):
        yield str(number if document.id is None else document.id), document


def _nodes(document: Document) -> Iterator[Span | Entity]:
    yield from (piece for _, piece in pieces(document) if isinstance(piece, Entity))
    for _, found in relations(document):
        yield from (found.head, found.tail)


def _key(span: Span | Entity) -> str:
    """Return what names a node: its label and its words."""
    words = " ".join(span.text.split()).casefold()
    return words if span.label is None else f"{span.label}/{words}"

"""Documents as spaCy `Doc`s, and the component `spanwise` of a spaCy pipeline.

Entities become `doc.ents` where they do not overlap, every step's spans a group of `doc.spans`,
and everything as it came, with exact offsets, stays in `doc._.spanwise`. spaCy's spans begin and
end at its tokens: a span that does not is widened to whole tokens.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from spanwise.errors import MissingExtraError
from spanwise.results.document import Document, label_of, pieces, relations
from spanwise.types import Entity

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span


def to_spacy(document: Document, nlp: Language | None = None, *, doc: Doc | None = None) -> Doc:
    """Return a `Doc` that holds what was found.

    Sets `doc.ents` (entities, the best ones where they overlap), `doc.spans[step]` (every step
    with spans; `span._.score`), `doc._.spanwise` (the results by step) and `doc._.relations`
    (triples head span, relation, tail span).

    Args:
        document: text and results.
        nlp: makes the tokens; None: a blank English pipeline.
        doc: write into this one, of the very text, instead of making one.

    Raises:
        MissingExtraError: spacy is not installed.
    """
    if find_spec("spacy") is None:
        what = "A spaCy document"
        raise MissingExtraError(what, "spacy")
    import spacy  # noqa: PLC0415 (an extra)
    from spacy.util import filter_spans  # noqa: PLC0415

    extend()
    if doc is None:
        doc = (nlp or spacy.blank("en")).make_doc(document.text)
    groups: dict[str, list[Span]] = {name: [] for name, _ in pieces(document)}
    entities: list[tuple[float, Span]] = []
    for name, piece in pieces(document):
        span = _span(doc, piece.start, piece.end, label_of(piece) or name, piece.score)
        if span is None:
            continue
        groups[name].append(span)
        if isinstance(piece, Entity):
            entities.append((piece.score, span))
    for name, spans in groups.items():
        doc.spans[name] = spans
    kept: list[Span] = []
    for _, span in sorted(entities, key=lambda each: -each[0]):
        if len(filter_spans([*kept, span])) > len(kept):
            kept.append(span)
    doc.set_ents(kept, default="unmodified")
    doc._.spanwise = dict(document.results)
    doc._.relations = [
        (_span(doc, r.head.start, r.head.end, r.head.label or "", r.head.score), r.relation,
         _span(doc, r.tail.start, r.tail.end, r.tail.label or "", r.tail.score))
        for _, r in relations(document)
    ]  # fmt: skip
    return doc


def extend() -> None:
    """Give spaCy's `Doc` and `Span` the attributes that hold results."""
    from spacy.tokens import Doc, Span  # noqa: PLC0415 (an extra)

    for kind, name, default in (
        (Doc, "spanwise", None),
        (Doc, "relations", None),
        (Span, "score", None),
    ):
        if not kind.has_extension(name):
            kind.set_extension(name, default=default)


def _span(doc: Doc, start: int, end: int, label: str, score: float) -> Any:  # noqa: ANN401
    """Return spaCy's span of these characters, or None where it has no token there."""
    span = doc.char_span(start, end, label=label, alignment_mode="expand")
    if span is not None:
        span._.score = score
    return span

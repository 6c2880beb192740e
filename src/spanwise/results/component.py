"""The component `spanwise` of a spaCy pipeline: `nlp.add_pipe("spanwise", config={...})`.

`config` holds `model` (None: the embedded one), `backend`, and either `labels` (entities, with
`threshold`) or `steps`, the list of a recipe's steps. Docs are read in batches by `nlp.pipe`.
spaCy finds this module by its entry point; nothing else imports it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from spacy.language import Language

from spanwise import recipes
from spanwise.loading import load
from spanwise.results.spacy_doc import extend, to_spacy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spacy.tokens import Doc

    from spanwise.extractor import Extractor
    from spanwise.pipeline import Pipeline


@Language.factory(
    "spanwise",
    default_config={
        "model": None,
        "backend": "auto",
        "labels": [],
        "threshold": None,
        "steps": [],
    },
    assigns=["doc.ents", "doc.spans", "doc._.spanwise", "doc._.relations"],
)
def make(  # noqa: PLR0913, PLR0917 (spaCy passes its configuration as arguments)
    nlp: Language,  # noqa: ARG001 (spaCy's signature)
    name: str,  # noqa: ARG001
    model: str | None,
    backend: Any,  # noqa: ANN401 (spaCy checks by annotation; `load` knows the names)
    labels: list[str],
    threshold: float | None,
    steps: list[dict[str, Any]],
) -> Component:
    """Return the component for spaCy; see the module.

    Raises:
        ConfigError: neither labels nor steps, or steps that cannot run.
        SpanwiseError: the model cannot be loaded.
    """
    if labels and not steps:
        entities: dict[str, Any] = {"task": "entities", "labels": labels}
        steps = [entities if threshold is None else {**entities, "threshold": threshold}]
    recipe = recipes.build({"step": steps}, where="spanwise")
    return Component(load(model, backend=backend), recipe.pipeline)


class Component:
    """Runs a pipeline on spaCy's docs."""

    def __init__(self, extractor: Extractor, pipeline: Pipeline) -> None:
        """Put extractor and pipeline together."""
        extend()
        self.extractor = extractor
        self.pipeline = pipeline

    def __call__(self, doc: Doc) -> Doc:
        """Return the doc with what was found in it."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Yield the docs of a stream, read in batches."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            found = self.pipeline.run(self.extractor, [doc.text for doc in batch])
            for doc, document in zip(batch, found, strict=True):
                yield to_spacy(document, doc=doc)

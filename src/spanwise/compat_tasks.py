"""`gliner.multitask` and UTCA's relation step, by name and argument, on top of our tasks.

    from spanwise.compat_tasks import GLiNERQuestionAnswerer

Same calls, same plain results, upstream's span score (policy "min") and prompts. What differs is
meant to: a prompt is no part of the text, so nothing is found in it and offsets are those of the
text; every text gets its own question; a head may hold `<>`; two heads may share a tail; results
do not change with the hash seed. `GLiNERClassifier` has no counterpart: it marks the classes inside
its prompt, where no span of ours can lie. Evaluation is `spanwise evaluate`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanwise.compat import GLiNER
from spanwise.errors import InputError, did_you_mean
from spanwise.flow.prompt import labels as read_labels
from spanwise.options import Settings
from spanwise.tasks import Relations
from spanwise.tasks.wording import ANSWER, MATCH, SUMMARY
from spanwise.types import Entity, Label, Query, RelationLabel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spanwise.types import Relation

__all__ = [
    "GLiNEROpenExtractor",
    "GLiNERQuestionAnswerer",
    "GLiNERRelationExtraction",
    "GLiNERRelationExtractor",
    "GLiNERSummarizer",
]

_TOKENS_PER_TEXT = 256


class _Pipeline:
    """A model and a prompt, as upstream's classes hold them."""

    prompt = ""

    def __init__(
        self,
        model_id: str | Path | None = None,
        model: GLiNER | None = None,
        device: str = "cpu",
        prompt: str | None = None,
    ) -> None:
        """Take a model, or load one.

        Args:
            model_id: folder or hub name.
            model: one that is loaded already.
            device: where a model is loaded to.
            prompt: instead of the class's own.

        Raises:
            InputError: neither a model nor the name of one.
        """
        if model is None and model_id is None:
            msg = f"{type(self).__name__} needs a model: pass model_id or model"
            raise InputError(msg)
        self.model = model or GLiNER.from_pretrained(model_id or "", map_location=device)
        self.prompt = self.prompt if prompt is None else prompt

    def _prompted(
        self,
        texts: str | Sequence[str],
        prompts: Sequence[str],
        labels: Sequence[str],
        settings: Settings,
    ) -> list[list[Entity]]:
        """Return what each text's prompt finds; an empty prompt is none."""
        many = [texts] if isinstance(texts, str) else list(texts)
        if len(prompts) == 1:
            prompts = list(prompts) * len(many)
        if len(prompts) != len(many):
            msg = f"{len(prompts)} questions for {len(many)} texts; give one, or one for each"
            raise InputError(msg)
        asked = read_labels(dict.fromkeys([labels] if isinstance(labels, str) else labels))
        items = [(text, Query(asked, words)) for text, words in zip(many, prompts, strict=True)]
        return list(self.model.extractor.extract(items, settings))


class GLiNERQuestionAnswerer(_Pipeline):
    """Answers questions with pieces of texts."""

    prompt = "Answer the following question: {}"

    def __call__(
        self,
        texts: str | Sequence[str],
        questions: str | Sequence[str],
        labels: Sequence[str] = (ANSWER,),
        threshold: float = 0.5,
        batch_size: int = 8,
    ) -> list[list[dict[str, Any]]]:
        """Return the answers in each text, `answer` and `score`, the best first.

        Args:
            texts: one or many.
            questions: one for all texts, or one for each.
            labels: what answers are called in the prompt.
            threshold: least probability.
            batch_size: bounds the memory of a batch; results do not depend on it.
        """
        asked = [questions] if isinstance(questions, str) else list(questions)
        for question in asked:
            if not question.strip():
                msg = f"the question is {question!r}; it must say something"
                raise InputError(msg)
        prompts = [self.prompt.format(question) for question in asked]
        found = self._prompted(texts, prompts, labels, _settings(threshold, batch_size))
        return [
            [
                {"answer": each.text, "score": each.score}
                for each in sorted(of_text, key=lambda each: -each.score)
            ]
            for of_text in found
        ]


class GLiNERSummarizer(_Pipeline):
    """Joins the most important pieces of texts."""

    prompt = "Summarize the following text highlighting the most important information:"

    def __call__(
        self,
        texts: str | Sequence[str],
        labels: Sequence[str] = (SUMMARY,),
        threshold: float = 0.25,
        batch_size: int = 8,
    ) -> list[str]:
        """Return the summary of each text, its pieces joined by spaces; see the answerer."""
        settings = _settings(threshold, batch_size)
        found = self._prompted(texts, [self.prompt], labels, settings)
        return [" ".join(each.text for each in of_text) for of_text in found]


class GLiNEROpenExtractor(_Pipeline):
    """Marks what a prompt of the user's own asks for."""

    def __call__(
        self,
        texts: str | Sequence[str],
        labels: Sequence[str] = (MATCH,),
        threshold: float = 0.5,
        batch_size: int = 8,
    ) -> list[list[dict[str, Any]]]:
        """Return what is found in each text: `start`, `end`, `text`, `label`, `score`."""
        settings = _settings(threshold, batch_size)
        found = self._prompted(texts, [self.prompt], labels, settings)
        return [[_plain(each) for each in of_text] for of_text in found]


class GLiNERRelationExtractor(_Pipeline):
    """Finds relations: entities first, then their tails."""

    prompt = "Extract relationships between entities from the text: "

    def __init__(
        self,
        model_id: str | Path | None = None,
        model: GLiNER | None = None,
        device: str = "cpu",
        ner_threshold: float = 0.5,
        rel_threshold: float = 0.5,
        return_index: bool = False,
        prompt: str | None = None,
    ) -> None:
        """Take a model, or load one; see `GLiNERQuestionAnswerer`.

        Args:
            model_id: folder or hub name.
            model: one that is loaded already.
            device: where a model is loaded to.
            ner_threshold: least probability of an entity, unless a call says another.
            rel_threshold: least probability of a relation, unless a call says another.
            return_index: give the target's `start` and `end` as well.
            prompt: instead of upstream's.
        """
        super().__init__(model_id, model, device, prompt)
        self.ner_threshold = ner_threshold
        self.rel_threshold = rel_threshold
        self.return_index = return_index

    def __call__(
        self,
        texts: str | Sequence[str],
        relations: Sequence[str] | None = None,
        entities: Sequence[str] = ("named entity",),
        relation_labels: Sequence[Sequence[str]] | None = None,
        ner_threshold: float | None = None,
        rel_threshold: float | None = None,
        batch_size: int = 8,
    ) -> list[list[dict[str, Any]]]:
        """Return the relations of each text: `source`, `relation`, `target`, `score`.

        Args:
            texts: one or many.
            relations: names of relations.
            entities: labels of the entities that can be sources.
            relation_labels: `source <> relation` labels for each text, instead of both.
            ner_threshold: least probability of an entity.
            rel_threshold: least probability of a relation.
            batch_size: bounds the memory of a batch; results do not depend on it.

        Raises:
            InputError: neither relations nor labels, or a label that is none.
        """
        least = self.rel_threshold if rel_threshold is None else rel_threshold
        settings = _settings(least, batch_size)
        if relation_labels is not None:
            return self._labelled(texts, relation_labels, replace(settings, apart=True))
        if not relations:
            msg = "no relations given: pass relations=['founded by'], or relation_labels"
            raise InputError(msg)
        task = Relations(
            list(dict.fromkeys(relations)),
            entities=list(dict.fromkeys(entities)),
            entity_threshold=self.ner_threshold if ner_threshold is None else ner_threshold,
            instruction=self.prompt.strip(),
            mentions=True,
            settings=settings,
        )
        many = [texts] if isinstance(texts, str) else list(texts)
        found: list[list[Any]] = self.model.extractor.run(many, [task])
        return [[self._triple(each) for each in of_text] for (of_text,) in found]

    def _labelled(
        self,
        texts: str | Sequence[str],
        labels: Sequence[Sequence[str]],
        settings: Settings,
    ) -> list[list[dict[str, Any]]]:
        many = [texts] if isinstance(texts, str) else list(texts)
        if len(labels) != len(many):
            msg = f"relation_labels has {len(labels)} lists for {len(many)} texts; one for each"
            raise InputError(msg)
        queries = []
        for label in (label for of_text in labels for label in of_text):
            if "<>" not in label:
                msg = f"relation label {label!r} has no '<>'; write 'source <> relation'"
                raise InputError(msg)
        for of_text in labels:
            names = dict.fromkeys(of_text)
            queries.append(Query(tuple(Label(name) for name in names), self.prompt.strip()))
        items = [(text, query) for text, query in zip(many, queries, strict=True) if query.labels]
        found = self.model.extractor.extract(items, settings)
        results = []
        for query in queries:
            of_query = next(found) if query.labels else []
            triples = []
            for each in of_query:
                # the last mark separates: the source may hold others
                source, _, relation = each.label.rpartition("<>")
                triple = {"source": source.strip(), "relation": relation.strip()}
                triples.append(self._indexed({**triple, "target": each.text}, each))
            results.append(triples)
        return results

    def _triple(self, found: Relation) -> dict[str, Any]:
        triple = {"source": found.head.text, "relation": found.relation, "target": found.tail.text}
        tail = found.tail
        return self._indexed(triple, Entity(tail.text, "", tail.start, tail.end, found.score))

    def _indexed(self, triple: dict[str, Any], target: Entity) -> dict[str, Any]:
        made = {**triple, "score": target.score}
        return {**made, "start": target.start, "end": target.end} if self.return_index else made


class GLiNERRelationExtraction:
    """UTCA's relation step: given entities, pairs of their labels, and a bound of distance."""

    def __init__(self, predictor: GLiNER, *, threshold: float = 0.5, prompt: str = "") -> None:
        """Take a model.

        Args:
            predictor: the model.
            threshold: least probability of a relation.
            prompt: an instruction; UTCA gives none.
        """
        self.predictor = predictor
        self.threshold = threshold
        self.prompt = prompt

    def run(self, input_data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the input with `output`: `source`, `relation`, `target` and `score` of each.

        Args:
            input_data: `text`; `relations`, each with `relation`, perhaps `pairs_filter` (pairs of
                entity labels) and `distance_threshold` (characters; -1 for any); `entities`, each
                with `start`, `end`, `span`, `entity` and perhaps `score`.

        Raises:
            InputError: a key is missing or not known, or an entity is not at its offsets.
        """
        text, given = _get(input_data, "text"), _get(input_data, "entities")
        entities = {(each["start"], each["end"], each["entity"]): each for each in given}
        heads = [
            Entity(each["span"], each["entity"], each["start"], each["end"], each.get("score", 1.0))
            for each in entities.values()
        ]
        task = Relations(
            [_relation(each) for each in _get(input_data, "relations")],
            heads=heads,
            instruction=self.prompt,
            mentions=True,
            settings=Settings(threshold=self.threshold, policy="min"),
        )
        (found,) = self.predictor.extractor.run(text, [task])
        output = [
            {
                "source": entities[each.head.start, each.head.end, each.head.label],
                "relation": each.relation,
                "target": entities[each.tail.start, each.tail.end, each.tail.label],
                "score": each.score,
            }
            for each in found
            if each.tail.label is not None  # UTCA keeps tails that are entities
        ]
        return {**input_data, "output": output}


def _relation(given: Mapping[str, Any]) -> RelationLabel:
    known = ("relation", "pairs_filter", "distance_threshold")
    for key in given:
        if key not in known:
            msg = f"a relation has no {key!r}{did_you_mean(key, known)}; known: {', '.join(known)}"
            raise InputError(msg)
    pairs, most = given.get("pairs_filter"), given.get("distance_threshold", -1)
    return RelationLabel(
        _get(given, "relation"),
        pairs=tuple((head, tail) for head, tail in pairs) if pairs else None,
        max_distance=None if most < 0 else most,
    )


def _get(given: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 (plain data)
    if key not in given:
        msg = f"{key!r} is missing; there are: {', '.join(map(str, given)) or 'no keys'}"
        raise InputError(msg)
    return given[key]


def _settings(threshold: float, batch_size: int) -> Settings:
    if batch_size < 1:
        msg = f"batch_size must be at least 1, got {batch_size}"
        raise InputError(msg)
    return Settings(threshold=threshold, policy="min", batch_tokens=_TOKENS_PER_TEXT * batch_size)


def _plain(entity: Entity) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in ("start", "end", "text", "label", "score")}

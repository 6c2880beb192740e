"""Tasks chained: entities -> relations -> filter, in Python or TOML.

    pipeline = Pipeline([
        Step("people", Entities(["person", "company"])),
        Step("founders", Relations(["founded by"], heads=()), source="people"),
        Step("sure", Filter(min_score=0.7), source="founders"),
    ])
    for document in pipeline.run(extractor, texts): ...

A step reads the text, or with a `source` the result of an earlier step as well. Everything that
can be wrong with a pipeline is an error when it is built. A pipeline is itself a task: its steps
go forward together as far as their sources allow, and share passes like any tasks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from spanwise.errors import ConfigError, InputError, did_you_mean
from spanwise.results.document import Document
from spanwise.tasks import (
    Answers,
    Entities,
    Find,
    KeyPhrases,
    OpenEntities,
    Relations,
    Sentiments,
    Summaries,
)
from spanwise.tasks.calls import paired
from spanwise.tasks.filters import Filter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from spanwise.config import ModelConfig
    from spanwise.engine import Text
    from spanwise.extractor import Extractor
    from spanwise.flow.words import Words
    from spanwise.tasks.steps import Steps
    from spanwise.types import Label, RelationLabel

AnyTask: TypeAlias = (
    Answers | Entities | Find | KeyPhrases | OpenEntities | Relations | Sentiments | Summaries
)
_KINDS: dict[type[Any], str] = {
    Answers: "an answer",
    Entities: "entities",
    Find: "spans",
    KeyPhrases: "spans",
    OpenEntities: "entities",
    Relations: "relations",
    Sentiments: "opinions",
    Summaries: "a summary",
}
# What a task with a source makes of it.
_TAKES: dict[type[Any], tuple[str, ...]] = {
    Relations: ("entities", "spans"),
    Sentiments: ("entities", "spans"),
    Filter: ("entities", "spans", "relations", "opinions"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A task or filter under a name, and the earlier step whose result it takes.

    With a source, relations take their heads from it (entities, or spans), sentiment its aspects,
    and a filter what it filters.
    """

    name: str
    task: AnyTask | Filter
    source: str | None = field(default=None, kw_only=True)


class Pipeline:
    """Steps in order, checked when they are put together."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """Check that the steps fit.

        Raises:
            ConfigError: no steps, a name given twice, a source that is no earlier step or of a
                kind that the step cannot take, a filter that can never match.
        """
        if not steps:
            msg = "a pipeline needs at least one step"
            raise ConfigError(msg)
        self.steps_by_name: dict[str, Step] = {}
        for step in steps:
            self._check(step)
            self.steps_by_name[step.name] = step

    def run(
        self,
        extractor: Extractor,
        texts: Iterable[Text],
        *,
        ids: Iterable[str | int] | None = None,
    ) -> Iterator[Document]:
        """Yield a document for each text, in order, reading ahead by a block of texts.

        Args:
            extractor: reads the texts.
            texts: one text is a list of one.
            ids: what each text is called; None: nothing.

        Raises:
            InputError: `texts` is a single string, or there is not one id for each text.
        """
        if isinstance(texts, str):
            msg = "texts is a string; a pipeline runs over many texts: pass [text]"
            raise InputError(msg)
        return self._run(extractor, texts, ids)

    def _run(
        self, extractor: Extractor, texts: Iterable[Text], ids: Iterable[str | int] | None
    ) -> Iterator[Document]:
        names: list[str | int] = []

        def named() -> Iterator[Text]:
            for text, name in paired(texts, ids or ()):
                names.append(name)
                yield text

        results: Iterator[Any] = extractor.run(iter(texts) if ids is None else named(), [self])
        for ((text, of_steps),) in results:
            yield Document(text, of_steps, names.pop(0) if ids is not None else None)

    def steps(self, text: Words, config: ModelConfig) -> Steps[tuple[str, dict[str, Any]]]:
        """Run all steps on one text; the result is the text and the steps' results by name."""
        results: dict[str, Any] = {}
        waiting = list(self.steps_by_name.values())
        while waiting:
            ready = [s for s in waiting if s.source is None or s.source in results]
            waiting = [s for s in waiting if s not in ready]
            running = {}
            for step in ready:
                task = _sourced(step, results)
                if isinstance(task, list):
                    results[step.name] = task
                else:
                    running[step.name] = task.steps(text, config)
            results |= yield from _together(running)
        return text.text, {name: results[name] for name in self.steps_by_name}

    def _check(self, step: Step) -> None:
        where = f"step {step.name!r}"
        if not step.name.strip() or step.name in self.steps_by_name:
            msg = f"{where}: a step needs a name of its own"
            raise ConfigError(msg)
        takes = _TAKES.get(type(step.task), ())
        if step.source is None:
            if isinstance(step.task, Filter):
                msg = f"{where}: a filter needs a source, the name of the step that it filters"
                raise ConfigError(msg)
            if isinstance(step.task, Relations) and not (step.task.entities or step.task.heads):
                msg = f"{where}: relations need entities, heads, or a source that gives heads"
                raise ConfigError(msg)
            return
        if step.source not in self.steps_by_name:
            known = list(self.steps_by_name)
            msg = (
                f"{where}: its source {step.source!r} is no earlier step"
                f"{did_you_mean(step.source, known)}; earlier: {', '.join(known) or 'none'}"
            )
            raise ConfigError(msg)
        kind = self._kind(step.source)
        if kind not in takes:
            what = type(step.task).__name__
            does = f"takes {' or '.join(takes)}" if takes else "takes no source"
            msg = f"{where}: {what} {does}, and {step.source!r} gives {kind}"
            raise ConfigError(msg)
        try:
            self._check_labels(step)
        except InputError as error:
            msg = f"{where}: {error}"
            raise ConfigError(msg) from None

    def _check_labels(self, step: Step) -> None:
        """See that labels of pairs and filters are among those that the source can give."""
        assert step.source is not None
        known = self._labels(step.source)
        if isinstance(step.task, Filter):
            step.task.check(self._kind(step.source), known)
        elif isinstance(step.task, Relations) and step.task.entities is None:
            step.task.check_pairs(known or ())

    def _kind(self, name: str) -> str:
        step = self.steps_by_name[name]
        if isinstance(step.task, Filter):
            return self._kind(str(step.source))
        return _KINDS[type(step.task)]

    def _labels(self, name: str) -> list[str] | None:
        """Return the labels that a step's result can have, or None where it has none."""
        step = self.steps_by_name[name]
        task = step.task
        if isinstance(task, Filter):
            return list(task.labels) if task.labels else self._labels(str(step.source))
        if isinstance(task, Sentiments):
            return ["positive", "negative", "neutral"]
        given = {Relations: "relations", Entities: "labels", OpenEntities: "labels"}
        if type(task) not in given:
            return None
        labels: Sequence[Label | RelationLabel] = getattr(task, given[type(task)])
        return [label.name for label in labels]


def _sourced(step: Step, results: dict[str, Any]) -> AnyTask | list[Any]:
    """Return the step's task with what its source gave, or its result where nothing is asked."""
    task = step.task
    if step.source is None:
        assert not isinstance(task, Filter)
        return task
    found = results[step.source]
    if isinstance(task, Filter):
        return task.keep(found)
    if isinstance(task, Sentiments):
        names = list(dict.fromkeys(" ".join(each.text.split()) for each in found))
        return replace(task, aspects=names) if names else []
    assert isinstance(task, Relations)
    return replace(task, heads=tuple(found))


def _together(running: dict[str, Steps[Any]]) -> Generator[Any, Any, dict[str, Any]]:
    """Advance several tasks round by round and return their results by name."""
    results: dict[str, Any] = {}
    asked: dict[str, Any] = {}

    def advance(name: str, found: Any) -> None:  # noqa: ANN401
        try:
            asked[name] = running[name].send(found)
        except StopIteration as end:
            asked.pop(name, None)
            results[name] = end.value

    for name in running:
        advance(name, None)
    while asked:
        found = yield [question for questions in asked.values() for question in questions]
        place = 0
        for name, questions in list(asked.items()):
            advance(name, found[place : place + len(questions)])
            place += len(questions)
    return results

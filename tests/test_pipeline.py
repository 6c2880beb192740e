"""Pipelines and recipes: steps that feed each other, and what is refused when they are built."""

import pytest

from spanwise import RelationLabel, recipes
from spanwise.errors import ConfigError, InputError
from spanwise.pipeline import Pipeline, Step
from spanwise.tasks import Answers, Entities, Filter, KeyPhrases, Relations, Sentiments, Summaries

TEXT = "Ada Lovelace wrote Notes . Charles Babbage built Engine ."
TABLE = {
    "person": {"Ada Lovelace": 0.9, "Charles Babbage": 0.6},
    "work": {"Notes": 0.9, "Engine": 0.8},
    "Ada Lovelace <> made": {"Notes": 0.9},
    "Charles Babbage <> made": {"Engine": 0.6},
    "answer": {"Ada Lovelace": 0.8},
    "key phrase": {"Notes": 0.8},
    "positive": {"built": 0.9},
}
RECIPE = """
[[step]]
name = "who"
task = "entities"
labels = ["person", "work"]

[[step]]
name = "made"
task = "relations"
from = "who"
relations = [{ name = "made", pairs = [["person", "work"]], max_distance = 40 }]

[[step]]
name = "sure"
task = "filter"
from = "made"
min_score = 0.7

[[step]]
task = "answers"
question = "Who wrote Notes?"

[export]
form = "rows"
steps = ["sure"]
"""


def people(**how):
    return Step("people", Entities(["person", "work"], **how))


def test_a_steps_result_feeds_the_next(scripted):
    made = RelationLabel("made", pairs=(("person", "work"),))
    pipeline = Pipeline(
        [
            people(),
            Step("made", Relations([made], heads=()), source="people"),
            Step("sure", Filter(min_score=0.7), source="made"),
        ]
    )
    extractor = scripted(TABLE)
    (document,) = pipeline.run(extractor, [TEXT], ids=["a"])
    assert document.id == "a"
    assert list(document.results) == ["people", "made", "sure"]
    assert [each.head.text for each in document.results["made"]] == [
        "Ada Lovelace",
        "Charles Babbage",
    ]
    assert [each.head.text for each in document.results["sure"]] == ["Ada Lovelace"]
    assert len(extractor.backend.passes) == 2


def test_a_filter_between_keeps_heads_from_being_asked(scripted):
    pipeline = Pipeline(
        [
            people(),
            Step("persons", Filter(labels=["person"], min_score=0.7), source="people"),
            Step("made", Relations(["made"], heads=()), source="persons"),
        ]
    )
    extractor = scripted(TABLE)
    list(pipeline.run(extractor, [TEXT]))
    assert extractor.backend.passes[-1][0] == ["Ada Lovelace <> made"]


def test_aspects_come_from_key_phrases_and_none_asks_nothing(scripted):
    steps = [Step("about", KeyPhrases()), Step("said", Sentiments(), source="about")]
    extractor = scripted(TABLE)
    with_aspect, without = Pipeline(steps).run(extractor, [TEXT, "nothing here"])
    assert [each.aspect for each in with_aspect.results["said"]] == ["Notes"]
    assert without.results["said"] == []


def test_independent_steps_are_read_in_one_batch(scripted):
    extractor = scripted(TABLE)
    steps = [people(), Step("who", Answers("Who?")), Step("short", Summaries())]
    list(Pipeline(steps).run(extractor, [TEXT, "x"]))
    assert extractor.backend.n_batches == 1


def test_documents_come_in_order_and_texts_stream(scripted):
    pipeline = Pipeline([people()])
    stream = pipeline.run(scripted(TABLE), (f"Ada Lovelace {i}" for i in range(1200)))
    assert [document.text for document in stream] == [f"Ada Lovelace {i}" for i in range(1200)]
    with pytest.raises(InputError, match="pass \\[text\\]"):
        pipeline.run(scripted(TABLE), TEXT)
    with pytest.raises(InputError, match="more"):
        list(pipeline.run(scripted(TABLE), [TEXT, TEXT], ids=["a"]))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "at least one step"),
        ([people(), people()], "a name of its own"),
        ([Step("", Summaries())], "a name of its own"),
        ([Step("f", Filter(min_score=0.5))], "a filter needs a source"),
        ([Step("r", Relations(["a"], heads=()))], "need entities, heads, or a source"),
        ([people(), Step("f", Filter(min_score=0.5), source="peple")], "did you mean 'people'"),
        ([Step("f", Filter(min_score=0.5), source="f")], "no earlier step"),
        ([people(), Step("s", Summaries(), source="people")], "Summaries takes no source"),
        ([Step("q", Answers("Who?")), Step("r", Relations(["a"], heads=()), source="q")],
         "gives an answer"),
        ([people(), Step("f", Filter(labels=["persn"]), source="people")], "did you mean 'person'"),
        ([people(), Step("f", Filter(max_distance=3), source="people")], "are of relations"),
        ([Step("k", KeyPhrases()), Step("f", Filter(labels=["a"]), source="k")], "carry no label"),
        ([people(), Step("f", Filter(labels=["work"]), source="people"),
          Step("r", Relations([RelationLabel("m", pairs=(("person", "work"),))], heads=()),
               source="f")], "pairs name 'person'"),
    ],
)  # fmt: skip
def test_steps_that_do_not_fit_are_refused_when_they_are_put_together(steps, message):
    with pytest.raises(ConfigError, match=message):
        Pipeline(steps)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "a filter needs"),
        ({"min_score": 2}, "is not a probability"),
        ({"max_distance": -1}, "max_distance is -1"),
        ({"labels": "person"}, "must be a list"),
    ],
)
def test_a_filter_checks_its_bounds(fields, message):
    with pytest.raises(InputError, match=message):
        Filter(**fields)


def test_a_recipe_is_the_same_pipeline_in_toml(scripted, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    recipe = recipes.read(path)
    (document,) = recipe.pipeline.run(scripted(TABLE), [TEXT])
    assert list(document.results) == ["who", "made", "sure", "answers"]
    assert [each.tail.text for each in document.results["sure"]] == ["Notes"]
    assert document.results["answers"].answer.text == "Ada Lovelace"
    assert recipe.export == recipes.Export(form="rows", steps=("sure",))


def entities(**more):
    return {"task": "entities", "labels": ["a"], **more}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, "at least one step"),
        ({"steps": []}, "did you mean 'step'"),
        ({"step": {"task": "entities"}}, r"write \[\[step\]\]"),
        ({"step": [{"task": "entity"}]}, "did you mean 'entities'"),
        ({"step": [{}]}, "task None is not known"),
        ({"step": [entities(treshold=0.3)]}, "did you mean 'threshold'"),
        ({"step": [entities(threshold=3)]}, r"step 1 \(entities\): threshold 3.0 is not a prob"),
        ({"step": [entities(threshold="high")]}, "threshold must be float or"),
        ({"step": [entities(multi_label=1)]}, "multi_label must be bool"),
        ({"step": [entities(name=3)]}, "name is 3"),
        ({"step": [entities(overlap="nestd")]}, "did you mean 'nested'"),
        ({"step": [{"task": "entities"}]}, "missing labels"),
        ({"step": [{"task": "entities", "labels": []}]}, "no labels given"),
        ({"step": [{"task": "entities", "labels": "person"}]}, "labels must be"),
        ({"step": [{"task": "answers", "question": ""}]}, "the question is ''"),
        ({"step": [{"task": "relations", "entities": ["a"]}]}, "missing relations"),
        ({"step": [{"task": "relations", "relations": []}]}, "no relations given"),
        ({"step": [{"task": "relations", "relations": ["a"]}]}, "need heads"),
        ({"step": [{"task": "relations", "relations": [3], "entities": ["a"]}]}, "holds 3"),
        ({"step": [{"task": "relations", "relations": [{"nam": "a"}], "entities": ["a"]}]},
         "did you mean 'name'"),
        ({"step": [entities(), {"task": "filter", "min_score": 0.5, "from": "entites"}]},
         "did you mean 'entities'"),
        ({"step": [entities(), {"task": "filter", "threshold": 0.5}]}, "unknown key 'threshold'"),
        ({"step": [entities()], "export": {"form": "row"}}, "form must be one of"),
        ({"step": [entities()], "export": {"steps": ["entites"]}}, "did you mean 'entities'"),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_run_is_refused_when_it_is_read(mapping, message):
    with pytest.raises(ConfigError, match=message) as caught:
        recipes.build(mapping)
    assert str(caught.value).startswith("recipe")


def test_a_recipe_that_is_no_toml_or_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        recipes.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("step = [", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no TOML"):
        recipes.read(tmp_path / "bad.toml")


def test_every_key_of_every_task_has_a_type():
    import dataclasses

    for task in recipes.TASKS.values():
        names = {field.name for field in dataclasses.fields(task)} - {"settings"}
        assert names <= set(recipes._TYPES)
    assert set(recipes._SETTINGS) <= set(recipes._TYPES)

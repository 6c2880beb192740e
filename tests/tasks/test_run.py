"""Several tasks at once, and what holds for all of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanwise import Entity, LabelError, Relation
from spanwise.errors import InputError
from spanwise.options import Settings
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

TEXT = "Ada wrote Notes . Babbage built Engine ."
TABLE = {
    "person": {"Ada": 0.9, "Babbage": 0.4},
    "Ada <> wrote": {"Notes": 0.9},
    "answer": {"Ada": 0.9},
}
LABELS = ["person", "city"]


def spans(result):
    """Yield everything with offsets in a result of any task."""
    if isinstance(result, list | tuple):
        for each in result:
            yield from spans(each)
    elif isinstance(result, Relation):
        yield from (result.head, result.tail)
    elif hasattr(result, "sentences"):
        yield from result.sentences
    elif hasattr(result, "alternatives"):
        yield from (*([result.answer] if result.answer else []), *result.alternatives)
    else:
        yield result


def test_tasks_run_together_as_they_do_alone(extractor):
    texts = ["Ada Lovelace met Charles Babbage in London. She wrote it!", "", "Who founded Paris?"]
    together = extractor.run(texts, every_task("Who was she?"))
    alone = zip(
        extractor.entities(texts, LABELS),
        extractor.open_entities(texts, LABELS, "Who was she?"),
        extractor.relations(texts, ["founded", "met"], entities=LABELS),
        extractor.answers(texts, "Who was she?", near=0.1),
        extractor.summaries(texts, whole_sentences=True),
        extractor.summaries(texts, n_sentences=2),
        extractor.find(texts, "Who was she?"),
        extractor.key_phrases(texts),
        extractor.sentiment(texts),
        extractor.sentiment(texts, aspects=["London"]),
        strict=True,
    )
    for ours, theirs in zip(together, alone, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert places(one) == places(other)


def places(result):
    return [(each.start, each.end, round(each.score, 4)) for each in spans(result)]


def every_task(words):
    return [
        Entities(LABELS),
        OpenEntities(LABELS, words),
        Relations(["founded", "met"], entities=LABELS),
        Answers(words, near=0.1),
        Summaries(whole_sentences=True),
        Summaries(n_sentences=2),
        Find(words),
        KeyPhrases(),
        Sentiments(),
        Sentiments(aspects=["London"]),
    ]


ALPHABET = st.sampled_from(
    ["Ada", "London", "who", "wrote", " ", "  ", "\n", ".", "? ", "<>", "<<ENT>>", "<<SEP>>",
     "[SEP]", "é", "京都", "\u200b", "\ufe0f", "👩‍👩‍👧", "x-y", "\u0301", "\r\n", "\x00"]
)  # fmt: skip
TEXTS = st.lists(ALPHABET, max_size=25).map("".join)
WORDS = TEXTS.filter(lambda words: words.strip())


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXTS, words=WORDS, repeated=st.booleans())
def test_offsets_are_exact_for_every_task(make_extractor, text, words, repeated):
    extractor = make_extractor("deberta-v2", max_words=200)
    if repeated:  # the instruction stands in the document as well
        text = f"{words} {text} {words}"
    for result in extractor.run(text, every_task(words)):
        for each in spans(result):
            assert text[each.start : each.end] == each.text
            assert 0 <= each.start < each.end <= len(text)
            assert 0 <= each.score <= 1


def test_a_query_that_two_tasks_put_is_read_once(scripted):
    extractor = scripted(TABLE)
    tasks = {
        "people": Entities(["person"]),
        "more": Entities(["person"], settings=Settings(threshold=0.3)),
        "wrote": Relations(["wrote"], entities=["person"]),
    }
    found = extractor.run(TEXT, tasks)
    assert [each.text for each in found["people"]] == ["Ada"]
    assert [each.text for each in found["more"]] == ["Ada", "Babbage"]
    assert [each.tail.text for each in found["wrote"]] == ["Notes"]
    assert len(extractor.backend.passes) == 2  # entities, then tails


def test_all_queries_of_a_round_are_batched_together(scripted):
    extractor = scripted(TABLE)
    extractor.run([TEXT] * 3, [Entities(["person"]), Answers("Who?"), Summaries(), KeyPhrases()])
    assert extractor.backend.n_batches == 1
    assert len(extractor.backend.passes) == 4  # the three texts are the same text


def test_one_many_and_a_stream_take_the_same_form_as_the_texts(scripted):
    extractor = scripted(TABLE)
    one = extractor.run(TEXT, [Entities(["person"])])
    assert isinstance(one[0][0], Entity)
    assert extractor.run([TEXT, ["Ada", "slept"]], [Entities(["person"])])[1][0][0].end == 3
    stream = extractor.run(iter([TEXT]), {"people": Entities(["person"])})
    assert next(stream)["people"] == one[0]
    assert extractor.run([], [Entities(["person"])]) == []


def test_a_stream_is_read_block_by_block(scripted):
    from spanwise import engine

    taken = []

    def texts():
        for number in range(3 * engine.BLOCK):
            taken.append(number)
            yield TEXT

    stream = scripted(TABLE).entities(texts(), ["person"])
    next(stream)
    assert len(taken) == engine.BLOCK


def test_what_is_no_text_or_option_is_refused(scripted):
    extractor = scripted({})
    with pytest.raises(InputError, match="text 1 is a int"):
        extractor.entities(["a", 3], ["person"])
    with pytest.raises(InputError, match="texts is a int"):
        extractor.summaries(3)
    with pytest.raises(InputError, match="did you mean 'threshold'"):
        extractor.key_phrases("a", treshold=0.5)
    with pytest.raises(InputError, match="did you mean 'entities'"):
        extractor.relations("a", ["made"], entites=["person"])
    with pytest.raises(InputError, match="no tasks"):
        extractor.run("a", [])
    with pytest.raises(LabelError, match="no labels"):
        extractor.entities("a", [])


def test_near_misses_are_given_on_request_and_say_so(scripted):
    extractor = scripted({"person": {"Ada": 0.9, "Babbage": 0.4, "Notes": 0.1, "wrote": 0.3}})
    found = extractor.entities(TEXT, ["person"], near=0.2)
    assert [(each.text, each.near_miss) for each in found] == [
        ("Ada", False),
        ("wrote", True),
        ("Babbage", True),
    ]
    assert all(each.score < 0.5 for each in found if each.near_miss)
    assert found[1].to_dict()["near_miss"]
    assert "near_miss" not in found[0].to_dict()
    assert len(extractor.backend.passes) == 1
    with pytest.raises(InputError, match="not a probability"):
        extractor.entities(TEXT, ["person"], near=2)


def test_labels_apart_do_not_compete(scripted):
    extractor = scripted({"a": {"Ada wrote": 0.9}, "b": {"wrote Notes": 0.8}})
    assert len(extractor.entities(TEXT, ["a", "b"])) == 1
    assert len(extractor.entities(TEXT, ["a", "b"], apart=True)) == 2


def test_truncation_is_told_for_every_text_that_it_cut(scripted):
    extractor = scripted({}, max_words=3)
    extractor.entities(["a b c d e"] * 2, ["x"], long_text="truncate")
    assert [(each.text, each.start, each.end) for each in extractor.unread] == [
        (0, 6, 9),
        (1, 6, 9),
    ]


def test_passes_are_shared_however_many_queries_a_block_has(scripted):
    extractor = scripted({})
    texts = [f"text {number}" for number in range(300)]
    extractor.run(texts, [Answers("Who?"), Summaries(n_sentences=1), Summaries()])
    assert len(extractor.backend.passes) == 600

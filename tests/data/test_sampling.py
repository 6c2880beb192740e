"""Examples: pure and seeded; what is asked in vain is nowhere in the text; spans are aligned."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanwise.data import GoldSpan, Record, Source, negatives, wording
from spanwise.data.records import RELATION_INSTRUCTION, SUMMARY_INSTRUCTION
from spanwise.data.sampling import Passes, Sampler, SamplingConfig, sample
from spanwise.errors import ConfigError, DataError
from spanwise.flow.words import UnicodeSplitter

PLAIN = SamplingConfig(synonyms=0.0, cut_short=0.0)
CITIES = ["Rome", "Oslo", "Bern", "Kyiv"]


def entities(n=30, *, closed=True, open_labels=False, labels=None):
    records = []
    for i in range(n):
        name, city = f"Name{i}", CITIES[i % 4]
        text = f"{name} saw {city}. " * (1 + i % 5) + "Nothing else was said on that day."
        spans = []
        for k in range(1 + i % 5):
            at = k * len(f"{name} saw {city}. ")
            spans.append(GoldSpan(at, at + len(name), "person"))
            there = at + len(f"{name} saw ")
            spans.append(GoldSpan(there, there + len(city), "city"))
        records.append(Record(text=text, spans=tuple(spans), labels=labels, id=str(i)))
    inventory = ("person", "city", "river", "date", *(f"type {k}" for k in range(40)))
    return Source(
        name="made",
        task="entities",
        records=tuple(records),
        inventory=inventory,
        closed=closed,
        open_labels=open_labels,
    )


def asked(text, answer, question, group):
    at = text.index(answer)
    return Record(
        text=text,
        spans=(GoldSpan(at, at + len(answer), "answer"),),
        labels=("answer",),
        instruction=question,
        task="answers",
        group=group,
    )


def answers(records):
    return Source(
        name="qa", task="answers", records=tuple(records), inventory=("answer",), closed=True
    )


def questions():
    return answers(
        asked(f"The capital here is {city}.", city, f"Which capital is number {i}?", "capitals")
        for i, city in enumerate(CITIES)
    )


def relations(relation="born in"):
    text = "Ada was born in Rome, Bob in Oslo."
    spans = (
        GoldSpan(16, 20, f"Ada <> {relation}"),
        GoldSpan(29, 33, f"Bob <> {relation}"),
    )
    record = Record(text=text, spans=spans, task="relations", instruction=RELATION_INSTRUCTION)
    inventory = (relation, "died in", "works for")
    return Source(name="re", task="relations", records=(record,), inventory=inventory, closed=True)


def many(source, config=PLAIN, *, n=300, pool=()):
    sampler = Sampler([source], [1.0], config=config, pool=pool, seed=1)
    return [sampler(i) for i in range(n)]


def surfaces(example):
    text, starts, ends = example.words.text, example.words.starts, example.words.ends
    return {(text[starts[a] : ends[b - 1]], example.labels[c]) for a, b, c in example.spans}


def same(one, other):
    return (one.instruction, one.labels, one.spans, one.words.text) == (
        other.instruction,
        other.labels,
        other.spans,
        other.words.text,
    ) and one.words.starts.tolist() == other.words.starts.tolist()


@given(st.integers(0, 2**31), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_example_at_a_position_depends_on_the_seed_only(seed, position):
    source = entities()
    config = SamplingConfig(recase=0.5, all_labels=0.2)
    first = Sampler([source], [1.0], config=config, seed=seed)
    for other in range(3):
        first(other)  # what was drawn before does not matter
    assert same(first(position), Sampler([source], [1.0], config=config, seed=seed)(position))


def test_records_and_sources_are_left_as_they_were():
    source = entities()
    many(source)
    assert source == entities()


def test_spans_of_asked_labels_are_all_there_and_aligned():
    for example in many(entities(), replace(PLAIN, drop_labels=0.5)):
        for surface, label in surfaces(example):
            assert surface in CITIES if label == "city" else surface.startswith("Name")
        for label, found in (("city", CITIES), ("person", ["Name"])):
            if label in example.labels:
                n = sum(example.words.text.count(each) for each in found)
                place = example.labels.index(label)
                assert sum(c == place for _, _, c in example.spans) == n


def test_labels_asked_in_vain_have_no_span_in_the_record():
    for example in many(entities(), replace(PLAIN, all_labels=0.5)):
        asked = set(example.labels)
        assert len(asked) == len(example.labels) <= 30
        spanned = {label for _, label in surfaces(example)}
        assert (asked & {"person", "city"}) == spanned
        assert asked


def test_all_labels_are_asked_as_often_as_wanted():
    config = replace(PLAIN, all_labels=1.0, drop_labels=0.0)
    assert all(len(example.labels) == 30 for example in many(entities(), config))


def test_a_text_that_is_not_fully_marked_has_no_negatives_of_its_set():
    for example in many(entities(closed=False)):
        assert set(example.labels) <= {"person", "city"}


def test_labels_a_record_is_known_to_be_marked_for_are_safe_negatives():
    examples = many(entities(closed=False, labels=("person", "city", "date")))
    asked = Counter(label for example in examples for label in example.labels)
    assert set(asked) == {"person", "city", "date"}


def test_pool_negatives_neither_share_a_word_nor_mean_the_same():
    pool = ["human", "town", "person name", "old city", "weapon", "Individual"]
    examples = many(entities(closed=False, open_labels=True), pool=pool)
    asked = {label for example in examples for label in example.labels}
    assert asked == {"person", "city", "weapon"}


def test_pool_negatives_are_often_of_the_kind_of_a_label_that_is_present():
    pool = negatives.Pool(
        tuple(f"thing {n}" for n in range(50)), {"person": ("poet", "person", "singer")}
    )
    examples = many(entities(closed=False, open_labels=True), pool=pool)
    asked = [label for example in examples for label in example.labels]
    assert {"poet", "singer"} < set(asked)
    of_kind = sum(bool({"poet", "singer"} & set(example.labels)) for example in examples)
    assert of_kind > len(examples) / 3


def test_kin_are_specific_types_whose_spans_share_a_general_type():
    def source(name, labels):
        spans = [GoldSpan(4 * n, 4 * n + 3, label) for n, label in enumerate(labels)]
        record = Record(text="Ann Bob Rom", spans=tuple(spans), group="g", labels=tuple(labels))
        return Source(
            name=name,
            task="entities",
            records=(record,),
            inventory=tuple(labels),
            closed=False,
            open_labels=name == "synthetic_entities",
        )

    pool = negatives.pool(
        [
            source("synthetic_entities", ["poet", "singer", "city"]),
            source("synthetic_types", ["person", "person", "location"]),
        ]
    )
    assert list(pool) == ["city", "poet", "singer"]
    assert pool.kin == {
        "poet": ("poet", "singer"),
        "singer": ("poet", "singer"),
        "city": ("city",),
    }


def test_labels_are_dropped_in_about_the_wanted_share():
    dropped = sum(
        len({label for _, label in surfaces(x)}) < 2
        for x in many(entities(), replace(PLAIN, drop_labels=0.4), n=600)
    )
    assert 0.3 < dropped / 600 < 0.5


def test_cut_pieces_are_short_hold_a_span_and_end_with_a_sentence():
    config = replace(PLAIN, cut_short=1.0, short_words=8, drop_labels=0.0)
    for example in many(entities(), config):
        assert len(example.words) <= 12
        assert example.spans
        assert example.words.text.endswith(".")


def test_an_endless_sentence_is_cut_at_the_limit():
    text = "word " * 500 + "Rome"
    source = replace(
        entities(1), records=(Record(text=text, spans=(GoldSpan(2500, 2504, "city"),)),)
    )
    for example in many(source, replace(PLAIN, max_words=50, drop_labels=0.0), n=5):
        assert len(example.words) <= 50
        assert ("Rome", "city") in surfaces(example)


def test_unanswerable_questions_are_really_unanswerable():
    source = questions()
    gold = {r.instruction: r.text[r.spans[0].start : r.spans[0].end] for r in source.records}
    examples = many(source, replace(PLAIN, no_answer=0.4), n=500)
    silent = [example for example in examples if not example.spans]
    assert 0.3 < len(silent) / 500 < 0.5
    for example in silent:
        answer = gold.get(example.instruction)  # None: the question itself was changed
        assert answer is None or answer not in example.words.text
        assert example.labels == ("answer",)
    for example in examples:
        if example.spans:
            assert surfaces(example) == {(gold[example.instruction], "answer")}


def long_questions():
    rest = " ".join(
        f"Nobody in town number {n} knew of it, or had heard of it at all." for n in range(9)
    )
    told = "The first big fair of {} was held in 18{}0."
    return answers(
        asked(
            f"{rest} {told.format(city, n)} {rest}",
            f"18{n}0",
            f"When was the first big fair of {city} held?",
            "fairs",
        )
        for n, city in enumerate(CITIES)
    )


def test_a_piece_shows_what_a_changed_question_is_not_answered_by():
    config = replace(PLAIN, no_answer=1.0, cut_short=1.0, short_words=20, max_words=60)
    examples = many(long_questions(), config)
    as_they_were = {record.instruction for record in long_questions().records}
    changed = [e for e in examples if e.instruction not in as_they_were]
    assert len(changed) > 50
    assert all("big fair of" in e.words.text and not e.spans for e in changed)
    assert all(len(e.words) <= 60 for e in examples)


def test_twins_are_one_question_with_and_without_its_answer():
    config = replace(PLAIN, no_answer=0.5, twins=True, cut_short=1.0, short_words=20)
    examples = many(long_questions(), config)
    alike = 0
    for answered, unanswered in zip(examples[::2], examples[1::2], strict=True):
        assert answered.spans
        assert not unanswered.spans
        alike += answered.words.text == unanswered.words.text
    assert alike > 50  # the question changed and not the text
    unanswered = tuple(replace(r, spans=(), id=f"{r.id}/u") for r in long_questions().records)
    mixed = replace(long_questions(), records=long_questions().records + unanswered)
    assert all(example.spans for example in many(mixed, config)[::2])
    assert not any(e.spans for e in many(replace(mixed, records=unanswered), config))
    both = Sampler([long_questions(), entities()], [1, 1], config=config, seed=3)
    drawn = [(both(n), both(n + 1)) for n in range(0, 200, 2)]
    assert all(one.task == other.task for one, other in drawn)
    others = [(one, other) for one, other in drawn if one.task == "entities"]
    assert 30 < len(others) < 70
    assert sum(one.words.text != other.words.text for one, other in others) > 0.8 * len(others)


def test_written_questions_without_an_answer_are_the_twins_of_all_to_their_text():
    text = "Ada wrote notes in London. " + "Nothing was said. " * 20 + "Bob fished trout at Bergen."
    asks = [
        replace(asked(text, "Ada", "Who wrote notes?", "a"), id="1"),
        replace(asked(text, "Ada", "Who fished salmon at Bergen?", "a"), spans=(), id="2"),
        replace(asked(text, "London", "Where were notes written?", "b"), id="3"),
        replace(asked(text, "Ada", "Who?", "b"), spans=(), id="3/unanswerable"),
    ]
    config = replace(
        PLAIN, no_answer=0.5, twins=True, cut_short=1.0, short_words=8, short_answers=8
    )
    examples = many(answers(asks), config)
    pairs = {
        (x.instruction, y.instruction) for x, y in zip(examples[::2], examples[1::2], strict=True)
    }
    assert ("Who wrote notes?", "Who fished salmon at Bergen?") in pairs
    assert ("Where were notes written?", "Who?") in pairs
    written = [e for e in examples if e.instruction == "Who fished salmon at Bergen?"]
    assert len(written) > 0.3 * len(examples) / 2
    assert all(not e.spans and "Bob fished trout" in e.words.text for e in written)
    assert all("Ada wrote" not in e.words.text for e in written)  # cut about what comes nearest


def test_a_question_whose_answer_is_everywhere_stays_answerable():
    source = questions()
    alike = tuple(
        replace(r, text=f"{r.text} Rome Oslo Bern Kyiv", instruction="Which capital?")
        for r in source.records
    )
    examples = many(replace(source, records=alike), replace(PLAIN, no_answer=1.0))
    assert all(example.spans for example in examples)


def test_wrong_relations_and_heads_are_asked_and_never_answered():
    examples = many(relations())
    asked = {label for example in examples for label in example.labels}
    assert {"Ada <> died in", "Ada <> works for"} & asked
    assert {"Rome <> born in", "Oslo <> born in"} & asked
    for example in examples:
        assert {label for _, label in surfaces(example)} <= {"Ada <> born in", "Bob <> born in"}
        assert ("Rome" in {s for s, _ in surfaces(example)}) == ("Ada <> born in" in example.labels)


def test_the_tail_of_a_relation_that_holds_both_ways_is_no_wrong_head():
    asked = {label for example in many(relations("spouse")) for label in example.labels}
    assert not {"Rome <> spouse", "Oslo <> spouse"} & asked


def test_a_relation_record_without_spans_is_asked_what_it_is_marked_for():
    record = Record(text="Ada slept.", spans=(), labels=("Ada <> born in",), task="relations")
    for example in many(replace(relations(), records=(record,))):
        assert example.labels
        assert example.spans == ()


def test_fixed_instructions_vary_and_ones_own_do_not():
    record = Record(
        text="All is well. It rains.",
        spans=(GoldSpan(0, 12, "summary"),),
        instruction=SUMMARY_INSTRUCTION,
        task="summary",
    )
    source = Source(
        name="s", task="summary", records=(record,), inventory=("summary",), closed=True
    )
    assert len({x.instruction for x in many(source)}) > 2
    kept = many(source, replace(PLAIN, instructions=0.0))
    assert {x.instruction for x in kept} == {SUMMARY_INSTRUCTION}
    asked = Record(text="Ada.", spans=(), task="open", instruction="Find the mood:")
    mine = Source(name="o", task="open", records=(asked,), inventory=(), closed=False)
    assert {(x.instruction, x.labels) for x in many(mine)} == {("Find the mood:", ("match",))}


def test_synonyms_replace_names_and_never_meet():
    asked = {x for e in many(entities(), replace(PLAIN, synonyms=1.0)) for x in e.labels}
    assert {"people", "town"} <= asked
    both = replace(
        entities(1),
        records=(Record(text="Ada", spans=(GoldSpan(0, 3, "person"),), labels=("human",)),),
    )
    for example in many(both, replace(PLAIN, synonyms=1.0)):
        assert len(set(example.labels)) == len(example.labels)


def test_a_relation_is_named_alike_behind_all_its_heads():
    labels = ["Ada <> founded by", "Bo <> owned by", "Bo <> founded by", "Cy <> shipped by"]
    drawn = [
        wording.vary(labels, "relations", np.random.default_rng(seed), 0.7) for seed in range(50)
    ]
    first = {shown[0] for shown in drawn}
    assert {"Ada <> founded by", "Ada <> founder"} <= first
    assert all(shown[2] == f"Bo{shown[0][3:]}" for shown in drawn)
    assert all(shown[3] == "Cy <> shipped by" for shown in drawn)
    clashing = ["Ada <> founder", "Ada <> founded by"]  # one must not become the other
    rngs = map(np.random.default_rng, range(50))
    assert all(len(set(wording.vary(clashing, "relations", rng, 1.0))) == 2 for rng in rngs)


def test_case_varies_and_offsets_hold():
    examples = many(entities(), replace(PLAIN, recase=1.0))
    assert any(example.words.text.isupper() for example in examples)
    assert any(example.words.text.islower() for example in examples)
    assert any("PERSON" in example.labels for example in examples)
    for example in examples:
        for surface, label in surfaces(example):
            wanted = {city.lower() for city in CITIES} if label.lower() == "city" else {"name"}
            assert any(surface.lower().startswith(each) for each in wanted)


def test_a_text_whose_length_changes_with_its_case_is_left_alone():
    source = replace(
        entities(1), records=(Record(text="Straße in Rome", spans=(GoldSpan(10, 14, "city"),)),)
    )
    for example in many(source, replace(PLAIN, recase=1.0), n=60):
        assert {surface.lower() for surface, _ in surfaces(example)} <= {"rome"}


def test_relations_keep_their_heads_as_they_stand_in_the_text():
    for example in many(relations(), replace(PLAIN, recase=1.0)):
        for label in example.labels:
            assert label.rsplit(" <> ", 1)[0] in example.words.text


def test_weights_decide_the_shares():
    sampler = Sampler([entities(), questions()], [3.0, 1.0], config=PLAIN, seed=0)
    counts = Counter(sampler(i).source for i in range(800))
    assert 0.7 < counts["made"] / 800 < 0.8


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, float("nan")]])
def test_weights_that_cannot_be_meant_are_refused(weights):
    with pytest.raises(ConfigError, match="2 sets: give each a number"):
        Sampler([entities(), questions()], weights)


def test_an_empty_set_is_refused():
    with pytest.raises(DataError, match="set 'made' holds no records"):
        Sampler([replace(entities(), records=())], [1.0])
    with pytest.raises(DataError, match="no records to train on"):
        Passes([])


def test_a_record_of_which_nothing_can_be_asked_is_named():
    record = Record(text="Ada", spans=(), id="r7")
    source = Source(name="x", task="entities", records=(record,), inventory=(), closed=True)
    with pytest.raises(DataError, match="record 'r7' of x has no label"):
        sample(record, source, np.random.default_rng(0))


def test_passes_read_every_record_once_in_another_order_each_time():
    draw = Passes([entities(10), questions()], config=PLAIN, seed=3)
    n = len(draw)
    assert n == 14
    passes = [[draw(k * n + i).words.text for i in range(n)] for k in range(2)]
    assert sorted(passes[0])[:10] == sorted(passes[1])[:10]
    assert passes[0] != passes[1]
    assert draw(3).words.text == passes[0][3]  # and back again


def test_passes_split_words_as_the_model_does():
    record = Record(text="東京に行く", spans=(GoldSpan(0, 2, "city"),))
    source = Source(name="ja", task="entities", records=(record,), inventory=("city",), closed=True)
    example = Passes([source], config=PLAIN, splitter=UnicodeSplitter())(0)
    assert len(example.words) == 5
    assert example.spans == ((0, 2, 0),)

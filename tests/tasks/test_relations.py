"""Relations: heads, tails, constraints, and how many passes they take."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spanwise import Entity, LabelError, RelationLabel, Span
from spanwise.errors import InputError
from spanwise.tasks import Relations

TEXT = "Ada Lovelace wrote Notes in London . Charles Babbage built Engine in London ."
PEOPLE = {"Ada Lovelace": 0.9, "Charles Babbage": 0.8}
TABLE = {
    "person": PEOPLE,
    "work": {"Notes": 0.9, "Engine": 0.9},
    "city": {"London": 0.7},
    "Ada Lovelace <> made": {"Notes": 0.9},
    "Charles Babbage <> made": {"Engine": 0.8, "Notes": 0.6},
    "Ada Lovelace <> lived in": {"London": 0.9},
    "Charles Babbage <> lived in": {"London": 0.7},
}


def facts(found):
    return [(each.head.text, each.relation, each.tail.text) for each in found]


def test_heads_are_found_and_asked_and_tails_carry_their_entitys_label(scripted):
    found = scripted(TABLE).relations(TEXT, ["made"], entities=["person", "work"])
    assert facts(found) == [
        ("Ada Lovelace", "made", "Notes"),
        ("Charles Babbage", "made", "Notes"),
        ("Charles Babbage", "made", "Engine"),
    ]
    assert {each.head.label for each in found} == {"person"}
    assert {each.tail.label for each in found} == {"work"}
    for each in found:
        for end in (each.head, each.tail):
            assert TEXT[end.start : end.end] == end.text
        assert each.score == each.tail.score


def test_two_heads_may_share_a_tail(scripted):
    found = scripted(TABLE).relations(TEXT, ["lived in"], entities=["person", "city"])
    assert {("Ada Lovelace", "London"), ("Charles Babbage", "London")} == {
        (each.head.text, each.tail.text) for each in found
    }


def test_a_fact_is_reported_once_and_every_mention_where_asked_for(scripted):
    extractor = scripted(TABLE)
    once = extractor.relations(TEXT, ["lived in"], heads=["Ada Lovelace"])
    every = extractor.relations(TEXT, ["lived in"], heads=["Ada Lovelace"], mentions=True)
    assert len(once) == 1
    assert [each.tail.start for each in every] == [TEXT.find("London"), TEXT.rfind("London")]


def test_pairs_keep_heads_from_being_asked_and_tails_from_being_given(scripted):
    extractor = scripted(TABLE)
    made = RelationLabel("made", pairs=(("person", "work"),))
    extractor.relations(TEXT, [made], entities=["person", "work", "city"])
    asked = extractor.backend.passes[-1][0]
    assert sorted(asked) == ["Ada Lovelace <> made", "Charles Babbage <> made"]
    wrong = RelationLabel("made", pairs=(("person", "city"),))
    assert extractor.relations(TEXT, [wrong], entities=["person", "work", "city"]) == []


def test_distance_counts_the_characters_between(scripted):
    gap = TEXT.find("Notes") - len("Ada Lovelace")
    for most, n in ((gap, 1), (gap - 1, 0)):
        relation = RelationLabel("made", max_distance=most)
        assert len(scripted(TABLE).relations(TEXT, [relation], heads=["Ada Lovelace"])) == n


@pytest.mark.parametrize(("direction", "tails"), [("any", 2), ("forward", 1), ("backward", 1)])
def test_direction_says_on_which_side_the_tail_stands(scripted, direction, tails):
    relation = RelationLabel("made", direction=direction)
    found = scripted(TABLE).relations(TEXT, [relation], heads=["Charles Babbage"])
    assert len(found) == tails
    for each in found:
        after = each.tail.start >= each.head.end
        assert direction == "any" or after == (direction == "forward")


def test_nothing_is_related_to_itself_unless_asked_for(scripted):
    extractor = scripted({"Ada <> knows": {"Ada": 0.9}})
    text = "Ada knows Ada"
    assert extractor.relations(text, ["knows"], heads=["Ada"]) == []
    knows = RelationLabel("knows", reflexive=True)
    assert facts(extractor.relations(text, [knows], heads=["Ada"])) == [("Ada", "knows", "Ada")]


def test_a_short_form_of_the_same_type_is_the_same_thing(scripted):
    text = "University of California is in California , said Ada Lovelace . Ada agreed"
    table = {
        "university": {"University of California": 0.9},
        "state": {"California": 0.9},
        "person": {"Ada Lovelace": 0.9, "Ada": 0.8},
        "University of California <> in": {"California": 0.9},
        "Ada Lovelace <> in": {"Ada": 0.9},
    }
    found = scripted(table).relations(text, ["in"], entities=["university", "state", "person"])
    assert facts(found) == [("University of California", "in", "California")]


def test_a_head_with_the_separator_in_it_stays_whole(scripted):
    text = "A <> B links C"
    table = {"A <> B <> links": {"C": 0.9}, "thing": {"A < > B": 0.9}}
    found = scripted(table).relations(text, ["links"], entities=["thing"])
    assert facts(found) == [("A <> B", "links", "C")]


def test_a_head_with_a_special_token_in_it_can_be_asked(scripted):
    text = "The token <<SEP>> ends labels"
    table = {"< < S E P > > <> ends": {"labels": 0.9}}
    found = scripted(table).relations(text, ["ends"], heads=["<<SEP>>"])
    assert facts(found) == [("<<SEP>>", "ends", "labels")]


def test_the_nearest_mention_of_a_head_is_reported(scripted):
    text = "Ada slept . Later Ada wrote Notes"
    found = scripted({"Ada <> wrote": {"Notes": 0.9}}).relations(text, ["wrote"], heads=["Ada"])
    assert found[0].head.start == text.rfind("Ada")


def test_given_heads_may_be_entities_and_spans(scripted):
    start = TEXT.find("Notes")
    heads = [
        Entity("Ada Lovelace", "person", 0, 12, 0.9),
        Entity("Notes", "work", start, start + 5, 1),
    ]
    made = RelationLabel("made", pairs=(("person", "work"),))
    (found,) = scripted(TABLE).relations(TEXT, [made], heads=heads)
    assert (found.head.label, found.tail.label) == ("person", "work")
    with pytest.raises(InputError, match=r"'Ada' is not at 5:8"):
        scripted(TABLE).relations(TEXT, ["made"], heads=[Span("Ada", 5, 8)])
    with pytest.raises(InputError, match="'Turing' is not in the text"):
        scripted(TABLE).relations(TEXT, ["made"], heads=["Turing"])


def test_every_text_may_have_heads_of_its_own(scripted):
    found = scripted(TABLE).relations([TEXT, TEXT], ["made"], heads=[["Ada Lovelace"], []])
    assert [facts(each) for each in found] == [[("Ada Lovelace", "made", "Notes")], []]


@pytest.mark.parametrize("n_heads", [1, 3, 10])
@pytest.mark.parametrize("n_relations", [1, 4])
def test_passes_are_as_few_as_promised(scripted, n_heads, n_relations):
    names = [f"Name{i}" for i in range(n_heads)]
    extractor = scripted({"person": dict.fromkeys(names, 0.9)}, max_labels=6)
    extractor.relations(
        " and ".join(names), [f"r{i}" for i in range(n_relations)], entities=["person"]
    )
    assert len(extractor.backend.passes) <= 1 + math.ceil(n_heads * n_relations / 6)


def test_relation_thresholds_go_by_the_relations_name(scripted):
    extractor = scripted(TABLE, thresholds={"made": 0.85})
    found = extractor.relations(TEXT, ["made", "lived in"], heads=["Charles Babbage"])
    assert facts(found) == [("Charles Babbage", "lived in", "London")]
    given = extractor.relations(
        TEXT, ["made", "lived in"], heads=["Charles Babbage"], threshold={"lived in": 0.75}
    )
    assert {each.relation for each in given} == {"made"}


@pytest.mark.parametrize(
    ("relations", "how", "error", "message"),
    [
        ([], {"entities": ["a"]}, LabelError, "no relations given"),
        ("made", {"entities": ["a"]}, LabelError, "must be a list"),
        (["made", "made"], {"entities": ["a"]}, LabelError, "given twice"),
        ([" "], {"entities": ["a"]}, LabelError, "non-empty"),
        (["made"], {}, InputError, "need heads"),
        (["made"], {"entities": []}, LabelError, "no labels"),
        (["made"], {"heads": "Ada"}, InputError, "must be a list"),
        (["made"], {"entities": ["a"], "entity_threshold": 2}, InputError, "2.0 is not a prob"),
        ([RelationLabel("m", pairs=(("a", "persn"),))], {"entities": ["a", "person"]}, InputError,
         "did you mean 'person'"),
        ([RelationLabel("m", pairs=(("a", "b"),))], {"heads": ["x"]}, InputError, "pass entities"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_when_it_is_made(relations, how, error, message):
    with pytest.raises(error, match=message):
        Relations(relations, **how)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pairs": ()}, "pairs"),
        ({"pairs": (("a",),)}, "pairs holds"),
        ({"max_distance": -1}, "max_distance is -1"),
        ({"direction": "forwards"}, "did you mean 'forward'"),
    ],
)
def test_a_relation_label_checks_its_bounds(fields, message):
    with pytest.raises(InputError, match=message):
        RelationLabel("made", **fields)


def test_the_order_does_not_depend_on_the_hash_seed():
    code = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("c", sys.argv[1])
c = importlib.util.module_from_spec(spec); spec.loader.exec_module(c)
names = [f"N{i}" for i in range(12)]
table = {"p": dict.fromkeys(names, 0.9)}
table |= {f"{a} <> r{k}": dict.fromkeys(names, 0.8) for a in names for k in range(3)}
from spanwise import Extractor
x = Extractor(c.Scripted(table, max_labels=7))
found = x.relations(" and ".join(names), ["r0", "r1", "r2"], entities=["p"])
print(len(found), [(f.head.start, f.relation, f.tail.start) for f in found])
print([labels for labels, _ in x.backend.passes])
"""
    there = str(Path(__file__).parents[1] / "conftest.py")
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, there],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1
    assert outputs.pop().startswith("396 ")

import pytest

from spanwise.data.entity_sets import read_entity_sets
from spanwise.errors import DataError


def row(words, *ner):
    return {"tokenized_text": words.split(), "ner": [list(span) for span in ner]}


def test_parts_of_a_set_are_joined_and_every_label_is_asked_of_every_record(write_lines, surfaces):
    write_lines("wikigold.test.jsonl.gz", row("Ada left", (0, 0, "person")))
    path = write_lines("wikigold.train.jsonl.gz", row("in New York", (1, 2, "location")))
    (source,) = read_entity_sets(path.parent)
    assert (source.name, source.task, source.closed) == ("wikigold", "entities", True)
    assert source.inventory == ("location", "person")
    assert [record.labels for record in source.records] == [source.inventory] * 2
    assert [record.id for record in source.records] == ["wikigold/test/0", "wikigold/train/0"]
    assert surfaces(source.records[1]) == [("New York", "location")]


def test_a_set_s_own_wording_becomes_words(write_lines, surfaces):
    nested = row("it was fabricated", (2, 2, "experiment"), (2, 2, "experiment evoking word"))
    write_lines("sofc_exp.all.jsonl.gz", nested)
    path = write_lines("nlu_eval.all.jsonl.gz", row("at noon", (1, 1, "timeofday")))
    nlu, sofc = read_entity_sets(path.parent)
    assert surfaces(nlu.records[0]) == [("noon", "time of day")]
    assert surfaces(sofc.records[0]) == [("fabricated", "experiment")]


def test_a_partly_annotated_set_claims_no_negatives(write_lines):
    path = write_lines("nuner_sample.all.jsonl.gz", row("Ada left home", (0, 0, "Person")))
    (source,) = read_entity_sets(path.parent)
    assert (source.closed, source.open_labels) == (False, True)
    assert source.records[0].labels is None
    assert source.records[0].spans[0].label == "person"


def test_labels_of_overlapping_meaning_are_no_negatives_of_each_other(write_lines):
    rows = [
        row("in Oslo", (1, 1, "gpe")),
        row("in Rome", (1, 1, "location")),
        row("aged 7", (1, 1, "age")),
    ]
    path = write_lines("presidio_pii.all.jsonl.gz", *rows)
    (source,) = read_entity_sets(path.parent)
    place = "country, state or city"
    assert source.inventory == ("age", place, "location")
    assert [record.labels for record in source.records] == [
        ("age", place),
        ("age", "location"),
        ("age", place, "location"),
    ]
    assert not source.closed


def test_placeholders_of_left_out_code_are_no_records(write_lines):
    left_out = row("CODE_BLOCK : Q_30 ( code omitted for annotation )", (0, 8, "code block"))
    path = write_lines("stackoverflow_ner.train.jsonl.gz", left_out, row("use numpy"))
    (source,) = read_entity_sets(path.parent)
    assert [record.text for record in source.records] == ["use numpy"]


@pytest.mark.parametrize("span", [(0, 2, "x"), (-1, 0, "x"), (1, 0, "x")])
def test_a_span_outside_its_words_is_named(write_lines, span):
    path = write_lines("btc.all.jsonl.gz", row("a b", span))
    with pytest.raises(DataError, match=r"btc\.all\.jsonl\.gz:1: span .* outside the 2 tokens"):
        read_entity_sets(path.parent)

from spanwise.data.records import RELATION_INSTRUCTION
from spanwise.data.relation_sets import read_relation_sets
from spanwise.data.relation_wording import INVERSES, SYNONYMS, names


def test_a_tail_is_marked_where_the_set_says(write_lines, surfaces):
    text = "Bo , son of Al , met Bo"
    triple = {"head": "Al", "relation": "kill", "tail": "Bo", "tail_span": [7, 7]}
    path = write_lines(
        "conll04.train.jsonl.gz",
        {"text": text, "triples": [triple], "entities": [[0, 0, "Peop"], [4, 4, "Loc"]]},
    )
    relations, entities, _ = read_relation_sets(path.parent)
    (record,) = relations.records
    assert surfaces(record) == [("Bo", "Al <> kills")]
    assert record.spans[0].start == text.rindex("Bo")
    assert record.labels == ("Al <> kills",)
    assert record.instruction == RELATION_INSTRUCTION
    assert (relations.inventory, relations.closed) == (("kills",), True)
    assert surfaces(entities.records[0]) == [("Bo", "person"), ("Al", "location")]
    assert entities.records[0].group == record.group


def test_a_span_that_is_off_gives_way_to_the_surface(write_lines, surfaces):
    triple = {"head": "Al", "relation": "father", "tail": "Bo", "tail_span": [1, 1]}
    path = write_lines("fewrel.train.jsonl.gz", {"text": "Al begat Bo", "triples": [triple]})
    (source,) = read_relation_sets(path.parent)
    assert surfaces(source.records[0]) == [("Bo", "Al <> father")]
    assert not source.closed


def test_all_occurrences_count_where_no_place_is_given(write_lines):
    triple = {"head": "Ann", "relation": "educated at", "tail": "Yale"}
    text = "Ann left Yale. Yale, not Yaleville."
    path = write_lines("knowledgenet.train.jsonl.gz", {"text": text, "triples": [triple]})
    source = read_relation_sets(path.parent)[0]
    assert [span.start for span in source.records[0].spans] == [9, 15]


def test_a_relation_with_a_name_from_its_other_end_is_there_once_more(write_lines, surfaces):
    row = {
        "text": "Bo plays for Rome in Rome .",
        "triples": [
            {"head": "Bo", "relation": "member of sports team", "tail": "Rome"},
            {"head": "Bo", "relation": "father", "tail": "Rome"},
        ],
    }
    row["triples"][0] |= {"head_span": [0, 0], "tail_span": [3, 3]}
    path = write_lines("fewrel.train.jsonl.gz", row)
    forward, inverse = read_relation_sets(path.parent)
    assert len(forward.inventory) == 2
    assert (inverse.name, inverse.inventory) == ("fewrel_inverse", ("player of the team",))
    assert surfaces(inverse.records[0]) == [("Bo", "Rome <> player of the team")]
    assert inverse.records[0].group == forward.records[0].group


def test_other_names_are_none_of_the_set_that_is_measured_on():
    unseen = {
        "child", "competition class", "constellation", "crosses", "follows", "main subject",
        "located in or next to body of water", "member of", "military rank", "mother", "part of",
        "spouse",
        "original language of film or tv show", "position played on team / speciality", "sport",
        "voice type",
    }  # fmt: skip
    named = {each for names in SYNONYMS.values() for each in names} | set(INVERSES.values())
    assert not named & unseen
    assert names("ceo")[0] == "ceo"
    assert names("shipped by") == ("shipped by",)


def test_wikipedia_sentences_name_relations_as_they_like(write_lines, surfaces):
    triple = {"head": "Ann", "relation": "prize won", "tail": "Oscar"}
    path = write_lines("wiki_relations.jsonl.gz", {"text": "Ann's Oscar.", "triples": [triple]})
    (source,) = read_relation_sets(path.parent)
    assert surfaces(source.records[0]) == [("Oscar", "Ann <> prize won")]
    assert (source.name, source.closed, source.open_labels) == ("wiki_relations", False, True)


def test_umls_triples_are_turned_round(write_lines, surfaces):
    triple = {"head": "fluoxetine 20 mg", "relation": "ingredient of", "tail": "fluoxetine"}
    triple |= {"head_span": [1, 3], "tail_span": [5, 5]}
    text = "in fluoxetine 20 mg , fluoxetine acts"
    path = write_lines("fewrel2_val_pubmed.jsonl.gz", {"text": text, "triples": [triple]})
    (source,) = read_relation_sets(path.parent)
    assert surfaces(source.records[0]) == [("fluoxetine 20 mg", "fluoxetine <> ingredient of")]


def test_a_tail_of_many_mentions_is_marked_at_all_of_them(write_lines, surfaces):
    row = {
        "text": "Loud Tour by Rihanna . Robyn Fenty sang .",
        "entities": [[0, 1, "MISC", 0], [3, 3, "PER", 1], [5, 6, "PER", 1]],
        "triples": [{"head": "Loud Tour", "relation": "performer", "tail": "Rihanna"}],
    }
    path = write_lines("re_docred.dev.jsonl.gz", row)
    relations, entities, _ = read_relation_sets(path.parent)
    label = "Loud Tour <> performer"
    assert surfaces(relations.records[0]) == [("Rihanna", label), ("Robyn Fenty", label)]
    assert entities.inventory == ("miscellaneous", "person")

"""Documents as plain data, tables, graphs and spaCy docs."""

import json
import subprocess
import sys

import pytest

from spanwise import Answer, Entity, Relation, Sentiment, Span, Summary
from spanwise.errors import InputError, MissingExtraError
from spanwise.results import (
    COLUMNS,
    Document,
    graph,
    rows,
    spacy_doc,
    tables,
    to_arrow,
    to_jsonld,
    to_networkx,
    to_pandas,
    to_polars,
    to_spacy,
)

TEXT = "Ada wrote Notes in London. Ada slept."
ADA = Span("Ada", 0, 3, 0.9, "person")
NOTES = Span("Notes", 10, 15, 0.8, "work")


@pytest.fixture
def document():
    return Document(
        TEXT,
        {
            "people": [Entity("Ada", "person", 0, 3, 0.9), Entity("Ada", "person", 27, 30, 0.7)],
            "made": [Relation(ADA, "wrote", NOTES, 0.8)],
            "who": Answer("Who?", Span("Ada", 0, 3, 0.9), 0.9),
            "none": Answer("Why?", None, 0.9),
            "short": Summary((Span("Ada slept.", 27, 37, 0.5),)),
            "mood": [Sentiment("slept", "neutral", 31, 36, 0.6, "Ada")],
            "phrases": [Span("in London", 16, 25, 0.4)],
        },
        "doc 1",
    )


def test_plain_data_is_json_and_holds_everything(document):
    plain = json.loads(document.to_json())
    assert plain["id"] == "doc 1"
    assert plain["results"]["made"][0]["tail"]["text"] == "Notes"
    assert plain["results"]["none"]["answer"] is None
    assert plain["results"]["short"]["text"] == "Ada slept."
    assert "id" not in Document(TEXT, {}).to_dict()


def test_rows_have_the_same_columns_and_exact_offsets(document):
    found = list(rows([document]))
    assert len(found) == 7
    for row in found:
        assert list(row) == list(COLUMNS)
        assert TEXT[row["start"] : row["end"]] == row["text"]
        assert row["document"] == "doc 1"
    (made,) = [row for row in found if row["relation"]]
    assert (made["head_text"], made["relation"], made["text"]) == ("Ada", "wrote", "Notes")
    with pytest.raises(InputError, match="results of tasks"):
        list(rows([Document(TEXT, {"x": [3]})]))


@pytest.mark.parametrize(
    ("make", "package"), [(to_pandas, "pandas"), (to_polars, "polars"), (to_arrow, "pyarrow")]
)
def test_tables_have_typed_columns_also_without_rows(document, make, package):
    pytest.importorskip(package)
    table, empty = make([document]), make([])
    assert len(table) == 7
    assert len(empty) == 0
    schemas = [getattr(t, "schema", None) or dict(t.dtypes) for t in (table, empty)]
    assert schemas[0] == schemas[1]


def test_a_graph_has_a_node_for_the_same_words_and_label(document):
    pytest.importorskip("networkx")
    other = Document("ADA", {"p": [Entity("ADA", "person", 0, 3, 0.9)]})
    made = to_networkx([document, other])
    assert set(made) == {"person/ada", "work/notes"}
    assert made.nodes["person/ada"]["mentions"] == [("doc 1", 0, 3), ("doc 1", 27, 30), ("1", 0, 3)]
    ((head, tail, edge),) = made.edges(data=True)
    assert (head, tail, edge["relation"], edge["document"]) == (
        "person/ada", "work/notes", "wrote", "doc 1")  # fmt: skip


def test_json_ld_names_nodes_types_and_statements(document):
    made = to_jsonld([document], base="https://example.org/")
    by_id = {node.get("@id"): node for node in made["@graph"]}
    ada = by_id["https://example.org/person%2Fada"]
    assert ada["@type"] == "https://example.org/person"
    assert ada["https://example.org/wrote"] == [{"@id": "https://example.org/work%2Fnotes"}]
    statement = by_id[None]
    assert statement["rdf:object"] == {"@id": "https://example.org/work%2Fnotes"}
    assert set(graph._EDGE) <= set(statement) & set(made["@context"])
    json.dumps(made)
    with pytest.raises(InputError, match="no absolute IRI"):
        to_jsonld([], base="here")


def test_a_missing_package_is_named_with_its_extra(monkeypatch, document):
    for module in (tables, graph, spacy_doc):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    for make, extra in (
        (to_pandas, "tables"), (to_networkx, "graph"), (lambda d: to_spacy(d[0]), "spacy")
    ):  # fmt: skip
        with pytest.raises(MissingExtraError, match=rf"spanwise\[{extra}\]"):
            make([document])


def test_importing_exports_brings_none_of_the_packages():
    code = (
        "import sys, spanwise.results, spanwise.pipeline, spanwise.recipes; "
        "heavy = ('pandas', 'polars', 'pyarrow', 'spacy', 'networkx'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_spacy_doc_has_entities_groups_and_results(document):
    pytest.importorskip("spacy")
    doc = to_spacy(document)
    assert [(e.text, e.label_) for e in doc.ents] == [("Ada", "person"), ("Ada", "person")]
    assert [span.text for span in doc.spans["phrases"]] == ["in London"]
    assert doc.spans["people"][0]._.score == 0.9
    ((head, relation, tail),) = doc._.relations
    assert (head.text, relation, tail.text) == ("Ada", "wrote", "Notes")
    assert doc._.spanwise["who"].answer.text == "Ada"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_overlapping_entities_leave_the_best_in_ents_and_all_in_spans():
    pytest.importorskip("spacy")
    found = [Entity("Ada wrote", "a", 0, 9, 0.5), Entity("Ada", "b", 0, 3, 0.9)]
    doc = to_spacy(Document(TEXT, {"all": found}))
    assert [e.label_ for e in doc.ents] == ["b"]
    assert len(doc.spans["all"]) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_component_works_in_a_spacy_pipeline(make_model, tmp_path):
    spacy = pytest.importorskip("spacy")
    from spanwise.loading import load
    from spanwise.model import write_model

    folder = write_model(make_model("bert"), tmp_path / "m")
    nlp = spacy.blank("en")
    config = {"model": str(folder), "backend": "pytorch", "labels": ["person", "city"]}
    nlp.add_pipe("spanwise", config=config)
    text = "Ada Lovelace met Charles Babbage in London."
    wanted = load(folder, backend="pytorch").entities(text, ["person", "city"])
    assert wanted
    first, second = nlp.pipe([text, "Ada."])
    found = first._.spanwise["entities"]
    assert [(e.start, e.end, e.label) for e in found] == [(e.start, e.end, e.label) for e in wanted]
    assert [span.text for span in first.spans["entities"]] == [e.text for e in wanted]
    assert second.text == "Ada."

"""What must hold of every public set; reading them all takes about 20 s."""

import gzip
import json
import re
from collections import Counter

import pytest

from spanwise.data import TASKS, describe, read_training
from spanwise.data.text import split
from spanwise.errors import DataError

# records and labels as the sets' own manifest gives them, where the reader changes neither
SIZES = {
    "wnut17": (5577, 6),
    "btc": (9317, 3),
    "wikigold": (1687, 4),
    "re3d": (945, 10),
    "sec_filings": (1441, 4),
    "anem": (4468, 11),
    "skillspan": (9233, 2),
    "tasteset": (700, 9),
    "cyner": (4302, 5),
    "presidio_pii": (3294, 20),
    "wnut2020_wetlab": (12290, 18),
    "litbank": (8511, 6),
    "hipe_ajmc": (1627, 13),
    "nlu_eval": (11036, 54),
    "fewrel": (35812, 53),
    "fewrel2": (1000, 10),
    "conll04": (880, 5),
    "knowledgenet": (3577, 14),
    "squad": (87436, 1),
    "squadshifts": (27626, 1),
    "policyqa": (7961, 1),
    "qamr": (34032, 1),
    "covidqa": (1146, 1),
    "scitldr": (3228, 1),
    "dmaste": (7524, 3),
    "mams": (5297, 3),
}
CAPITALS_ALLOWED = {
    "squad_relations",  # named by questions, names and all
    "squadshifts_relations",
    "synthetic_entities",
    "synthetic_relations",
    "synthetic_types",
}

pytestmark = pytest.mark.slow


def test_every_set_is_there_in_full(training):
    found = {name: (len(x.records), len(x.inventory)) for name, x in training.items()}
    assert {name: found[name] for name in SIZES} == SIZES
    assert sum(name.startswith("bio_") for name in found) == 14
    assert sum(len(x.records) for name, x in training.items() if name.startswith("bio_")) > 151_000
    assert sum(name.startswith("synthetic_") for name in found) == 8
    assert {source.task for source in training.values()} == set(TASKS) - {"open_entities"}
    assert all(name in describe(list(training.values())) for name in training)


def test_ids_are_unique_and_records_know_their_source(training):
    for name, source in training.items():
        assert len({record.id for record in source.records}) == len(source.records), name
        assert {record.source for record in source.records} == {name}
        assert {record.task for record in source.records} == {source.task}


def test_spans_are_exact_pieces_without_blanks_at_their_ends(training):
    for name, source in training.items():
        for record in source.records:
            for span in record.spans:
                surface = record.text[span.start : span.end]
                assert surface, (name, record.id)
                assert surface == surface.strip(), (name, record.id, surface)


def test_marked_labels_are_among_the_known_ones(training):
    for name, source in training.items():
        known = set(source.inventory)
        for record in source.records:
            marked = {span.label for span in record.spans}
            assert marked <= set(record.labels or marked), (name, record.id)
            if source.task != "relations":
                assert marked <= known, (name, record.id)


def test_labels_are_words_a_user_would_type(training):
    for name, source in training.items():
        for label in source.inventory:
            assert re.search(r"[^\W_]", label), (name, label)
            assert label == " ".join(label.split()), (name, label)
            assert "_" not in label or name in CAPITALS_ALLOWED, (name, label)
            assert label == label.lower() or name in CAPITALS_ALLOWED, (name, label)


def test_words_are_in_order_and_given_only_where_they_differ(training):
    for name, source in training.items():
        for record in source.records:
            if record.words is None:
                continue
            assert list(record.words) != split(record.text), (name, record.id)
            at = 0
            for start, end in record.words:
                assert at <= start < end <= len(record.text), (name, record.id)
                at = end


def test_entities_are_those_of_the_files(training, data_folder):
    for name in ("wnut17", "litbank", "bio_bionlp13cg", "skillspan", "cyner"):
        wanted = Counter()
        for path in (data_folder / "train" / "ner").glob(f"{name}.*"):
            for line in gzip.decompress(path.read_bytes()).decode().split("\n")[:-1]:
                row = json.loads(line)
                spans = {tuple(span) for span in row["ner"]}
                wanted.update(" ".join(row["tokenized_text"][a : b + 1]) for a, b, _ in spans)
        found = Counter(
            record.text[span.start : span.end]
            for record in training[name].records
            for span in record.spans
        )
        assert found == wanted, name


def test_relations_have_heads_in_the_text(training):
    for name in ("conll04", "fewrel", "fewrel2", "knowledgenet", "re_docred"):
        for record in training[name].records:
            assert record.spans
            for label in record.labels:
                head, _, relation = label.rpartition(" <> ")
                assert head in record.text, (name, record.id)
                assert relation in training[name].inventory


def test_squad_answers_are_the_given_ones_at_the_given_places(training, data_folder):
    path = data_folder / "train" / "qa" / "squad_v1.1_train.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    for record, row in zip(training["squad"].records, rows, strict=True):
        (span,) = record.spans
        assert (span.start, record.text[span.start : span.end]) == (
            row["starts"][0],
            row["answers"][0],
        )
        assert record.group == row["title"]


def test_a_folder_without_sets_is_named(tmp_path):
    with pytest.raises(DataError, match=re.escape(str(tmp_path))):
        read_training(tmp_path)

import pytest

from spanwise.data import read_dev
from spanwise.errors import DataError

SIZES = {
    "ai": (350, 1549, 14),
    "literature": (400, 2130, 12),
    "music": (380, 2679, 13),
    "politics": (541, 3482, 9),
    "science": (450, 2538, 17),
}
LABELS = {
    "academic journal",
    "programming language",
    "political party",
    "music genre",
    "miscellaneous",
}


def test_crossner_is_whole_and_its_labels_are_words(dev):
    found = {
        name: (len(x.records), sum(len(r.spans) for r in x.records), len(x.inventory))
        for name, x in dev.crossner.items()
    }
    assert found == SIZES  # sentences, B- tags and labels of the files
    labels = {label for source in dev.crossner.values() for label in source.inventory}
    assert labels >= LABELS
    assert all(label == label.lower() and label.replace(" ", "").isalpha() for label in labels)


def test_crossner_spans_are_exact(dev, surfaces):
    assert ("error rate", "metrics") in surfaces(dev.crossner["ai"].records[0])
    assert ("The Color Purple", "book") in surfaces(dev.crossner["literature"].records[0])


def test_every_question_keeps_its_answers_and_their_places(dev):
    assert len(dev.squad) == 4498
    assert sum(not item.answers for item in dev.squad) == 2255
    assert len({item.id for item in dev.squad}) == len(dev.squad)
    assert len({item.title for item in dev.squad}) == 12
    for item in dev.squad:
        for answer, start in zip(item.answers, item.starts, strict=True):
            assert item.context[start : start + len(answer)] == answer
    (first,) = [item for item in dev.squad if item.id == "5725b33f6a3fe71400b8952d"]
    assert first.answers == ("October 1973", "October 1973", "October 1973", "October", "1973")


def test_fewrel_pairs_have_names_and_exact_ends(dev):
    assert len(dev.fewrel) == 1200
    assert {item.relation for item in dev.fewrel} == {
        "follows",
        "located in or next to body of water",
        "mother",
        "part of",
        "child",
        "voice type",
        "member of",
        "sport",
    }
    for item in dev.fewrel:
        for span in (item.head, *item.tails):
            assert item.text[span.start : span.end] == span.text
    assert dev.fewrel[0].head.text == "Song for a Future Generation"
    assert [tail.text for tail in dev.fewrel[0].tails] == ["Whammy Kiss"]
    assert sum(len(item.tails) > 1 for item in dev.fewrel) == 16


def test_articles_come_with_highlights(dev):
    assert len(dev.cnndm) == 200
    assert all(article.text and article.highlights for article in dev.cnndm)


def test_every_text_is_offered_once_to_the_overlap_check(dev):
    texts = dev.texts()
    assert len({(record.source, record.text) for record in texts}) == len(texts)
    assert {record.source for record in texts} > {"squad", "fewrel", "cnndm", "crossner_ai"}


def test_a_folder_without_benchmarks_is_named(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        read_dev(tmp_path)


def test_squad_answers_that_are_elsewhere_are_refused(tmp_path):
    squad = tmp_path / "dev" / "squad"
    squad.mkdir(parents=True)
    (squad / "dev-v2.0.json").write_text(
        '{"data": [{"title": "t", "paragraphs": [{"context": "a b", "qas": [{"id": "q1",'
        '"question": "?", "answers": [{"text": "b", "answer_start": 1}]}]}]}]}'
    )
    with pytest.raises(DataError, match="question q1"):
        read_dev(tmp_path)

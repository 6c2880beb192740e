"""Every published format is read with exact offsets, and what breaks it is named."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spanwise.errors import DataError, InputError
from spanwise.evaluate import benchmarks, readers
from spanwise.evaluate.options import Options

if TYPE_CHECKING:
    from spanwise.evaluate.items import Benchmark


def read(folder: Path, suite: str = "full", **options: object) -> dict[str, Benchmark]:
    found = benchmarks.load(suite, folder, options=Options(**options))  # type: ignore[arg-type]
    return {benchmark.name: benchmark for benchmark in found.benchmarks}


def marked(benchmark: Benchmark, index: int = 0) -> list[tuple[str, str]]:
    item = benchmark.items[index]
    return [(item.question.text[span.start : span.end], span.label) for span in item.gold]


def test_crossner_labels_become_words_and_miscellaneous_is_left_out(folder: Path) -> None:
    ai = read(folder)["crossner-ai"]
    assert ai.items[0].question.text == "Alan Turing wrote Prolog , LISP and C++ ."
    assert marked(ai) == [
        ("Alan Turing", "researcher"),
        ("Prolog", "programming language"),
        ("C++", "programming language"),
    ]
    labels = ai.items[0].question.labels
    assert len(labels) == 13
    assert list(labels) == sorted(labels)
    assert "miscellaneous" not in labels


def test_miscellaneous_is_asked_for_and_gold_on_request(folder: Path) -> None:
    ai = read(folder, miscellaneous=True)["crossner-ai"]
    assert ("LISP", "miscellaneous") in marked(ai)
    assert "miscellaneous" in ai.items[0].question.labels
    assert len(ai.items[0].question.labels) == 14


def test_mit_has_its_tag_first_and_labels_in_capitals(folder: Path) -> None:
    movie = read(folder)["mit-movie"]
    assert marked(movie) == [("tom hanks", "actor"), ("four stars", "ratings average")]
    assert marked(movie, 1) == [("jaws", "title")]
    upper = read(folder, lowercase=False)["mit-movie"]
    assert marked(upper) == [("tom hanks", "ACTOR"), ("four stars", "RATINGS AVERAGE")]


def test_mit_is_also_read_with_its_tag_last(folder: Path) -> None:
    path = folder / "mit/movie/engtest.bio"
    path.write_text("tom\tB-ACTOR\nhanks\tI-ACTOR\n", encoding="utf-8")
    assert marked(read(folder)["mit-movie"]) == [("tom hanks", "actor")]


def test_squad_keeps_all_answers_and_marks_the_unanswerable(folder: Path) -> None:
    one, none, _ = read(folder)["squad"].items
    assert one.references == ("France", "from France")
    assert {one.question.text[span.start : span.end] for span in one.gold} == set(one.references)
    assert one.question.instruction == "Where did the Normans come from?"
    assert (none.references, none.gold) == ((), ())


def test_fewrel_names_the_head_as_the_text_does_and_marks_all_mentions(folder: Path) -> None:
    mother = read(folder)["fewrel"].items[0]
    assert mother.question.labels == ("Aino Ackté <> mother",)
    text = mother.question.text
    assert [text[s.start : s.end] for s in mother.gold] == ["Emmy Achté", "Emmy"]
    assert mother.question.head is not None
    assert text[slice(*mother.question.head)] == "Aino Ackté"


def test_absent_relations_ask_for_another_relation_of_the_set(folder: Path) -> None:
    found = read(folder)
    for item, other in zip(found["fewrel"].items, found["fewrel-absent"].items, strict=True):
        head, relation = item.question.labels[0].split(" <> ")
        assert other.question.labels[0].startswith(f"{head} <> ")
        assert other.question.labels[0] != f"{head} <> {relation}"
        assert other.gold == ()


def test_articles_are_read_from_json_lines_parquet_and_stories_alike(folder: Path) -> None:
    lines = readers.read_cnndm(folder / "cnndm/validation.jsonl")
    assert lines[0].references == ("A storm hit",)
    assert lines[0].question.instruction.startswith("Summarize")
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [json.loads(x) for x in (folder / "cnndm/validation.jsonl").read_text().splitlines()]
    path = folder / "cnndm/test.parquet"
    parquet.write_table(arrow.Table.from_pylist(rows), path)
    assert readers.read_cnndm(path) == lines
    stories = folder / "cnn/stories"
    stories.mkdir(parents=True)
    for row in rows:
        text = f"{row['article']}\n\n@highlight\n\n{row['highlights']}\n"
        (stories / f"{row['id']}.story").write_text(text, encoding="utf-8")
    assert readers.read_cnndm(stories) == lines


def test_benchmarks_not_there_are_named(folder: Path) -> None:
    found = benchmarks.load("ner", folder, options=Options())
    assert [benchmark.name for benchmark in found.benchmarks] == [
        "crossner-ai",
        "crossner-music",
        "mit-movie",
    ]
    assert found.absent == (
        "crossner-literature",
        "crossner-politics",
        "crossner-science",
        "mit-restaurant",
    )


def test_the_test_part_is_preferred_and_the_development_part_noted(folder: Path) -> None:
    assert any("development part" in note for note in read(folder)["crossner-ai"].notes)
    (folder / "crossner/ai/test.txt").write_text("Prolog\tB-programlang\n", encoding="utf-8")
    ai = read(folder)["crossner-ai"]
    assert list(ai.files) == ["crossner/ai/test.txt"]
    assert not any("development part" in note for note in ai.notes)
    assert list(read(folder, split="dev")["crossner-ai"].files) == ["crossner/ai/dev.txt"]


def test_a_change_of_the_data_changes_its_hash(folder: Path) -> None:
    before = read(folder)["squad"].files
    path = folder / "squad/dev-v2.0.json"
    path.write_text(path.read_text().replace("Where did", "From where did"), encoding="utf-8")
    assert read(folder)["squad"].files != before


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("crossner/ai/dev.txt", "Rome\tB-town\n", "label 'town' is none of"),
        ("mit/movie/engtest.bio", "B-ACTOR\ttom\nhanks\n", "engtest.bio:2"),
        ("squad/dev-v2.0.json", "{}", "not in its published form"),
        ("squad/dev-v2.0.json", json.dumps({"data": []})[:-1], "not in its published form"),
        ("fewrel/pid2name.json", "{}", "KeyError: 'P25'"),
        ("squad/dev-v2.0.json", '{"data": [{"title": "x"}]}', "KeyError: 'paragraphs'"),
        ("cnndm/validation.jsonl", '{"id": "1", "article": "x"}\n', "highlights"),
    ],
)
def test_a_file_that_breaks_its_format_is_named(
    folder: Path, file: str, text: str, message: str
) -> None:
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read(folder)
    assert Path(file).parent.as_posix() in str(caught.value)


def test_an_answer_that_is_not_where_it_says_is_refused(folder: Path) -> None:
    path = folder / "squad/dev-v2.0.json"
    path.write_text(path.read_text().replace('"answer_start": 32', '"answer_start": 33'))
    with pytest.raises(DataError, match="q3"):
        read(folder)


def test_unknown_suites_and_empty_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'paper'"):
        benchmarks.names_of("papre")
    with pytest.raises(DataError, match="no such folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds none of"):
        read(folder, suite="mit-restaurant")


def test_subsets_are_drawn_by_seed_and_keep_their_order(dev_data: Path) -> None:
    def ids(seed: int, n_items: int = 40) -> list[str]:
        found = read(dev_data, suite="crossner-ai", n_items=n_items, seed=seed)
        return [item.id for item in found["crossner-ai"].items]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)
    assert [int(x) for x in ids(1)] == sorted(int(x) for x in ids(1))
    assert len(ids(1)) == 40
    assert len(ids(1, n_items=10_000)) == 350


def test_the_development_parts_are_read_completely(dev_data: Path) -> None:
    found = read(dev_data, suite="paper")
    sizes = {name: len(benchmark.items) for name, benchmark in found.items()}
    assert sizes["crossner-ai"] == 350
    assert sizes["crossner-politics"] == 541
    assert (sizes["squad"], sizes["cnndm"], sizes["fewrel"]) == (4498, 200, 1200)
    politics = Counter(s.label for item in found["crossner-politics"].items for s in item.gold)
    assert politics["political party"] == 1053
    assert politics["election"] == 528
    assert sum(not item.references for item in found["squad"].items) == 2255
    for name, benchmark in found.items():
        assert len({item.id for item in benchmark.items}) == len(benchmark.items), name
        for item in benchmark.items:
            assert {span.label for span in item.gold} <= set(item.question.labels), name

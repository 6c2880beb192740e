"""The report says what was measured, beside the paper, and shows nothing unescaped."""

from __future__ import annotations

import builtins
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from spanwise.errors import DataError, MissingExtraError
from spanwise.evaluate import comparison, paper, report, runner
from spanwise.evaluate.metrics import bootstrap
from spanwise.evaluate.options import Options
from spanwise.evaluate.report import tables
from spanwise.evaluate.systems import Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spanwise.evaluate.results import Report
    from spanwise.types import Entity

SUITE = "crossner-ai,crossner-music,mit-movie,squad,fewrel"


@pytest.fixture
def finished(knowing: Callable[..., Any], folder: Path) -> Report:
    def mislabel(span: Entity) -> Entity:
        return replace(span, label="metrics") if span.label == "researcher" else span

    options = Options(n_resamples=50, curve=0.05)
    return runner.evaluate(knowing(mislabel), SUITE, folder, options=options)


def test_the_papers_own_tables_add_up() -> None:
    means = {name: np.mean(row) for name, row in paper.TABLE_2.items()}
    assert means[paper.MODEL] == pytest.approx(62.85, abs=0.01)  # printed there as 62.76
    assert means["NuNER_Zero-span"] == pytest.approx(61.96, abs=0.01)
    assert means["gliner-large-news-v2.1"] == pytest.approx(58.76, abs=0.02)
    assert means["gliner_large-v2.1"] == pytest.approx(57.54, abs=0.02)
    assert max(row.fewrel for row in paper.TABLES_3_TO_5.values()) == (82.5, 87.36)


def test_ours_stands_first_with_the_sets_it_read(finished: Report) -> None:
    table, *_ = tables.paper_tables(finished)
    first, second = table.rows[:2]
    assert first[0] == "knowing"
    assert first[1:] == ("60.00", "–", "100.00", "–", "–", "100.00", "–", "–", "86.67")
    assert second[0] == paper.MODEL
    assert second[-1] == f"{np.mean([51.05, 74.30, 56.60]):.2f}"
    assert any("development part" in note for note in table.notes)


def test_there_are_five_tables_and_missing_ones_say_so(finished: Report) -> None:
    found = tables.paper_tables(finished)
    assert [table.title.split(":")[0] for table in found] == [f"Table {n}" for n in range(2, 7)]
    assert [table.n_ours for table in found] == [1, 1, 0, 1, 0]
    assert "Not measured in this run." in found[2].notes
    with_gain = tables.paper_tables(finished, before=0.5)[4]
    assert with_gain.rows[0][1:3] == ("0.5000", f"{finished.mean_ner_f1:.4f}")


def test_confusions_and_labels_are_listed(finished: Report) -> None:
    result = finished["crossner-ai"]
    assert tables.confusion_table(result).rows == (("researcher", "metrics", "2"),)
    rows = {row[0]: row[1:] for row in tables.label_table(result).rows}
    assert rows["researcher"] == ("0.00", "0.00", "0.00", "2", "0")


def test_the_page_is_well_formed_and_holds_plots_and_numbers(
    finished: Report, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    markdown, page = report.write(finished, tmp_path)
    text = page.read_text(encoding="utf-8")
    tree = ET.fromstring(re.sub(r"<(meta[^>]*|!doctype html|br)>", "", text))
    svg = [element for element in tree.iter() if element.tag.endswith("}svg")]
    assert len(svg) == 1 + 3 * 3 + 2  # bars; curve, reliability, confusion; reliability
    assert "60.00" in text
    assert "http" not in re.sub(r'(xmlns|xlink|rdf|resource)[^"]*"[^"]*"', "", text)
    assert "| knowing | 60.00 |" in markdown.read_text(encoding="utf-8")


def test_the_same_run_gives_the_same_page(finished: Report) -> None:
    pytest.importorskip("matplotlib")
    assert report.to_html(finished) == report.to_html(finished)


def test_markup_in_texts_is_shown_and_not_obeyed(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    path = folder / "crossner/ai/dev.txt"
    path.write_text("<b>|_Prolog_\tB-programlang\n", encoding="utf-8")

    class Silent:
        name, settings = "<script>", {"kind": "test"}

        def read(self, questions: Any, *, threshold: float) -> list[Reading]:
            return [Reading(failure="<timeout>")] * len(questions)

    found = runner.evaluate(Silent(), "crossner-ai", folder, options=Options(n_resamples=10))
    page = report.to_html(found)
    assert "<script>" not in page
    assert "<b>|" not in page
    assert "&lt;timeout&gt; (1)" in page
    markdown = report.to_markdown(found)
    assert "\\<b>\\|\\_Prolog\\_" in markdown


def test_without_matplotlib_the_error_says_what_to_install(
    finished: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    assert "Table 2" in report.to_markdown(finished)
    with pytest.raises(MissingExtraError, match=r"spanwise\[eval\]"):
        report.to_html(finished)


class TestCompare:
    def run(self, system: Any, folder: Path, out: Path, **options: Any) -> Path:
        runner.evaluate(system, SUITE, folder, options=Options(**options), out=out)
        return out

    def test_two_runs_are_compared_benchmark_by_benchmark(
        self, knowing: Callable[..., Any], folder: Path, tmp_path: Path
    ) -> None:
        def cut(span: Entity) -> Entity:
            return replace(span, end=span.end - 1, text=span.text[:-1])

        good = self.run(knowing(), folder, tmp_path / "good")
        bad = self.run(knowing(cut), folder, tmp_path / "bad")
        found = {each.benchmark: each for each in comparison.compare(good, bad)}
        assert list(found) == SUITE.split(",")
        assert (found["crossner-ai"].first, found["crossner-ai"].second) == (1.0, 0.0)
        assert found["crossner-ai"].test.difference == 1.0
        table = tables.difference_table(list(found.values()), "bad")
        assert table.rows[0][:5] == ("crossner-ai", "f1", "100.00", "0.00", "+100.00")
        same = comparison.compare(good, good)
        assert {each.test.p_value for each in same} == {1.0}

    def test_runs_on_other_data_or_subsets_are_not_compared(
        self, knowing: Callable[..., Any], folder: Path, tmp_path: Path
    ) -> None:
        one = self.run(knowing(), folder, tmp_path / "one")
        few = self.run(knowing(), folder, tmp_path / "few", n_items=1)
        with pytest.raises(DataError, match="n_items"):
            comparison.compare(one, few)
        with pytest.raises(DataError, match="no finished run"):
            comparison.compare(one, tmp_path / "nothing")
        for name in ("crossner/ai/dev.txt", "crossner/music/dev.txt"):
            (folder / name).write_text("Prolog\tO\nQueen\tO\n", encoding="utf-8")
        for name in ("mit/movie/engtest.bio", "squad/dev-v2.0.json", "fewrel/pid2name.json"):
            path = folder / name
            path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        other = self.run(knowing(), folder, tmp_path / "other")
        with pytest.raises(DataError, match="no benchmark in common"):
            comparison.compare(one, other)

    def test_the_units_give_the_headline(
        self, knowing: Callable[..., Any], folder: Path, tmp_path: Path
    ) -> None:
        home = self.run(knowing(), folder, tmp_path / "run")
        units = np.load(home / "squad.units.npy")
        assert bootstrap.interval(units, bootstrap.mean).value == 1.0

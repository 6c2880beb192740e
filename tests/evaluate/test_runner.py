"""A run gives the numbers it should, notices what is broken, and goes on after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from spanwise.errors import ConfigError, DataError, InputError
from spanwise.evaluate import runner
from spanwise.evaluate.options import Options
from spanwise.evaluate.systems import ExtractorSystem, Question, Reading
from spanwise.options import Settings
from spanwise.types import Entity, Query

if TYPE_CHECKING:
    from pathlib import Path

    from spanwise.evaluate.results import Report

SUITE = "crossner-ai,crossner-music,mit-movie,squad,fewrel,fewrel-absent"
Make = Callable[..., Any]


def run(system: Any, folder: Path, suite: str = SUITE, **options: Any) -> Report:
    return runner.evaluate(
        system, suite, folder, options=Options(n_resamples=50, **options), out=None
    )


def headlines(report: Report) -> dict[str, float]:
    return {result.name: result.scores[result.headline] for result in report.results}


def test_a_system_that_knows_everything_scores_one(knowing: Make, folder: Path) -> None:
    report = run(knowing(), folder)
    assert headlines(report) == {
        "crossner-ai": 1.0,
        "crossner-music": 1.0,
        "mit-movie": 1.0,
        "squad": 1.0,
        "fewrel": 1.0,
        "fewrel-absent": 0.0,
    }
    assert report["fewrel"].scores["exact_offsets"] == 1.0
    assert report["squad"].scores["no_answer_recognised"] == 1.0
    assert report.mean_ner_f1 == 1.0
    assert all(not result.mistakes for result in report.results)


@pytest.mark.parametrize("by", [-1, 1])
def test_a_shifted_offset_is_noticed_in_every_family(knowing: Make, folder: Path, by: int) -> None:
    def shift(span: Entity) -> Entity:
        return replace(span, start=span.start + by, end=span.end + by)

    report = run(knowing(shift), folder)
    assert report["crossner-ai"].scores["f1"] == 0.0
    assert report["fewrel"].scores["exact_offsets"] == 0.0


def test_a_text_cut_one_character_short_is_noticed(knowing: Make, folder: Path) -> None:
    def shorten(span: Entity) -> Entity:
        return replace(span, end=span.end - 1, text=span.text[:-1])

    scores = headlines(run(knowing(shorten), folder))
    assert {scores[name] for name in ("crossner-ai", "mit-movie", "fewrel")} == {0.0}
    assert scores["squad"] == pytest.approx((0 + 1 + 1 / 2) / 3)  # "10th centur" shares a word


def test_swapped_labels_are_noticed(knowing: Make, folder: Path) -> None:
    swap = {"researcher": "programming language", "programming language": "researcher"}

    def change(span: Entity) -> Entity:
        return replace(span, label=swap.get(span.label, span.label))

    report = run(knowing(change), folder, suite="crossner-ai")
    assert report["crossner-ai"].scores["f1"] == pytest.approx(2 * 1 / (5 + 5))
    assert report["crossner-ai"].scores["boundary_f1"] == 1.0


def test_forgotten_lower_casing_is_noticed(knowing: Make, folder: Path) -> None:
    def capitals(span: Entity) -> Entity:
        return replace(span, label=span.label.upper())

    assert run(knowing(capitals), folder, suite="mit-movie").mean_ner_f1 == 0.0


def test_readings_of_other_items_are_noticed(knowing: Make, folder: Path) -> None:
    class Late:
        name, settings = "late", {"kind": "test"}

        def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
            made: list[Reading] = knowing().read(questions, threshold=threshold)
            return made[1:] + made[:1]

    scores = headlines(run(Late(), folder))
    assert scores["crossner-ai"] == scores["mit-movie"] == scores["fewrel"] == 0.0
    assert scores["squad"] == 0.0


def test_one_reading_for_each_question_is_demanded(knowing: Make, folder: Path) -> None:
    class Lazy:
        name, settings = "lazy", {"kind": "test"}

        def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
            return knowing().read(questions, threshold=threshold)[1:]  # type: ignore[no-any-return]

    with pytest.raises(InputError, match="lazy gave 1 readings of 2 questions"):
        run(Lazy(), folder)


def test_failures_count_as_misses_and_are_counted(knowing: Make, folder: Path) -> None:
    class Failing:
        name, settings = "failing", {"kind": "test"}

        def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
            return [Reading(failure="not JSON")] * len(questions)

    report = run(Failing(), folder)
    assert report["crossner-ai"].failures == {"not JSON": 2}
    assert report["crossner-ai"].scores["f1"] == 0.0


def test_what_a_system_writes_is_scored_by_its_words(folder: Path) -> None:
    class Writing:
        name, settings = "writing", {"kind": "test"}

        def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
            return [Reading(written="the France") for _ in questions]

    squad = run(Writing(), folder, suite="squad")["squad"]
    assert squad.scores["answerable_exact"] == 0.5
    assert squad.scores["unanswerable_exact"] == 0.0


def test_summaries_are_read_at_their_own_threshold_and_scored_by_rouge(
    knowing: Make, folder: Path
) -> None:
    pytest.importorskip("rouge_score")
    system = knowing()
    result = run(system, folder, suite="cnndm")["cnndm"]
    assert system.thresholds == {0.1}
    system.summary_threshold = 0.4
    run(system, folder, suite="cnndm")
    run(system, folder, suite="cnndm", summary_threshold=0.7)
    assert system.thresholds == {0.1, 0.4, 0.7}
    assert result.scores["rouge1"] == pytest.approx(0.5)  # "A storm hit." and "Prices rose."
    assert result.scores["rouge1_std"] == pytest.approx(0.5)


def test_answers_are_read_at_their_own_threshold(knowing: Make, folder: Path) -> None:
    system = knowing()
    run(system, folder, suite="squad")
    system.answer_threshold = 0.3
    run(system, folder, suite="squad,crossner-ai")
    run(system, folder, suite="squad", answer_threshold=0.2)
    assert system.thresholds == {0.5, 0.3, 0.2}
    with pytest.raises(ConfigError, match=r"curve is 0\.25: give a threshold below 0\.2"):
        Options(curve=0.25, answer_threshold=0.2)


def test_a_second_pass_gives_curves_and_best_thresholds(knowing: Make, folder: Path) -> None:
    system = knowing()
    report = run(system, folder, suite="crossner-ai,squad", curve=0.05)
    assert system.thresholds == {0.5, 0.05}
    curve = report["crossner-ai"].curve
    assert curve is not None
    assert curve.f1[0] == 1.0
    assert curve.recall[-1] == 0.0  # all scores are 0.9
    assert report["squad"].scores["best_f1"] == 1.0


def test_two_runs_give_the_same_numbers(knowing: Make, folder: Path) -> None:
    assert (
        run(knowing(), folder).to_dict()["results"] == run(knowing(), folder).to_dict()["results"]
    )


class Killed(Exception):  # noqa: N818
    pass


def test_a_killed_run_goes_on_where_it_stopped(knowing: Make, folder: Path, tmp_path: Path) -> None:
    whole = knowing()
    expected = run(whole, folder, chunk=1)

    class Dying:
        settings = MappingProxyType({})
        name = whole.name
        left = 4

        def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return whole.read(questions, threshold=threshold)  # type: ignore[no-any-return]

    options, out = Options(n_resamples=50, chunk=1), tmp_path / "run"
    with pytest.raises(Killed):
        runner.evaluate(Dying(), SUITE, folder, options=options, out=out)
    with (out / "mit-movie.jsonl").open("a") as file:
        file.write('{"id": "1", "spa')  # what a kill in the middle of a write leaves
    system = knowing()
    report = runner.evaluate(system, SUITE, folder, options=options, out=out)
    assert (whole.n_asked, system.n_asked) == (12 + 4, 12 - 4)
    assert headlines(report) == headlines(expected)
    assert report.to_dict()["results"] == expected.to_dict()["results"]
    again = knowing()
    assert runner.evaluate(again, SUITE, folder, options=options, out=out) == report
    assert again.n_asked == 0


def test_a_run_folder_of_other_settings_is_refused(
    knowing: Make, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    runner.evaluate(knowing(), "mit-movie", folder, options=Options(), out=out)
    with pytest.raises(ConfigError, match="other options"):
        runner.evaluate(knowing(), "mit-movie", folder, options=Options(threshold=0.4), out=out)
    (folder / "mit/movie/engtest.bio").write_text("B-TITLE\tjaws\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="other benchmarks"):
        runner.evaluate(knowing(), "mit-movie", folder, options=Options(), out=out)


def test_readings_of_another_benchmark_are_refused(
    knowing: Make, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    runner.evaluate(knowing(), "crossner-ai", folder, out=out)
    path = out / "crossner-ai.jsonl"
    path.write_text(path.read_text().replace('"id": "1"', '"id": "7"'))
    with pytest.raises(DataError, match=r"crossner-ai.jsonl:2: holds item '7'"):
        runner.evaluate(knowing(), "crossner-ai", folder, out=out)


def test_the_run_file_holds_what_a_repetition_needs(
    knowing: Make, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    report = runner.evaluate(knowing(), "crossner-ai,squad", folder, out=out)
    written = json.loads((out / "run.json").read_text())
    assert written == json.loads(json.dumps(report.to_dict()))
    settings = written["settings"]
    assert settings["options"]["threshold"] == 0.5
    assert len(settings["benchmarks"]["squad"]["squad/dev-v2.0.json"]) == 64
    assert settings["versions"]["numpy"] == np.__version__
    units = np.load(out / "crossner-ai.units.npy")
    assert units.tolist() == [[3.0, 3.0, 3.0], [2.0, 2.0, 2.0]]


class Extractor:
    """Keeps what it is asked, and marks the first three characters."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, Query, Settings]] = []

    def extract(
        self, items: Iterable[tuple[Any, Query]], settings: Settings | None = None
    ) -> Iterator[list[Entity]]:
        assert settings is not None
        for text, query in items:
            self.seen.append((text, query, settings))
            whole = text if isinstance(text, str) else text.text
            yield [Entity(whole[:3], query.labels[0].name, 0, 3, 0.8)]


def test_an_extractor_is_asked_with_the_instruction_apart(folder: Path) -> None:
    extractor = Extractor()
    choice = Settings(policy="min", threshold=0.9)
    system = ExtractorSystem(extractor, name="mine", choice=choice, settings={"model": "m"})
    report = run(system, folder, suite="squad,fewrel")
    text, query, settings = extractor.seen[0]
    assert text == "The Normans came from France in the 10th century."
    assert query.instruction == "Where did the Normans come from?"
    assert [label.name for label in query.labels] == ["answer"]
    assert (settings.threshold, settings.policy) == (0.5, "min")
    assert extractor.seen[3][1].labels[0].name == "Aino Ackté <> mother"
    stored = report.settings["system"]
    assert (stored["name"], stored["kind"], stored["model"]) == ("mine", "extractor", "m")
    assert stored["choice"]["policy"] == "min"
    assert stored["choice"]["threshold"] is None


def test_no_tail_lies_on_its_own_head() -> None:
    system = ExtractorSystem(Extractor(), name="mine")  # marks the first three characters

    def tails(head: tuple[int, int] | None) -> int:
        question = Question(text="Ada met Ada.", labels=("Ada <> met",), head=head)
        (reading,) = system.read([question], threshold=0.5)
        return len(reading.spans)

    assert [tails(head) for head in ((0, 3), (2, 7), (3, 7), (8, 11), None)] == [0, 0, 1, 1, 1]


def test_entity_sets_are_read_in_their_own_words_unless_asked_otherwise(folder: Path) -> None:
    extractor = Extractor()
    system = ExtractorSystem(extractor, name="mine")
    run(system, folder, suite="crossner-ai")
    assert extractor.seen[0][0].surfaces()[-2:] == ["C++", "."]
    run(system, folder, suite="crossner-ai", words="model")
    assert extractor.seen[2][0] == "Alan Turing wrote Prolog , LISP and C++ ."


def test_the_hash_of_a_model_is_of_its_files_not_of_its_place(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_bytes(b"123")
    same = runner.hash_model(tmp_path / "a")
    assert same == runner.hash_model(tmp_path / "b")
    (tmp_path / "b" / "weights").write_bytes(b"124")
    assert same != runner.hash_model(tmp_path / "b")
    with pytest.raises(ConfigError, match="no model to hash"):
        runner.hash_model(tmp_path / "none")


@pytest.mark.parametrize(
    "wrong", [{"threshold": 1.5}, {"curve": 0.6}, {"n_items": 0}, {"chunk": 0}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Options(**wrong)

"""Questions that their text does not answer: elsewhere, cut out, text or question changed."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from spanwise.data.records import GoldSpan, Record
from spanwise.data.unanswerable import by_group, maybe_unanswerable

TEXT = (
    "The first bridge over the river Severn was built by Abraham Darby in 1779. It was painted red "
    "again in 2018, and carries walkers only. Coalbrookdale had made iron since 1709."
)
WALKERS = "Three walkers carried iron to the Severn, and no more"
OTHER = "Thomas Telford built his first bridge in 1792, and later the harbour at Aberdeen."


def question(asked, answer, *, text=TEXT, group="bridges"):
    start = text.index(answer)
    span = GoldSpan(start, start + len(answer), "answer")
    return Record(
        text=text, spans=(span,), labels=("answer",), instruction=asked, task="answers", group=group
    )


WHO = question("Who built the first bridge over the Severn in 1779?", "Abraham Darby")
RECORDS = [WHO, question("Who built a bridge in 1792?", "Thomas Telford", text=OTHER)]


def made(record=WHO, n=200, others=RECORDS):
    groups = by_group(others)
    rngs = (np.random.default_rng(seed) for seed in range(n))
    return [maybe_unanswerable(record, others, groups, rng, 1.0) for rng in rngs]


REST = TEXT[TEXT.index("It was painted") :]  # without the sentence that answers


def test_all_four_ways_are_taken_and_none_leaves_an_answer():
    results = [record for record in made() if record is not WHO]
    assert len(results) > 190  # the paragraph drawn may be the question's own
    assert all(record.spans == () and record.labels == ("answer",) for record in results)
    elsewhere = [r for r in results if r.text == OTHER]
    asked = [r for r in results if r.text == TEXT]
    cut = [r for r in results if r.text == REST]
    told = [r for r in results if r.text not in {TEXT, OTHER, REST}]
    assert min(map(len, (elsewhere, asked, cut, told))) > 15
    assert all(record.instruction == WHO.instruction for record in elsewhere + cut + told)
    assert all(record.instruction != WHO.instruction for record in asked)


def test_a_changed_text_says_of_another_what_was_asked():
    texts = {r.text for r in made() if r.text not in {TEXT, OTHER, REST}}
    assert TEXT.replace("first", "harbour") in texts  # "the harbour" stands in OTHER
    assert all("Abraham Darby in 1779" in text for text in texts)  # the answer stays


def test_a_change_of_the_text_is_of_the_answering_sentence_or_of_all():
    text = "The mill made flour. In May the mill was sold to Al. The mill burnt."
    record = question("When was the mill sold?", "May", text=text, group="m")
    other = question("When did the ship sink?", "June", text="In June the ship sank.", group="m")
    texts = {r.text for r in made(record, others=[record, other])} - {text, other.text}
    assert text.replace("mill", "ship") in texts
    assert text.replace("the mill", "the ship") in texts


def test_a_changed_question_asks_for_what_the_text_does_not_say():
    asked = {r.instruction for r in made() if r.text == TEXT}
    assert "Who built the last bridge over the Severn in 1779?" in asked
    assert "Who demolished the first bridge over the Severn in 1779?" in asked
    years = {a.removeprefix("Who built the first bridge over the Severn in ") for a in asked}
    assert "2018?" in years  # of the text
    assert "1709?" in years
    assert "Who built the first bridge over the Abraham Darby in 1779?" in asked


def test_a_name_that_follows_the_same_word_is_preferred():
    text = "A canal was dug in Leeds. A mill was built in Derby, as John Lombe wanted."
    record = question("Who wanted a mill in Derby by the river?", "John Lombe", text=text, group="")
    asked = {r.instruction for r in made(record, others=[record]) if r.text == text}
    assert "Who wanted a mill in Leeds by the river?" in asked
    assert "Who wanted a mill in John Lombe by the river?" not in asked


def test_another_word_fits_if_it_stands_beside_the_same_word_in_the_same_form():
    text = "Leeds has many museums. It has many posters too, and is big."
    record = question("How many museums are in Leeds?", "many", text=text, group="l")
    other = question("How many visited walls are new?", "No", text="No walls fell.", group="l")
    asked = {r.instruction for r in made(record, others=[record, other])}
    assert "How many posters are in Leeds?" in asked
    assert not any(word in each for each in asked for word in ("visited are", "walls are in"))


def test_of_other_paragraphs_the_most_alike_is_asked():
    alike = question("When?", "1792", text=OTHER)
    strange = question("What?", "tea", text="Nothing is here but a cup of tea on a table.")
    others = [WHO, strange, strange, alike, strange]
    texts = [r.text for r in made(others=others) if r.instruction == WHO.instruction]
    assert texts.count(OTHER) > 2 * texts.count(strange.text)


def test_a_number_without_another_of_its_length_is_made_up_anew():
    record = question("How many were the 3500 walkers?", "Telford", text=OTHER, group="")
    asked = {r.instruction for r in made(record, others=[record]) if r.text == OTHER}
    numbers = {number for each in asked for number in re.findall(r"\d+", each)}
    assert numbers == {"3500", "1792"}  # of the text
    alone = replace(record, text=f"{WALKERS}.", spans=(GoldSpan(0, 5, "answer"),))
    asked = {r.instruction for r in made(alone, others=[alone])}
    numbers = {number for each in asked for number in re.findall(r"\d+", each)}
    assert len(numbers) > 20
    assert all(len(number) == 4 and number.startswith("35") for number in numbers)


def test_a_mere_negation_is_rare():
    plain = question("What was painted red?", "bridge", group="")
    results = made(plain, n=400, others=[plain])
    negated = sum("was not" in r.instruction for r in results)
    assert 0 < negated < 80  # 45 % are to be changed, a quarter of them may be negated


def test_questions_that_someone_wrote_come_first_and_their_own_before_all():
    near = replace(WHO, instruction="Who painted the bridge in 1779?", spans=(), id="1/u")
    far = replace(WHO, instruction="Who owns the bridge?", spans=(), id="9/u")
    of_other = replace(near, text=OTHER, instruction="Who dug the canal?")
    own = replace(WHO, id="1")
    asked = Counter(r.instruction for r in made(own, others=[own, far, near, of_other]))
    assert 130 < asked[near.instruction] < 190
    assert asked[far.instruction] == asked[of_other.instruction] == 0
    asked = Counter(r.instruction for r in made(own, others=[own, far, of_other]))
    assert 130 < asked[far.instruction] < 190
    cut = replace(own, text=TEXT[: TEXT.index(" It was")])  # a piece of the same text
    asked = Counter(r.instruction for r in made(cut, others=[own, near]))
    assert 130 < asked[near.instruction] < 190


def test_an_article_of_one_paragraph_keeps_the_question_where_no_way_is_open():
    short = question("Why?", "iron", text="Because iron is cheap.", group="")
    assert made(short, n=20, others=[short]) == [short] * 20


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_the_share_is_kept_and_the_same_generator_gives_the_same(chance):
    groups = by_group(RECORDS)

    def run():
        rng = np.random.default_rng(5)
        return [maybe_unanswerable(WHO, RECORDS, groups, rng, chance) for _ in range(300)]

    assert run() == run()
    share = np.mean([record.spans == () for record in run()])
    assert abs(share - chance) < 0.08


def test_a_question_without_an_answer_stays_as_it_is():
    record = Record(text=TEXT, spans=(), labels=("answer",), instruction="Why?", task="answers")
    assert made(record, n=5) == [record] * 5


def written(asked, number):
    return Record(
        text=TEXT,
        spans=(),
        labels=("answer",),
        instruction=asked,
        task="answers",
        group="bridges",
        id=number,
    )


def asked_instead(record, *others):
    return {each.instruction for each in made(record, others=[record, *others])}


def test_a_question_written_to_the_text_is_preferred_and_one_made_of_this_most_of_all():
    who = replace(WHO, id="7")
    another, of_this = written("Who painted the bridge red?", "8"), written("Who?", "7/other")
    assert another.instruction in asked_instead(who, another)
    assert of_this.instruction in asked_instead(who, another, of_this)
    assert another.instruction not in asked_instead(who, another, of_this)


def test_of_a_text_that_was_cut_only_questions_about_the_piece_are_taken():
    cut = replace(WHO, text=TEXT[: TEXT.index(" It was painted")])
    inside = written("Who crossed the river Severn in 1779?", "8")
    outside = written("Who painted the walkers red in 2018?", "9")
    assert {inside.instruction, outside.instruction} <= asked_instead(WHO, inside, outside)
    assert inside.instruction in asked_instead(cut, inside, outside)
    assert outside.instruction not in asked_instead(cut, inside, outside)

"""The progress line shows up late, only in a terminal, and goes away; marks survive nesting."""

import io

import pytest

from spanwise.cli.progress import Progress
from spanwise.cli.shown import has_colour, marked
from spanwise.types import Entity


class Terminal(io.StringIO):
    def isatty(self):
        return True


def progress(stream, total=1000):
    times = iter(range(100))
    return Progress(total, stream=stream, clock=lambda: next(times) / 2)


def test_a_terminal_sees_share_documents_and_speed():
    stream = Terminal()
    bar = progress(stream)
    bar.words(500)
    bar.document(250)
    assert "25%" in stream.getvalue()
    assert "1 texts  500 words  500 words/s" in stream.getvalue()
    bar.close()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_an_unknown_total_shows_no_share():
    stream = Terminal()
    bar = progress(stream, total=0)
    bar.document(0)
    bar.document(0)
    assert "texts" in stream.getvalue()
    assert "%" not in stream.getvalue()


def test_short_work_files_and_those_who_want_none_see_nothing():
    quick, file = Terminal(), io.StringIO()
    bar = Progress(10, stream=quick, clock=lambda: 0.0)
    bar.document(10)
    bar.close()
    slow = progress(file)
    slow.document(10)
    slow.close()
    times = iter(range(100))
    unwanted = Terminal()
    told = Progress(10, quiet=True, stream=unwanted, clock=lambda: next(times))
    told.document(10)
    assert quick.getvalue() == file.getvalue() == unwanted.getvalue() == ""


def entity(text, piece, label):
    start = text.index(piece)
    return Entity(piece, label, start, start + len(piece), 0.9)


def test_nested_and_repeated_spans_are_marked_inside_one_another():
    text = "the University of Turin, Italy"
    found = [
        entity(text, "University of Turin", "school"),
        entity(text, "Turin", "city"),
        entity(text, "Italy", "country"),
        entity(text, "Italy", "state"),
    ]
    shown = marked(text, found, ["school", "city", "country", "state"], colour=False)
    assert shown == "the [University of [Turin](city)](school), [Italy](country, state)"


def test_colours_return_to_the_outer_span():
    text = "a b c"
    found = [Entity("a b c", "x", 0, 5, 0.9), Entity("b", "y", 2, 3, 0.9)]
    assert marked(text, found, ["x", "y"], colour=True) == (
        "\x1b[1;36ma \x1b[1;33mb\x1b[0m\x1b[2;33m y\x1b[0m\x1b[1;36m c\x1b[0m\x1b[2;36m x\x1b[0m"
    )


def test_a_document_cannot_drive_the_terminal():
    assert marked("\x1b[2Jhi\x07\tthere\n", [], [], colour=True) == "[2Jhi\tthere\n"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(environment, wanted):
    assert has_colour(Terminal(), environment) is wanted
    assert not has_colour(io.StringIO(), environment)

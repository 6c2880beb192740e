import pytest

from spanwise.data import GoldSpan, Record
from spanwise.errors import DataError


@pytest.mark.parametrize("span", [(-1, 1), (0, 4), (2, 2), (2, 1)])
def test_a_span_outside_the_text_or_empty_is_refused(span):
    with pytest.raises(DataError, match="record 'r1' of mine") as error:
        Record(text="abc", spans=(GoldSpan(*span, "x"),), id="r1", source="mine")
    assert f"{span[0]}:{span[1]}" in str(error.value)


def test_an_unknown_task_is_refused_with_the_nearest():
    with pytest.raises(DataError, match="did you mean 'answers'"):
        Record(text="abc", spans=(), task="answer")

import gzip

import pytest

from spanwise.data.text import join, occurrences, own_words, read_rows, without_nested
from spanwise.errors import DataError


def test_joined_tokens_are_at_their_offsets():
    tokens = ["I", "'ve", "no", "2-cent", "coin", "."]
    text, offsets = join(tokens)
    assert text == "I 've no 2-cent coin ."
    assert [text[start:end] for start, end in offsets] == tokens


def test_words_are_kept_only_where_the_default_splitter_finds_others():
    assert own_words(*join(["a", "2-cent", "coin", "."])) is None
    assert own_words(*join(["I", "'ve"])) == ((0, 1), (2, 5))


def test_empty_and_blank_tokens_are_no_words():
    assert own_words(*join(["a", "", "\xa0", "b's"])) == ((0, 1), (5, 8))


@pytest.mark.parametrize(
    ("text", "surface", "starts"),
    [
        ("art at the party of art", "art", [0, 20]),
        ("the party", "art", [5]),  # nowhere between word boundaries
        ("IL-2 and IL-2-like, IL-2.", "IL-2", [0, 20]),
        ("punk, post-punk", "punk", [0]),
        ("(a) and (a)", "(a)", [0, 8]),
        ("well-\nknown, well", "well", [0, 13]),
        ("abc", "", []),
        ("abc", "d", []),
    ],
)
def test_a_surface_is_found_between_word_boundaries(text, surface, starts):
    found = occurrences(text, surface)
    assert [start for start, _ in found] == starts
    assert all(text[start:end] == surface for start, end in found)


def test_a_surface_inside_a_longer_one_is_not_marked_unless_it_is_nowhere_else():
    text = "New York, York and Bath in the County of Bath"
    listed = [(x, occurrences(text, x)) for x in ("New York", "York", "County of Bath")]
    assert list(without_nested(listed)) == [
        ("New York", (0, 8)),
        ("York", (10, 14)),
        ("County of Bath", (31, 45)),
    ]
    listed = [(x, occurrences("New York", x)) for x in ("New York", "York")]
    assert ("York", (4, 8)) in list(without_nested(listed))


def test_rows_say_where_they_are(write_lines):
    path = write_lines("a.jsonl.gz", {"x": 1}, "", {"x": 2})
    assert list(read_rows(path, needs=("x",))) == [
        (f"{path}:1", {"x": 1}),
        (f"{path}:3", {"x": 2}),
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [("{", "not JSON"), ("[1]", "holds a list"), ('{"y": 1}', "has no 'x'; it has 'y'")],
)
def test_a_bad_line_is_named(write_lines, line, complaint):
    path = write_lines("a.jsonl", {"x": 1}, line)
    with pytest.raises(DataError, match=complaint) as error:
        list(read_rows(path, needs=("x",)))
    assert f"{path}:2: " in str(error.value)


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(DataError, match="absent"):
        list(read_rows(tmp_path / "absent.jsonl"))
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress(b'{"x": 1}\n' * 100)[:-12])
    with pytest.raises(DataError, match=r"broken\.jsonl\.gz"):
        list(read_rows(broken))

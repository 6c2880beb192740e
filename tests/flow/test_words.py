"""Words: where they begin and end, whatever the script."""

import numpy as np
import pytest

from spanwise.errors import InputError
from spanwise.flow import words


def pieces(text, name="regex"):
    return words.split(text, words.splitter(name)).surfaces()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        (" \t\n", []),
        ("Ada met Babbage.", ["Ada", "met", "Babbage", "."]),
        (
            "state-of-the-art snake_case -x y-",
            ["state-of-the-art", "snake_case", "-", "x", "y", "-"],
        ),
        ("l'été, 3.5%", ["l", "'", "été", ",", "3", ".", "5", "%"]),
        ("a\r\nb", ["a", "b"]),
        ("😀👍🏽", ["😀", "👍", "🏽"]),
        ("a\u200bb", ["a", "\u200b", "b"]),
        ("東京タワー", ["東京タワー"]),
    ],
)
def test_the_published_rule(text, wanted):
    assert pieces(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("東京に住む", ["東", "京", "に", "住", "む"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("Tokyo東京2020", ["Tokyo", "東", "京", "2020"]),
        ("state-of-the-art été.", ["state-of-the-art", "été", "."]),
        ("ပြည်", ["ပြ", "ည်"]),
    ],
)
def test_scripts_without_spaces_are_split_by_the_character(text, wanted):
    assert pieces(text, "unicode") == wanted


@pytest.mark.parametrize("name", words.SPLITTERS)
@pytest.mark.parametrize("text", ["Ada  met\u2028Charles", "東京 x-y", "a\x00b", "\u0301 a\u0301"])
def test_offsets_lead_to_the_words(name, text):
    found = words.split(text, words.splitter(name))
    assert [text[s:e] for s, e in zip(found.starts, found.ends, strict=True)] == found.surfaces()
    assert "".join(found.surfaces()) == "".join(text.split())


def test_spaces_keep_what_came_tokenised():
    assert pieces("don't stop . now", "spaces") == ["don't", "stop", ".", "now"]


def test_joined_words_are_found_where_they_stand():
    found = words.joined(["Ada", "Lovelace", "'s"])
    assert found.text == "Ada Lovelace 's"
    assert found.surfaces() == ["Ada", "Lovelace", "'s"]
    assert len(words.joined([])) == 0


def test_an_empty_word_is_refused():
    with pytest.raises(InputError, match="word 1 of a pre-tokenised text is empty"):
        words.joined(["a", "", "b"])


def test_a_splitter_that_is_not_known_gets_its_neighbour():
    with pytest.raises(InputError, match="did you mean 'regex'"):
        words.splitter("regx")


@pytest.mark.parametrize(
    "offsets", [[(0, 9)], [(-1, 2)], [(2, 2)], [(2, 4), (0, 1)], [(0, 3), (2, 4)]]
)
def test_offsets_that_cannot_be_words_are_refused(offsets):
    with pytest.raises(InputError, match="in a text of 5 characters"):
        words.split("abcde", lambda text: offsets)


def test_any_function_can_split():
    found = words.split("abcde", lambda text: [(0, 2), (3, 5)])
    assert found.surfaces() == ["ab", "de"]
    assert found.starts.dtype == np.int64

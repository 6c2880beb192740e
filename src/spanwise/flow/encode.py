"""Prompts -> Batch: sub-word ids, and where in them the labels and words stand.

Labels and words are tokenised one by one (as pre-split words are), so the ids of a label or an
instruction can be kept and reused, and a word that yields no sub-word (a zero-width character)
is left out with its offsets instead of shifting those of all later words. Batches are cut from
the length-sorted prompts under a budget of padded sub-words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from spanwise.errors import CheckpointError, LabelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from spanwise.config import ModelConfig


_MAX_KNOWN = 500_000
"""Words whose sub-words are kept, about 100 MB; then the memory starts anew."""
_LEAST_WINDOW = 2048


@dataclass(frozen=True, slots=True)
class Pieces:
    """Words as sub-words: `ids` `[sub-words]`, `lengths` `[words]` (sub-words of each word)."""

    ids: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def between(self, start: int, stop: int) -> Pieces:
        """Return the pieces of words `start` to `stop`."""
        offsets = np.concatenate(([0], np.cumsum(self.lengths)))
        return Pieces(self.ids[offsets[start] : offsets[stop]], self.lengths[start:stop])

    def clipped(self, most: int) -> Pieces:
        """Return the pieces with at most so many sub-words of each word.

        A word of more (a key, a line of base64) is read by its beginning; its score is read at
        its first sub-word anyway.
        """
        if self.lengths.max(initial=0) <= most:
            return self
        place = np.arange(len(self.ids)) - np.repeat(
            np.cumsum(self.lengths) - self.lengths, self.lengths
        )
        return Pieces(self.ids[place < most], np.minimum(self.lengths, most))


@dataclass(frozen=True, slots=True)
class Encoded:
    """One pass as sub-words.

    Attributes:
        ids: `[tokens]`, special tokens included.
        label_positions: `[labels]`, where each label's vector is read.
        word_positions: `[words]`, the first sub-word of each word, instruction included.
        n_instruction: how many of the words belong to the instruction.
    """

    ids: NDArray[np.int64]
    label_positions: NDArray[np.int64]
    word_positions: NDArray[np.int64]
    n_instruction: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What a backend scores; all int64, padded with zeros (ids: with the pad token).

    Attributes:
        ids: `[batch, tokens]`.
        mask: `[batch, tokens]`, 1 for tokens.
        word_positions: `[batch, words]`, the first sub-word of each word.
        n_words: `[batch]`, words of each item, instruction included.
        label_positions: `[batch, labels]`.
        n_labels: `[batch]`.
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    word_positions: NDArray[np.int64]
    n_words: NDArray[np.int64]
    label_positions: NDArray[np.int64]
    n_labels: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.ids)

    def row(self, place: int) -> Batch:
        """Return one item as a batch of its own, without padding."""
        at = slice(place, place + 1)
        n_tokens, n_words = int(self.mask[place].sum()), int(self.n_words[place])
        n_labels = int(self.n_labels[place])
        return Batch(
            ids=self.ids[at, :n_tokens],
            mask=self.mask[at, :n_tokens],
            word_positions=self.word_positions[at, :n_words],
            n_words=self.n_words[at],
            label_positions=self.label_positions[at, :n_labels],
            n_labels=self.n_labels[at],
        )


class Encoder:
    """A tokenizer with the prompt's special tokens; turns words into sub-words.

    Not to be confused with the neural encoder, which reads what this one writes.
    """

    def __init__(self, tokenizer: Tokenizer, config: ModelConfig) -> None:
        """Look the special tokens up.

        Raises:
            CheckpointError: the tokenizer lacks the label or separator token.
        """
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        self.config = config
        self.label_id = self._special(config.label_token)
        self.separator_id = self._special(config.separator_token)
        self.pad_id = _pad_id(tokenizer, config)
        framed = tokenizer.encode(["a"], is_pretokenized=True)
        bare = tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=False)
        at = _find(framed.ids, bare.ids)
        self.prefix = np.asarray(framed.ids[:at], dtype=np.int64)
        self.suffix = np.asarray(framed.ids[at + len(bare.ids) :], dtype=np.int64)
        self._known: dict[str, tuple[int, ...]] = {}
        self._label_ids = lru_cache(maxsize=65536)(self._encode_label)
        self._instruction = lru_cache(maxsize=1024)(self._encode_instruction)

    def _special(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            msg = (
                f"the tokenizer has no token {token!r}; it does not belong to this model "
                "(the file tokenizer.json must hold the prompt's special tokens)"
            )
            raise CheckpointError(msg)
        return int(found)

    @property
    def max_tokens(self) -> int:
        """Sub-words of one window: what the encoder has positions for.

        Where it has no such limit, eight a word: more than any prose takes, and a bound for text
        whose words are long (no spaces, wrong splitter), since attention grows with the square.
        """
        return self.config.max_positions or max(_LEAST_WINDOW, 8 * self.config.max_words)

    def words(self, texts: Sequence[Sequence[str]]) -> list[Pieces]:
        """Return the sub-words of each text's words.

        Words are tokenised one by one, so the sub-words of a word are kept and each is tokenised
        once; words of a language repeat so much that this is ten times faster than tokenising
        texts.
        """
        known = self._known
        fresh = {word for text in texts for word in text if word not in known}
        if fresh:
            if len(known) + len(fresh) > _MAX_KNOWN:
                # another one: the old may be in use by other threads
                known = self._known = {}
                fresh = {word for text in texts for word in text}
            known.update(self._tokenised(sorted(fresh)))
        made = []
        for text in texts:
            ids = [known[word] for word in text]
            lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
            flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=int(lengths.sum()))
            made.append(Pieces(flat, lengths))
        return made

    def _tokenised(self, words: list[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
        encodings = self.tokenizer.encode_batch_fast(
            [[word] for word in words], is_pretokenized=True, add_special_tokens=False
        )
        for word, encoding in zip(words, encodings, strict=True):
            yield word, tuple(encoding.ids)

    def instruction(self, words: tuple[str, ...]) -> Pieces:
        """Return the sub-words of an instruction; words that yield none are left out."""
        return self._instruction(words)

    def _encode_instruction(self, words: tuple[str, ...]) -> Pieces:
        (pieces,) = self.words([words])
        return Pieces(pieces.ids, pieces.lengths[pieces.lengths > 0])

    def label(self, shown: str) -> NDArray[np.int64]:
        """Return the sub-words of a label, its label token first.

        Raises:
            LabelError: the label holds one of the prompt's special tokens, or no sub-word at all.
        """
        return self._label_ids(shown)

    def _encode_label(self, shown: str) -> NDArray[np.int64]:
        encoding = self.tokenizer.encode([shown], is_pretokenized=True, add_special_tokens=False)
        if self.label_id in encoding.ids or self.separator_id in encoding.ids:
            msg = (
                f"label {shown!r} holds {self.config.label_token} or "
                f"{self.config.separator_token}, which the prompt is built with; rename it"
            )
            raise LabelError(msg)
        if not encoding.ids and not self.config.embed_label_token:
            msg = f"label {shown!r} has nothing that the tokenizer can read; rename it"
            raise LabelError(msg)
        return np.asarray([self.label_id, *encoding.ids], dtype=np.int64)

    def label_cost(self, shown: str) -> int:
        """Return the sub-words that a label takes from the window."""
        return len(self.label(shown))

    @property
    def frame_cost(self) -> int:
        """Sub-words that every prompt takes: beginning, separator and end."""
        return len(self.prefix) + 1 + len(self.suffix)

    def encode(self, labels: Sequence[str], instruction: Pieces, words: Pieces) -> Encoded:
        """Put labels, instruction and words together; every word must have a sub-word.

        Raises:
            AssertionError: a word without sub-words was not left out beforehand.
        """
        assert (words.lengths > 0).all(), "words without sub-words must be left out before"
        label_ids = [self.label(label) for label in labels]
        costs = np.fromiter(map(len, label_ids), dtype=np.int64, count=len(label_ids))
        label_starts = len(self.prefix) + np.cumsum(costs) - costs
        if not self.config.embed_label_token:
            label_starts = label_starts + 1
        lengths = np.concatenate((instruction.lengths, words.lengths))
        first_word = len(self.prefix) + int(costs.sum()) + 1
        word_positions = first_word + np.cumsum(lengths) - lengths
        separator = np.asarray([self.separator_id], dtype=np.int64)
        ids = np.concatenate(
            (self.prefix, *label_ids, separator, instruction.ids, words.ids, self.suffix)
        )
        return Encoded(ids, label_starts, word_positions, len(instruction.lengths))

    def collate(self, items: Sequence[Encoded]) -> Batch:
        """Pad the items to one batch."""
        n_words = np.fromiter((len(i.word_positions) for i in items), np.int64, len(items))
        n_labels = np.fromiter((len(i.label_positions) for i in items), np.int64, len(items))
        n_tokens = np.fromiter((len(i.ids) for i in items), np.int64, len(items))
        return Batch(
            ids=_padded([i.ids for i in items], n_tokens, self.pad_id),
            mask=(np.arange(n_tokens.max())[None, :] < n_tokens[:, None]).astype(np.int64),
            word_positions=_padded([i.word_positions for i in items], n_words, 0),
            n_words=n_words,
            label_positions=_padded([i.label_positions for i in items], n_labels, 0),
            n_labels=n_labels,
        )


def batches(
    lengths: Sequence[int], *, max_tokens: int, max_items: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of items for each batch, longest first.

    Items are sorted by length (stable) and cut so that items x longest stays within
    `max_tokens` padded sub-words; an item beyond the budget gets a batch of its own.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[int(order[start])]))
        stop = start + max(1, min(max_items, max_tokens // longest))
        yield order[start:stop]
        start = stop


def _padded(
    rows: Sequence[NDArray[np.int64]], lengths: NDArray[np.int64], fill: int
) -> NDArray[np.int64]:
    full = np.full((len(rows), int(lengths.max(initial=0))), fill, dtype=np.int64)
    for row, values in zip(full, rows, strict=True):
        row[: len(values)] = values
    return full


def _find(framed: list[int], bare: list[int]) -> int:
    for at in range(len(framed) - len(bare) + 1):
        if framed[at : at + len(bare)] == bare:
            return at
    msg = "the tokenizer does not keep a word's sub-words together when it adds special tokens"
    raise CheckpointError(msg)


def _pad_id(tokenizer: Tokenizer, config: ModelConfig) -> int:
    for token in ("[PAD]", "<pad>"):
        found = tokenizer.token_to_id(token)
        if found is not None:
            return int(found)
    return int(config.encoder.get("pad_token_id") or 0)

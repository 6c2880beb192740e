"""A backend that marks what a table says, so that what tasks make of spans can be told exactly."""

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from spanwise.config import ModelConfig
from spanwise.extractor import Extractor


class Scripted:
    """Marks the surfaces that `table` gives for a label, wherever the words stand.

    `table` maps a label as the model reads it to {surface: probability}. `passes` are the labels
    and words of every pass, as they were read.
    """

    name = "scripted"
    batch_tokens = 4096

    def __init__(self, table, **config):
        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
        self.table = table
        self.passes = []
        self.n_batches = 0
        self.config = ModelConfig(
            encoder={"model_type": "none"}, hidden_size=1, **({"max_words": 200} | config)
        )
        self.tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(letters)}, []))
        self.tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
            add_prefix_space=False, use_regex=False
        )
        self.tokenizer.decoder = decoders.ByteLevel()
        self.tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
        self.tokenizer.add_special_tokens(
            [AddedToken(t, special=True, normalized=False) for t in ("<<ENT>>", "<<SEP>>")]
        )

    def score(self, batch):
        self.n_batches += 1
        n, w = batch.word_positions.shape
        logits = np.full((n, w, batch.label_positions.shape[1], 3), -9.0, dtype=np.float32)
        for row in range(n):
            words, labels = self.read(batch, row)
            self.passes.append((labels, words))
            for c, label in enumerate(labels):
                for surface, probability in self.table.get(label, {}).items():
                    self.mark(logits[row, :, c], words, surface, probability)
        return logits

    def read(self, batch, row):
        """Return the words and labels of an item, from its ids."""

        def text(start, stop):
            return self.tokenizer.decode(batch.ids[row, start:stop].tolist())

        starts = batch.word_positions[row, : batch.n_words[row]].tolist()
        stops = [*starts[1:], int(batch.mask[row].sum())]
        words = [text(i, j) for i, j in zip(starts, stops, strict=True)]
        begins = (batch.label_positions[row, : batch.n_labels[row]] + 1).tolist()
        separator = self.tokenizer.token_to_id("<<SEP>>")
        end = int(np.flatnonzero(batch.ids[row] == separator)[0])
        ends = [*(begin - 1 for begin in begins[1:]), end]
        return words, [text(i, j) for i, j in zip(begins, ends, strict=True)]

    def mark(self, logits, words, surface, probability):
        wanted = surface.split()
        logit = np.log(probability / (1 - probability))
        for i in range(len(words) - len(wanted) + 1):
            if words[i : i + len(wanted)] == wanted:
                j = i + len(wanted) - 1
                logits[i, 0] = logits[j, 1] = logit
                logits[i : j + 1, 2] = logit


@pytest.fixture
def scripted():
    """Return a function: table, config -> extractor whose backend tells what it read."""

    def make(table, **config):
        return Extractor(Scripted(table, **config))

    return make

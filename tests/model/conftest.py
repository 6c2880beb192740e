"""A batch of unequal texts and labels, as every model here reads it."""

import pytest


@pytest.fixture(scope="session")
def make_batch():
    """Return a function model -> TensorBatch of three texts with one, two and three labels."""
    from spanwise.flow import words
    from spanwise.flow.encode import Encoder
    from spanwise.model.network import TensorBatch

    asked = [
        ("Ada Lovelace met Charles Babbage in London .", ["person", "city", "date"]),
        ("Ada", ["person"]),
        ("She wrote the first program", ["thing", "name"]),
    ]

    def make(model):
        encoder = Encoder(model.tokenizer, model.config)
        split = words.splitter("regex")
        pieces = encoder.words([words.split(text, split).surfaces() for text, _ in asked])
        none = encoder.instruction(())
        items = [
            encoder.encode(labels, none, each)
            for (_, labels), each in zip(asked, pieces, strict=True)
        ]
        return TensorBatch.of(encoder.collate(items))

    return make

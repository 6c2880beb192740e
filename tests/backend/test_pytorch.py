"""The PyTorch backend refuses devices and precisions that are not there."""

import numpy as np
import pytest
import torch

from spanwise.backend.pytorch import PyTorchBackend
from spanwise.errors import InputError

LABELS = ["person", "city"]


@pytest.fixture
def model(model_folder):
    from spanwise.model import read_model

    return read_model(model_folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda:77"}, "CUDA devices are there"),
        ({"device": "toaster"}, "is not one of 'cpu'"),
        ({"precision": "fp8"}, "is not one of fp32, bf16, fp16"),
        ({"precision": "fp16"}, "needs a GPU"),
    ],
)
def test_what_is_not_there_is_refused(model, options, message):
    with pytest.raises(InputError, match=message):
        PyTorchBackend(model, **options)


def test_bf16_finds_much_the_same(model, extractor, text):
    from spanwise.extractor import Extractor

    half = Extractor(PyTorchBackend(model, precision="bf16"))
    found = {(e.start, e.end) for e in half.entities(text, LABELS)}
    wanted = {(e.start, e.end) for e in extractor.entities(text, LABELS)}
    assert len(found & wanted) >= len(wanted) // 2


def test_scores_are_numpy_and_need_no_gradient(model, extractor):
    encoder = extractor.engine.encoder
    (pieces,) = encoder.words([["Ada", "met", "Charles"]])
    batch = encoder.collate([encoder.encode(["person"], encoder.instruction(()), pieces)])
    logits = PyTorchBackend(model).score(batch)
    assert logits.shape == (1, 3, 1, 3)
    assert logits.dtype == np.float32
    assert logits.flags.writeable


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is there")
def test_a_gpu_finds_the_same(model, extractor, text):
    from spanwise.extractor import Extractor

    found = Extractor(PyTorchBackend(model, device="cuda")).entities(text, LABELS)
    wanted = extractor.entities(text, LABELS)
    assert [(e.start, e.end, e.label) for e in found] == [(e.start, e.end, e.label) for e in wanted]

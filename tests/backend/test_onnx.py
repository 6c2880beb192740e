from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest

import spanwise
from spanwise.backend.onnx import OnnxBackend
from spanwise.errors import CheckpointError, InputError, MissingFileError, UnsupportedError
from spanwise.extractor import Extractor
from spanwise.flow.encode import Encoder
from spanwise.model.export import export

LABELS = ["person", "city", "date", "thing"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_model):
    made = tmp_path_factory.mktemp("onnx")
    export(make_model("bert"), made / "model.int8.onnx", variant="int8")
    export(make_model("bert"), made / "model.fp32.onnx")
    return made


@pytest.fixture(scope="module")
def backend(folder):
    return OnnxBackend(folder / "model.int8.onnx")


def found(extractor, texts, **options):
    return [
        [(e.start, e.end, e.label, e.score) for e in entities]
        for entities in extractor.entities(list(texts), LABELS, **options)
    ]


def test_load_takes_a_folder_or_a_file(folder, text):
    for path in (folder, folder / "model.int8.onnx"):
        extractor = spanwise.load(path)
        assert extractor.backend.name == "onnx"
        assert extractor.backend.variant == "int8"
        assert extractor.entities(text, LABELS)


def test_a_cpu_prefers_int8_and_a_gpu_fp16(tmp_path):
    from spanwise.backend import onnx as module

    for variant in ("fp16", "fp32", "int8"):
        (tmp_path / f"model.{variant}.onnx").touch()
    assert module._file(tmp_path, on_cpu=True).name == "model.int8.onnx"
    assert module._file(tmp_path, on_cpu=False).name == "model.fp16.onnx"


def test_load_and_extract_import_neither_torch_nor_transformers(folder, text):
    code = (
        "import sys, spanwise\n"
        f"found = spanwise.load({str(folder)!r}).entities({text!r}, {LABELS!r})\n"
        "assert found\n"
        "heavy = {'torch', 'transformers', 'safetensors', 'onnx', 'concurrent.futures'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_scores_depend_neither_on_neighbours_nor_on_threads(folder, text, variant):
    texts = [text, "Who?", text[:60], "Ada Lovelace in Paris .", text[20:]] * 3
    path = folder / f"model.{variant}.onnx"
    alone = Extractor(OnnxBackend(path, threads=1))
    wanted = [found(alone, [each])[0] for each in texts]
    for threads in (1, 2, 3):
        together = Extractor(OnnxBackend(path, threads=threads))
        assert found(together, texts) == wanted
        assert found(together, texts, batch_tokens=200) == wanted
        assert found(together, texts[::-1])[::-1] == wanted


def test_a_batch_costs_the_sum_of_its_items_and_nothing_for_padding(backend, text, monkeypatch):
    read = []
    real = backend._run

    def spy(session, batch):
        read.append(batch.ids.size)
        return real(session, batch)

    monkeypatch.setattr(backend, "_run", spy)
    extractor = Extractor(backend)
    texts = ["Who?", "She?", "Ada?", "Paris?", text]
    for each in texts:
        extractor.entities(each, LABELS)
    alone = sorted(read)
    read.clear()
    extractor.entities(texts, LABELS)
    assert sorted(read) == alone


def test_only_texts_that_come_one_by_one_open_a_session_over_all_cores(folder, text, monkeypatch):
    from spanwise.backend import onnx as module

    opened = []
    real = module._session

    def spy(path, providers, *, cores):
        opened.append(cores)
        return real(path, providers, cores=cores)

    monkeypatch.setattr(module, "_session", spy)
    many = Extractor(OnnxBackend(folder, threads=2))
    many.entities([text, text[:60], "Who?"] * 5, LABELS)
    many.entities("a last one", LABELS)
    assert opened == [1]
    one_by_one = [many.entities(f"{n} {text}", LABELS) for n in range(6)]
    assert opened == [1, 2]
    assert one_by_one == many.entities([f"{n} {text}" for n in range(6)], LABELS)

    opened.clear()
    alone = Extractor(OnnxBackend(folder, threads=1))
    for n in range(6):
        alone.entities(f"{n} {text}", LABELS)
    assert opened == [1]


def test_work_grows_linearly_with_the_length_of_a_text(backend, monkeypatch):
    sizes = []
    real = backend._run

    def spy(session, batch):
        sizes.append(batch.ids.shape)
        return real(session, batch)

    monkeypatch.setattr(backend, "_run", spy)
    extractor = Extractor(backend)
    read = []
    for n in (200, 400, 800):
        sizes.clear()
        extractor.entities("Ada wrote the first program . " * (n // 6), ["person"])
        assert all(rows == 1 and tokens <= 96 for rows, tokens in sizes)  # never more at once
        read.append(sum(tokens for _, tokens in sizes))
    assert read[1] / read[0] < 2.2
    assert read[2] / read[1] < 2.1


def test_padding_of_a_batch_is_zero(backend, text):
    encoder = Encoder(backend.tokenizer, backend.config)
    items = []
    for each, labels in ((text, LABELS), ("Who?", ["person"])):
        (pieces,) = encoder.words([each.split()])
        items.append(encoder.encode(labels, encoder.instruction(()), pieces))
    logits = backend.score(encoder.collate(items))
    assert logits.shape == (2, len(text.split()), 4, 3)
    assert not logits[1, 1:].any()
    assert not logits[1, :, 1:].any()
    assert np.abs(logits[1, 0, 0]).sum() > 0


def test_a_folder_without_a_file_says_what_it_holds(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(MissingFileError, match=r"no \.onnx file: .* holds notes\.txt"):
        OnnxBackend(tmp_path)
    with pytest.raises(MissingFileError, match="is empty or not there"):
        OnnxBackend(tmp_path / "nowhere")


def test_a_file_cut_short_is_named(tmp_path, folder):
    whole = (folder / "model.int8.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot be read"):
        OnnxBackend(tmp_path)


def changed(folder, tmp_path, key, value):
    """Copy the file with one entry of its metadata replaced, or removed where value is None."""
    model = onnx.load(folder / "model.int8.onnx")
    stored = {each.key: each.value for each in model.metadata_props}
    del model.metadata_props[:]
    stored[f"spanwise.{key}"] = value
    onnx.helper.set_model_props(model, {k: v for k, v in stored.items() if v is not None})
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    return path


def test_a_file_of_a_newer_format_is_refused(folder, tmp_path):
    with pytest.raises(CheckpointError, match="format 9, this version of spanwise reads 1"):
        OnnxBackend(changed(folder, tmp_path, "format", "9"))


def test_a_file_of_no_known_kind_is_refused(folder, tmp_path):
    with pytest.raises(UnsupportedError, match="holds no metadata of spanwise and its inputs"):
        OnnxBackend(changed(folder, tmp_path, "config", None))


@pytest.mark.parametrize("value", [None, "{}"])
def test_a_file_without_a_tokenizer_is_refused(folder, tmp_path, value):
    with pytest.raises(CheckpointError, match="tokenizer"):
        OnnxBackend(changed(folder, tmp_path, "tokenizer", value))


def test_a_foreign_tokenizer_is_refused(folder, tmp_path, tokenizer):
    foreign = tokenizer.to_str().replace("<<SEP>>", "<<OTHER>>")
    with pytest.raises(CheckpointError, match="has no token '<<SEP>>'"):
        spanwise.load(changed(folder, tmp_path, "tokenizer", foreign))


def test_a_damaged_configuration_is_refused(folder, tmp_path):
    with pytest.raises(CheckpointError, match="is no JSON"):
        OnnxBackend(changed(folder, tmp_path, "config", "{"))


def test_options_out_of_range_are_refused(folder):
    with pytest.raises(InputError, match="threads must be 0"):
        OnnxBackend(folder, threads=-1)
    with pytest.raises(InputError, match="'TPU' is not installed; this onnxruntime has"):
        OnnxBackend(folder, providers=["TPU"])


def test_providers_go_by_their_short_names_and_must_start(folder, text, monkeypatch):
    from spanwise.backend import onnx as module

    extractor = spanwise.load(folder, providers=["cpu"])
    assert extractor.backend.providers == ["CPUExecutionProvider"]
    assert extractor.entities(text, LABELS) == spanwise.load(folder).entities(text, LABELS)

    # a provider whose library lacks its driver: the session is made, on the CPU alone
    session = module.onnxruntime.InferenceSession
    monkeypatch.setattr(session, "get_providers", lambda _: ["CPUExecutionProvider"])
    with pytest.raises(InputError, match="'AzureExecutionProvider' is installed but does not"):
        spanwise.load(folder, providers=["Azure"])


def test_a_provider_that_does_not_know_the_operators_is_told_from_a_broken_file(
    folder, monkeypatch
):
    from spanwise.backend import onnx as module

    def refuse(*_, **__):
        msg = "[ONNXRuntimeError] : 1 : FAIL\nAzure does not support the operations: Attention"
        raise RuntimeError(msg)

    monkeypatch.setattr(module.onnxruntime, "InferenceSession", refuse)
    with pytest.raises(InputError, match=r"cannot run .*: Attention\); .*--variant fp16"):
        spanwise.load(folder, providers=["Azure"])


def test_warming_up_opens_what_the_first_texts_would_wait_for(folder):
    assert spanwise.load(folder, threads=2).backend._shared is None
    warm = spanwise.load(folder, threads=2, warm_up=True).backend
    assert warm._shared is not None
    assert warm._pool is not None

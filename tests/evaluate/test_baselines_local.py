"""Tiny random models of the compared architectures run from disk, as the real ones would."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from spanwise.data.text import split
from spanwise.errors import CheckpointError, InputError, UnsupportedError
from spanwise.evaluate import runner
from spanwise.evaluate.baselines import utc
from spanwise.evaluate.baselines.chat import ChatSystem
from spanwise.evaluate.baselines.flan import FlanSystem
from spanwise.evaluate.options import Options
from spanwise.evaluate.systems import Question

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: E402

from spanwise.evaluate.baselines import local  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = "the normans came from france in the tenth century and settled along the northern coast"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Keep torch from waiting for cores that others use: these models are tiny."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def save_tokenizer(home: Path, **extra: Any) -> int:
    """Save a word-piece tokenizer that splits most words in several pieces."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:;?'\"<>[]{}()-_/\\|!"
    pieces = [*SPECIAL, *letters, *(f"##{x}" for x in letters), "the", "and", "##an", "##or"]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        eos_token="[SEP]",
        **extra,
    )
    fast.save_pretrained(home)
    return len(vocabulary)


@pytest.fixture(scope="module")
def tagger_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("utc")
    torch.manual_seed(0)
    config = transformers.DebertaV2Config(
        vocab_size=save_tokenizer(home),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=2048,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        id2label={0: "O", 1: "B-ENT", 2: "I-ENT"},
        label2id={"O": 0, "B-ENT": 1, "I-ENT": 2},
        initializer_range=0.6,
    )
    transformers.DebertaV2ForTokenClassification(config).eval().save_pretrained(home)
    return home


def test_words_are_tagged_as_by_the_librarys_own_pipeline(tagger_home: Path) -> None:
    tagger = local.TokenTagger(str(tagger_home))
    prefix = "who came\n"
    judge = transformers.pipeline(
        "token-classification", model=str(tagger_home), aggregation_strategy="first"
    )
    found = [
        (piece["start"] - len(prefix), piece["end"] - len(prefix), piece["score"])
        for piece in judge(prefix + TEXT)
        if piece["start"] >= len(prefix)
    ]
    words = split(TEXT)
    (tags,) = tagger.tag([prefix], [TEXT], [words])
    ours = utc.spans(TEXT, "answer", words, tags, threshold=0.0)
    assert [(s.start, s.end) for s in ours] == [piece[:2] for piece in found]
    np.testing.assert_allclose([s.score for s in ours], [p[2] for p in found], atol=1e-5)
    assert 1 <= len(ours) < len(words)


def test_tags_do_not_depend_on_the_batch(tagger_home: Path) -> None:
    texts = [TEXT, "rollo came", "", "and then nothing more was heard of them"]
    words = [split(text) for text in texts]
    prefixes = ["q\n", "who came\n", "x\n", "y\n"]
    wide = local.TokenTagger(str(tagger_home), batch_size=4).tag(prefixes, texts, words)
    narrow = local.TokenTagger(str(tagger_home), batch_size=1).tag(prefixes, texts, words)
    for one, other in zip(wide, narrow, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_allclose(one[2], other[2], atol=1e-5)


def test_long_texts_are_read_to_their_end_in_windows(tagger_home: Path) -> None:
    tagger = local.TokenTagger(str(tagger_home), max_tokens=60)
    text = " ".join([TEXT] * 4)
    words = split(text)
    windows = tagger._windows("q\n", text, words)
    assert windows[0][0] == 0
    assert windows[-1][1] == len(words)
    assert all(a[1] > b[0] for a, b in pairwise(windows))
    seen: list[int] = []
    real = tagger._model.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["input_ids"].shape[1])
        return real(*args, **kwargs)

    tagger._model.forward = forward
    (tags,) = tagger.tag(["q\n"], [text], [words])
    assert max(seen) <= 60
    assert (tags[2] > 0).all()  # every word was scored
    with pytest.raises(InputError, match="fills the window"):
        tagger.tag(["why " * 80], [text], [words])


def test_a_tagger_goes_through_a_suite_with_exact_offsets(tagger_home: Path, folder: Path) -> None:
    system = utc.UtcSystem(local.TokenTagger(str(tagger_home)), name="UTC tiny")
    suite = "crossner-ai,squad,fewrel"
    report = runner.evaluate(system, suite, folder, options=Options(n_resamples=10))
    assert [result.name for result in report.results] == suite.split(",")
    questions = [
        Question(text=TEXT, labels=("answer",), instruction="who?", task="answers"),
        Question(text="", labels=("answer",), instruction="who?", task="answers"),
    ]
    one, none = system.read(questions, threshold=0.0)
    assert all(TEXT[s.start : s.end] == s.text for s in one.spans)
    assert one.spans
    assert none.spans == ()
    assert system.read(questions, threshold=1.0)[0].spans == ()
    assert report.settings["system"]["kind"] == "utc"


def test_neighbours_are_joined_and_b_begins_anew() -> None:
    words = [(0, 1), (2, 3), (4, 5), (6, 7)]
    marked = np.array([True, True, True, False])
    begins = np.array([True, False, True, False])
    tags = (marked, begins, np.array([0.9, 0.5, 0.6, 0.9]))
    found = utc.spans("a b c d", "x", words, tags, threshold=0.65)
    assert [(s.text, s.score) for s in found] == [("a b", pytest.approx(0.7))]


def test_a_model_without_the_class_o_is_refused(tagger_home: Path, tmp_path: Path) -> None:
    model = transformers.AutoModelForTokenClassification.from_pretrained(tagger_home)
    model.config.id2label = {0: "a", 1: "b", 2: "c"}
    model.save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    with pytest.raises(UnsupportedError, match="expected one class 'O'"):
        local.TokenTagger(str(tmp_path))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        local.TokenTagger(str(tmp_path))


@pytest.fixture(scope="module")
def t5_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("t5")
    torch.manual_seed(1)
    config = transformers.T5Config(
        vocab_size=save_tokenizer(home),
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=3,
    )
    transformers.T5ForConditionalGeneration(config).save_pretrained(home)
    return home


def test_flan_writes_the_same_for_a_prompt_in_any_batch(t5_home: Path) -> None:
    prompts = ["question: who came?", "subject and relation: a <> b", "text: x"]
    wide = local.Seq2Seq(str(t5_home), max_new_tokens=6, batch_size=3).generate(prompts)
    narrow = local.Seq2Seq(str(t5_home), max_new_tokens=6, batch_size=1).generate(prompts)
    assert wide == narrow
    assert any(wide)


def test_flan_goes_through_its_three_tasks_and_is_refused_others(
    t5_home: Path, folder: Path
) -> None:
    system = FlanSystem(local.Seq2Seq(str(t5_home), max_new_tokens=4), name="Flan tiny")
    report = runner.evaluate(system, "squad,fewrel", folder, options=Options(n_resamples=10))
    assert report["fewrel"].scores["exact"] == 0.0
    with pytest.raises(InputError, match="Flan tiny cannot be asked crossner-ai"):
        runner.evaluate(system, "squad,crossner-ai", folder)


@pytest.fixture(scope="module")
def llama_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("llama")
    torch.manual_seed(2)
    template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }} {% endfor %}assistant:"
    config = transformers.LlamaConfig(
        vocab_size=save_tokenizer(home, chat_template=template),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        pad_token_id=0,
        eos_token_id=3,
        bos_token_id=2,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(home)
    return home


def test_a_local_chat_model_repeats_itself_with_the_same_seed(llama_home: Path) -> None:
    one, other = (
        local.LocalChat(str(llama_home), max_new_tokens=6, temperature=1.5, seed=seed)
        for seed in (0, 1)
    )
    assert one.complete("who came?") == one.complete("who came?")
    assert {one.complete(f"{n}") for n in range(5)} != {other.complete(f"{n}") for n in range(5)}
    assert one.settings["temperature"] == 1.5


def test_a_local_chat_model_goes_through_a_suite(llama_home: Path, folder: Path) -> None:
    chat = local.LocalChat(str(llama_home), max_new_tokens=4, temperature=0.0)
    report = runner.evaluate(
        ChatSystem(chat, name="Llama tiny"),
        "crossner-music,squad",
        folder,
        options=Options(n_resamples=10),
    )
    assert sum(report["crossner-music"].failures.values()) == 1


def test_a_model_without_a_chat_template_is_no_chat_model(t5_home: Path, tmp_path: Path) -> None:
    config = transformers.LlamaConfig(
        vocab_size=save_tokenizer(tmp_path),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(UnsupportedError, match="no chat template"):
        local.LocalChat(str(tmp_path))

"""Trains small tokenizers in the forms that published checkpoints have.

In: texts. Out: a tokenizer and the contents of its `tokenizer_config.json`. The vocabularies are
tiny, the machinery around them (normalizer, pre-tokenizer, template) is that of the real ones.

Runs in the judge's environment only; see `record.py`.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)


def wordpiece(texts: list[str], *, lower: bool, size: int) -> tuple[Tokenizer, dict[str, Any]]:
    """A WordPiece tokenizer in BERT's form.

    Its pieces are counted here: the library's own trainer gives another vocabulary every time.
    """
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer = normalizers.BertNormalizer(lowercase=lower)
    splitter = pre_tokenizers.BertPreTokenizer()
    characters: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    for text in texts:
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)):
            characters.update(word[0] + word)
            for start in range(len(word)):
                for end in range(start + 2, min(len(word), start + 7) + 1):
                    pieces["##" * (start > 0) + word[start:end]] += end - start - 1
    alphabet = [c for c, _ in sorted(characters.items(), key=lambda p: (-p[1], p[0]))[:90]]
    vocabulary = [*special, *alphabet, *(f"##{c}" for c in alphabet)]
    ranked = sorted(pieces.items(), key=lambda p: (-p[1], p[0]))
    vocabulary += [piece for piece, _ in ranked[: size - len(vocabulary)]]
    ids = {piece: index for index, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, ids[token]) for token in ("[CLS]", "[SEP]")],
    )
    names = dict(zip(("pad", "unk", "cls", "sep", "mask"), special, strict=True))
    settings = {f"{name}_token": token for name, token in names.items()}
    return tokenizer, settings | {"tokenizer_class": "BertTokenizer", "do_lower_case": lower}


def unigram(texts: list[str]) -> tuple[Tokenizer, dict[str, Any]]:
    """A Unigram tokenizer in the form in which DeBERTa-v3's fast tokenizer was published."""
    buffer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=buffer,
        vocab_size=1300,
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        character_coverage=0.998,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="[PAD]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        unk_piece="[UNK]",
        num_threads=1,
        minloglevel=2,
    )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(buffer.getvalue())
    pieces = [(piece.piece, piece.score) for piece in proto.pieces] + [("[MASK]", 0.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Strip(),
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    metaspace = {"replacement": "▁", "prepend_scheme": "always"}
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(**metaspace)])
    tokenizer.decoder = decoders.Metaspace(**metaspace)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    names = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]")
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in names])
    return tokenizer, {
        "tokenizer_class": "DebertaV2Tokenizer",
        "bos_token": "[CLS]",
        "cls_token": "[CLS]",
        "eos_token": "[SEP]",
        "mask_token": "[MASK]",
        "pad_token": "[PAD]",
        "sep_token": "[SEP]",
        "unk_token": "[UNK]",
        "do_lower_case": False,
        "split_by_punct": False,
        "vocab_type": "spm",
    }


def byte_level(texts: list[str]) -> tuple[Tokenizer, dict[str, Any]]:
    """A byte-level BPE tokenizer in ModernBERT's form."""
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=special,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    settings = {f"{token[1:-1].lower()}_token": token for token in special}
    return tokenizer, settings | {"tokenizer_class": "PreTrainedTokenizerFast"}


TOKENIZERS = {
    "uncased": lambda texts: wordpiece(texts, lower=True, size=1400),
    "cased": lambda texts: wordpiece(texts, lower=False, size=1100),
    "unigram": unigram,
    "unigram-nfc": unigram,
    "bytes": byte_level,
}

"""Asks gliner about one text at a time, as it is and with its known bugs mended.

In: a recipe and the folder of its checkpoint. Out: entities, the ids and logits behind them, and
the names of the bugs that an input meets. Mending touches four places: words without sub-words
are left out, words are counted by their own index, the tokenizer is read as its file has it, and
the text is cut where it stops fitting.

Runs in the judge's environment only; see `record.py`.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from gliner import GLiNER
from gliner.data_processing import processor as upstream_processor
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

if TYPE_CHECKING:
    from pathlib import Path

    from build import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One call: the entities, the scores behind them, and whether both bear a little noise."""

    entities: list[dict[str, Any]]
    ids: list[int]
    logits: torch.Tensor
    """`[words, labels, 3]` of a token-level model, `[words, widths, labels]` of a span-level one;
    NaN where a span reaches past the text's end."""
    stable: bool


class Judge:
    """A checkpoint loaded by gliner, once as it is and once with its known bugs mended."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.recipe = recipe
        with contextlib.chdir(folder):
            self.model = GLiNER.from_pretrained(".", local_files_only=True)
            mended = folder / "tokenizer.json"
            self.verbatim = Tokenizer.from_file(str(mended)) if mended.exists() else None
        self.limit = self.tokenizer.model_max_length
        self.tokens = (recipe.ent_token, recipe.sep_token)
        self.sibling: Judge | None = None
        """The same weights under a config that upstream reads as it was meant."""

    @property
    def tokenizer(self) -> Any:
        return self.model.data_processor.transformer_tokenizer

    def words(self, text: str) -> list[tuple[str, int, int]]:
        return list(self.model.data_processor.words_splitter(text))

    def prompt(self, labels: list[str]) -> list[str]:
        ent, sep = self.tokens
        return [word for label in dict.fromkeys(labels) for word in (ent, label)] + [sep]

    def bugs(self, text: str, labels: list[str]) -> tuple[list[str], int | None]:
        """The known bugs that this input meets, and the end of what fits (None: all of it)."""
        prompt, words = self.prompt(labels), self.words(text)
        kept = words[: self.model.config.max_len]
        found = ["too-many-words"] if len(words) > len(kept) else []
        encoded = self.encode(prompt + [word for word, _, _ in kept])
        if len(encoded.ids) > self.limit:
            found.append("too-many-subwords")
            last = [w for w in encoded.word_ids[: self.limit - 1] if w is not None][-1]
            whole = encoded.word_ids[self.limit - 1] != last
            kept = kept[: last - len(prompt) + (1 if whole else 0)]
            encoded = self.encode(prompt + [word for word, _, _ in kept])
        seen = set(encoded.word_ids)
        if any(i not in seen for i in range(len(prompt))):
            found.append("label-without-subwords")
        if any(i not in seen for i in range(len(prompt), len(prompt) + len(kept))):
            found.append("word-without-subwords")
        if self.normalizer_dropped and (
            encoded.ids
            != self.tokenizer(
                prompt + [word for word, _, _ in kept], is_split_into_words=True
            ).input_ids
        ):
            found.append("normalizer-dropped")
        if self.sibling is not None:
            found.append("rnn-flag-ignored")
        return found, kept[-1][2] if len(kept) < len(words) and kept else None

    @property
    def normalizer_dropped(self) -> bool:
        return self.recipe.encoder == "deberta" and not self.recipe.verbatim

    def encode(self, words: list[str]) -> Any:
        """The words' sub-words as the checkpoint's own tokenizer file has them, not cut."""
        inner = self.tokenizer.backend_tokenizer
        if self.normalizer_dropped:
            inner = self.verbatim
        inner.no_truncation()
        inner.no_padding()
        return inner.encode(words, is_pretokenized=True)

    def ask(self, text: str, labels: Any, options: dict[str, Any]) -> Outcome:
        """Upstream's answer for one text."""
        decode = self.model.decode_batch
        caught: dict[str, Any] = {}

        def catch(output: Any, batch: Any, **kwargs: Any) -> Any:
            caught.update(output=output, batch=batch, kwargs=kwargs)
            return decode(output, batch, **kwargs)

        self.model.decode_batch = catch
        try:
            entities = self.model.inference([text], labels, **options)[0]
        finally:
            self.model.decode_batch = decode
        if not caught:
            return Outcome(entities=entities, ids=[], logits=torch.zeros(0), stable=True)
        output, batch, kwargs = caught["output"], caught["batch"], caught["kwargs"]
        logits = output.logits[0].clone()
        if self.recipe.span_mode != "token_level":
            n_words, n_widths = logits.shape[:2]
            ends = torch.arange(n_words)[:, None] + torch.arange(n_widths)
            logits[ends >= n_words] = torch.nan
        plain = spans_of(decode(output, batch, **kwargs))
        stable = all(
            spans_of(decode(noisy(output, seed), batch, **kwargs)) == plain for seed in range(2)
        )
        ids = batch["input_ids"][0].tolist()
        return Outcome(entities=entities, ids=ids, logits=logits, stable=stable)

    def ask_mended(
        self, text: str, labels: Any, options: dict[str, Any], end: int | None
    ) -> Outcome:
        """What upstream answers once its known bugs are out of the way."""
        judge = self.sibling or self
        processor = judge.model.data_processor
        asis = processor.transformer_tokenizer
        if judge.normalizer_dropped:
            processor.transformer_tokenizer = PreTrainedTokenizerFast(
                tokenizer_object=judge.verbatim,
                **{k: getattr(asis, k) for k in ("pad_token", "unk_token", "cls_token")},
            )
        mask, splitter = upstream_processor.prepare_word_mask, processor.words_splitter
        upstream_processor.prepare_word_mask = mask_by_word_ids
        processor.words_splitter = lambda given: [
            word for word in splitter(given) if judge.encode([word[0]]).word_ids[1:-1]
        ]
        try:
            if not judge.words(text[:end]):
                return Outcome(entities=[], ids=[], logits=torch.zeros(0), stable=True)
            return judge.ask(text[:end], labels, options)
        finally:
            upstream_processor.prepare_word_mask = mask
            processor.words_splitter = splitter
            processor.transformer_tokenizer = asis


def mask_by_word_ids(
    texts: list[list[str]], encoded: Any, *, skip_first_words: list[int], **_: Any
) -> list[list[int]]:
    """Upstream's `prepare_word_mask`, with words counted by their own index.

    Upstream counts the words that it meets among the sub-words, so that a label without
    sub-words takes the text's first word for a part of the prompt.
    """
    masks = []
    for i in range(len(texts)):
        ids = encoded.word_ids(i)
        first = [wid is not None and (k == 0 or ids[k - 1] != wid) for k, wid in enumerate(ids)]
        skip = skip_first_words[i]
        pairs = zip(ids, first, strict=True)
        masks.append([wid - skip + 1 if new and wid >= skip else 0 for wid, new in pairs])
    return masks


def noisy(output: Any, seed: int) -> Any:
    """The output with up to 5e-5 of noise on its logits."""
    source = torch.Generator().manual_seed(seed)
    copy = type(output)(**dict(output.items()))
    for name in ("logits", "span_logits"):
        value = getattr(output, name)
        if value is not None:
            copy[name] = value + (torch.rand(value.shape, generator=source) - 0.5) * 1e-4
    return copy


def spans_of(decoded: list[list[Any]]) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.entity_type) for span in decoded[0]]

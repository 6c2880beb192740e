"""Compared models on this machine: the one place of evaluation that knows torch and transformers.

Three kinds of checkpoint, each loaded as its authors publish it and run plainly: a token
classifier that tags words, a sequence-to-sequence model and a causal model that write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spanwise.errors import CheckpointError, InputError, MissingExtraError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from spanwise.evaluate.baselines.utc import Offsets, Tags

_OVERLAP = 4  # neighbouring windows share a quarter


def _load(kind: str, name: str, device: str) -> tuple[Any, Any, Any]:
    """Return torch, the tokenizer and the model of a folder or hub name."""
    try:
        import torch  # noqa: PLC0415  (an extra)
        import transformers  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        what = "A compared model on this machine"
        raise MissingExtraError(what, "torch") from error
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        msg = f"{name}: cannot be loaded as a model for {kind} ({error})"
        raise CheckpointError(msg) from error
    return torch, tokenizer, model.to(device).eval()


class TokenTagger:
    """A token classifier; every class but `O` means "belongs to what was asked"."""

    def __init__(
        self, name: str, *, device: str = "cpu", max_tokens: int = 512, batch_size: int = 8
    ) -> None:
        """Load a folder or hub name.

        Args:
            name: of the checkpoint.
            device: as torch names it.
            max_tokens: sub-words of one window, prompt included; longer texts are read in
                overlapping windows.
            batch_size: windows at once.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            CheckpointError: it cannot be loaded.
            UnsupportedError: it has no class `O`, or no fast tokenizer.
        """
        self._torch, self._tokenizer, self._model = _load("TokenClassification", name, device)
        classes = {int(index): text for index, text in self._model.config.id2label.items()}
        outside = [index for index, text in classes.items() if text == "O"]
        if len(outside) != 1 or not self._tokenizer.is_fast:
            msg = (
                f"{name}: classes {sorted(classes.values())} and a "
                f"{'fast' if self._tokenizer.is_fast else 'slow'} tokenizer; expected one class "
                "'O' and a fast tokenizer (it gives offsets)"
            )
            raise UnsupportedError(msg)
        self._outside = outside[0]
        self._begins = np.array([classes[i].startswith("B-") for i in sorted(classes)])
        self._device, self._max_tokens, self._batch_size = device, max_tokens, batch_size
        self.settings: Mapping[str, Any] = {"model": name, "max_tokens": max_tokens}

    def tag(
        self, prefixes: Sequence[str], texts: Sequence[str], words: Sequence[Sequence[Offsets]]
    ) -> list[Tags]:
        """Return the tags of each text's words, see `utc.Tagger`.

        A word read in two windows is tagged where it stands further from the window's ends.
        """
        windows = [
            (number, first, last)
            for number, (prefix, text, offsets) in enumerate(
                zip(prefixes, texts, words, strict=True)
            )
            for first, last in self._windows(prefix, text, offsets)
        ]
        tags = [_untagged(len(offsets)) for offsets in words]
        margins = [np.full(len(offsets), -1) for offsets in words]
        for begin in range(0, len(windows), self._batch_size):
            batch = windows[begin : begin + self._batch_size]
            inputs = []
            for number, first, last in batch:
                start, end = words[number][first][0], words[number][last - 1][1]
                inputs.append((prefixes[number], texts[number][start:end], start))
            classes, scores, places = self._classify(inputs)
            for row, (number, first, last) in enumerate(batch):
                ahead = len(inputs[row][0]) - inputs[row][2]
                for index in range(first, last):
                    start, end = words[number][index]
                    token = _first_token(places[row], start + ahead, end + ahead)
                    margin = min(index - first, last - 1 - index)
                    if token is not None and margin > margins[number][index]:
                        margins[number][index] = margin
                        kind = int(classes[row, token])
                        marked, begins, score = tags[number]
                        marked[index] = kind != self._outside
                        begins[index] = self._begins[kind]
                        score[index] = scores[row, token]
        return tags

    def _windows(self, prefix: str, text: str, words: Sequence[Offsets]) -> list[tuple[int, int]]:
        """Return (first, one past the last) word of each window."""
        if not words:
            return []
        encoded = self._tokenizer(prefix + text, return_offsets_mapping=True, verbose=False)
        offsets = np.array(encoded["offset_mapping"])
        if len(offsets) <= self._max_tokens:
            return [(0, len(words))]
        starts = np.array([start for start, _ in words]) + len(prefix)
        real = offsets[offsets[:, 1] > offsets[:, 0]]
        at = np.searchsorted(real[:, 1], starts, side="right")  # the token a word begins with
        at = np.append(at, len(real))
        room = self._max_tokens - int(at[0]) - (len(offsets) - len(real))
        if room < 1:
            msg = f"the prompt {prefix[:80]!r} fills the window of {self._max_tokens} sub-words"
            raise InputError(msg)
        windows = [(0, _fitting(at, 0, room))]
        while windows[-1][1] < len(words):
            first, last = windows[-1]
            first = max(last - (last - first) // _OVERLAP, first + 1)
            windows.append((first, _fitting(at, first, room)))
        return windows

    def _classify(self, inputs: Sequence[tuple[str, str, int]]) -> tuple[Any, Any, list[Any]]:
        """Return classes and their probabilities `[batch, tokens]`, and the tokens' offsets."""
        encoded = self._tokenizer(
            [prefix + text for prefix, text, _ in inputs],
            return_offsets_mapping=True,
            return_tensors="pt",
            padding=True,
            verbose=False,
        )
        places = encoded.pop("offset_mapping").tolist()
        with self._torch.inference_mode():
            logits = self._model(**encoded.to(self._device)).logits
            scores, classes = logits.float().softmax(-1).max(-1)
        return classes.cpu().numpy(), scores.cpu().numpy(), places


def _untagged(n_words: int) -> Tags:
    return np.zeros(n_words, dtype=bool), np.zeros(n_words, dtype=bool), np.zeros(n_words)


def _fitting(at: NDArray[np.int64], first: int, room: int) -> int:
    """Return the last word's successor of a window of so many tokens, one word at the least."""
    return max(int(np.searchsorted(at, at[first] + room, side="right")) - 1, first + 1)


def _first_token(places: Sequence[Sequence[int]], start: int, end: int) -> int | None:
    """Return the index of the first sub-word that overlaps a word, or None."""
    for index, (begins, ends) in enumerate(places):
        if begins < end and start < ends and ends > begins:
            return index
    return None


class Seq2Seq:
    """A sequence-to-sequence model that goes on greedily."""

    def __init__(
        self, name: str, *, device: str = "cpu", max_new_tokens: int = 128, batch_size: int = 8
    ) -> None:
        """Load a folder or hub name; errors as in `TokenTagger`.

        Args:
            name: of the checkpoint.
            device: as torch names it.
            max_new_tokens: of an answer.
            batch_size: prompts at once.
        """
        self._torch, self._tokenizer, self._model = _load("Seq2SeqLM", name, device)
        self._device, self._batch_size = device, batch_size
        self._max_new_tokens = max_new_tokens
        self.settings: Mapping[str, Any] = {"model": name, "max_new_tokens": max_new_tokens}

    def generate(self, prompts: Sequence[str]) -> list[str]:
        """Return what is written for each prompt; prompts are never cut."""
        outputs: list[str] = []
        for begin in range(0, len(prompts), self._batch_size):
            encoded = self._tokenizer(
                list(prompts[begin : begin + self._batch_size]),
                return_tensors="pt",
                padding=True,
                truncation=False,
                verbose=False,
            ).to(self._device)
            with self._torch.inference_mode():
                made = self._model.generate(
                    input_ids=encoded["input_ids"],
                    attention_mask=encoded["attention_mask"],
                    max_new_tokens=self._max_new_tokens,
                    do_sample=False,
                )
            outputs += self._tokenizer.batch_decode(made, skip_special_tokens=True)
        return outputs


class LocalChat:
    """A causal model with a chat template, asked one message at a time."""

    def __init__(
        self,
        name: str,
        *,
        device: str = "cpu",
        max_new_tokens: int = 512,
        temperature: float = 0.1,
        seed: int = 0,
    ) -> None:
        """Load a folder or hub name; errors as in `TokenTagger`.

        Args:
            name: of the checkpoint.
            device: as torch names it.
            max_new_tokens: of an answer.
            temperature: the paper's 0.1; 0 for greedy.
            seed: of the sampling, set anew for every message.

        Raises:
            UnsupportedError: it has no chat template.
        """
        self._torch, self._tokenizer, self._model = _load("CausalLM", name, device)
        if not self._tokenizer.chat_template:
            msg = f"{name}: has no chat template, so it is no chat model"
            raise UnsupportedError(msg)
        self._device, self._seed = device, seed
        self._sampling = {"do_sample": True, "temperature": temperature}
        if temperature == 0.0:
            self._sampling = {"do_sample": False}
        self._max_new_tokens = max_new_tokens
        self.settings: Mapping[str, Any] = {
            "model": name,
            "max_new_tokens": max_new_tokens,
            "temperature": temperature,
            "seed": seed,
        }

    def complete(self, message: str) -> str:
        """Return the model's message."""
        prompt = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": message}], add_generation_prompt=True, tokenize=False
        )
        encoded = self._tokenizer(
            prompt, return_tensors="pt", add_special_tokens=False, verbose=False
        ).to(self._device)
        self._torch.manual_seed(self._seed)
        with self._torch.inference_mode():
            made = self._model.generate(
                input_ids=encoded["input_ids"],
                attention_mask=encoded["attention_mask"],
                max_new_tokens=self._max_new_tokens,
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
                **self._sampling,
            )
        written = made[0, encoded["input_ids"].shape[1] :]
        return str(self._tokenizer.decode(written, skip_special_tokens=True))

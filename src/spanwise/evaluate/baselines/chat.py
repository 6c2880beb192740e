"""Chat language models: one instruction in, one message out, failures counted.

The model is behind a `Client`: `http.HttpClient` for any endpoint that speaks OpenAI's protocol,
`local.LocalChat` for weights on this machine. A request that fails for good is a reading with the
reason, not the end of the run; wrong credentials or a wrong address end it at once.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from spanwise.data.records import TASKS
from spanwise.errors import InputError
from spanwise.evaluate.baselines import prompts, written
from spanwise.evaluate.systems import Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanwise.evaluate.systems import Question


class RequestFailedError(Exception):
    """One request came to nothing; the message says why, in a few words that can be counted."""


class Client(Protocol):
    """Answers one message."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Model, address, temperature and limits, as plain JSON values; no keys."""

    def complete(self, message: str) -> str:
        """Return the model's message; RequestFailedError where there is none to be had."""


class ChatSystem:
    """A chat model as a system."""

    tasks: Collection[str] = TASKS

    def __init__(self, client: Client, *, name: str, n_parallel: int = 1) -> None:
        """Ask a client.

        Args:
            client: the model.
            name: as it should stand in tables.
            n_parallel: requests under way at once.

        Raises:
            InputError: n_parallel below 1.
        """
        if n_parallel < 1:
            msg = f"n_parallel is {n_parallel}: give at least 1"
            raise InputError(msg)
        self._client = client
        self._name = name
        self._n_parallel = n_parallel

    @property
    def name(self) -> str:
        """Short name, for tables."""
        return self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """Model, address, temperature and limits."""
        return {"kind": "chat", **self._client.settings}

    def read(self, questions: Sequence[Question], *, threshold: float) -> list[Reading]:
        """Return what was written for each question; a chat model has no scores to cut by."""
        del threshold
        if self._n_parallel == 1:
            return [self._one(question) for question in questions]
        with ThreadPoolExecutor(self._n_parallel) as pool:
            return list(pool.map(self._one, questions))

    def _one(self, question: Question) -> Reading:
        try:
            output = self._client.complete(prompts.chat(question))
        except RequestFailedError as error:
            return Reading(failure=str(error))
        return written.read(question, output)

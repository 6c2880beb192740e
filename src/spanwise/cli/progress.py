"""One line on stderr that says how far long work has come."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from spanwise.backend.base import Backend
    from spanwise.flow.encode import Batch

_WIDTH = 24
_EVERY_S = 0.1
_AFTER_S = 0.5


class Progress:
    """A bar of bytes read, with documents and words a second; silent where stderr is no terminal.

    It appears after half a second, so short work shows none.
    """

    def __init__(
        self,
        total: int,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            total: bytes of all inputs, 0 where unknown.
            quiet: show nothing.
            stream: where it is shown, None for stderr.
            clock: seconds from any beginning.
        """
        self._total = total
        self._stream = stream or sys.stderr
        self._clock = clock
        self._begin = self._last = clock()
        self._n_documents = self._n_words = self._done = 0
        self._shown = False
        self._wanted = not quiet and self._stream.isatty()

    def document(self, done: int) -> None:
        """One more document is finished; `done` bytes of the inputs end with it."""
        self._n_documents += 1
        self._done = max(self._done, done)
        self._show()

    def words(self, n_words: int) -> None:
        """So many more words have been scored."""
        self._n_words += n_words
        self._show()

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False

    def _show(self) -> None:
        now = self._clock()
        if not self._wanted or now - self._begin < _AFTER_S or now - self._last < _EVERY_S:
            return
        self._last = now
        speed = self._n_words / (now - self._begin)
        line = f"{self._n_documents:,} texts  {self._n_words:,} words  {speed:,.0f} words/s"
        if self._total and self._done:
            share = min(1.0, self._done / self._total)
            full = round(share * _WIDTH)
            line = f"[{'#' * full}{'.' * (_WIDTH - full)}] {share:4.0%}  {line}"
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()
        self._shown = True


class Metered:
    """A backend that reports the words it scores; see `backend.base.Backend`."""

    def __init__(self, backend: Backend, progress: Progress) -> None:
        """Stand before `backend`."""
        self._backend = backend
        self._progress = progress
        self.name = backend.name
        self.config = backend.config
        self.tokenizer = backend.tokenizer
        self.batch_tokens = backend.batch_tokens
        self.pads = backend.pads

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Return the backend's logits."""
        logits = self._backend.score(batch)
        self._progress.words(int(batch.n_words.sum()))
        return logits

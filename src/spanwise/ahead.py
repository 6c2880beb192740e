"""Things in shares, the next share being made while one is used."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


def in_shares(made: Iterator[T], size: int) -> Iterator[list[T]]:
    """Yield what is made `size` at a time, by a helper thread from the second share on.

    What raises while it is made raises where its share is asked for. Where there is less than one
    share, no thread is started.
    """
    share = list(islice(made, size))
    if len(share) < size:
        yield share
        return
    # one short text never needs it, and it takes a while to import
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1, thread_name_prefix="spanwise-ahead") as helper:
        while share:
            coming = helper.submit(lambda: list(islice(made, size)))
            yield share
            share = coming.result()

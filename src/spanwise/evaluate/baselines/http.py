"""A chat model behind any endpoint that speaks OpenAI's protocol, by the standard library."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanwise.errors import InputError
from spanwise.evaluate.baselines.chat import RequestFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_HOPELESS = frozenset({401, 403, 404, 405})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpClient:
    """One model at one address.

    Attributes:
        url: up to and with the version, as in `http://127.0.0.1:8000/v1`.
        model: the name that the endpoint knows it by.
        key: sent as a bearer token where given; never recorded.
        temperature: the paper's 0.1.
        max_tokens: of the answer.
        seed: sent along, for endpoints that heed it.
        timeout_s: for one request.
        n_tries: before a request counts as failed; the wait doubles from `wait_s`.
        sleep: how to wait.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    temperature: float = 0.1
    max_tokens: int = 512
    seed: int = 0
    timeout_s: float = 120.0
    n_tries: int = 4
    wait_s: float = 1.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raise InputError for an address that is not HTTP, or no tries."""
        if not self.url.startswith(("http://", "https://")):
            msg = f"url {self.url!r} is not HTTP: give one like 'http://127.0.0.1:8000/v1'"
            raise InputError(msg)
        if self.n_tries < 1:
            msg = f"n_tries is {self.n_tries}: give at least 1"
            raise InputError(msg)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Everything but the key."""
        return {
            "url": self.url,
            "model": self.model,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }

    def complete(self, message: str) -> str:
        """Return the model's message.

        Raises:
            RequestFailedError: no usable reply after all tries.
            InputError: the endpoint refuses the key or does not know the address.
        """
        reason = ""
        for attempt in range(self.n_tries):
            if attempt:
                self.sleep(self.wait_s * 2 ** (attempt - 1))
            try:
                return _content(self._post(message))
            except urllib.error.HTTPError as error:
                with error:
                    reason = f"HTTP {error.code}"
                if error.code in _HOPELESS:
                    msg = f"{self.url} answers {reason}: check the address, the model and the key"
                    raise InputError(msg) from error
                if error.code not in _TRY_AGAIN:
                    break
            except (OSError, ValueError) as error:
                reason = f"request failed ({type(error).__name__})"
        raise RequestFailedError(reason)

    def _post(self, message: str) -> Any:  # noqa: ANN401  (a reply's JSON)
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": message}],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(  # noqa: S310  (HTTP, as checked at the beginning)
            f"{self.url.rstrip('/')}/chat/completions",
            data=json.dumps(body).encode(),
            headers=headers,
        )
        with urllib.request.urlopen(request, timeout=self.timeout_s) as reply:  # noqa: S310
            return json.load(reply)


def _content(reply: Any) -> str:  # noqa: ANN401  (a reply's JSON)
    try:
        content = reply["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        reason = "a reply without a message"
        raise RequestFailedError(reason) from error
    if not isinstance(content, str):
        reason = "a reply without text"
        raise RequestFailedError(reason)
    return content

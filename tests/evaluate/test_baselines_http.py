"""A chat model behind a real server on loopback: asked, asked again, counted, refused."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from spanwise.errors import InputError
from spanwise.evaluate import runner
from spanwise.evaluate.baselines.chat import ChatSystem
from spanwise.evaluate.baselines.http import HttpClient
from spanwise.evaluate.options import Options
from spanwise.evaluate.systems import Question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QA = Question(text="Rollo came.", labels=("answer",), instruction="Who came?", task="answers")


class Server(ThreadingHTTPServer):
    """Answers by script: (status, body) in turn, the last for ever; keeps what it was sent."""

    script: list[tuple[int, Any]]
    seen: list[tuple[dict[str, Any], str | None]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((body, self.headers.get("Authorization")))
        script = self.server.script
        status, reply = script.pop(0) if len(script) > 1 else script[0]
        if self.path != "/v1/chat/completions":
            status, reply = 404, {}
        data = json.dumps(reply(body) if callable(reply) else reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def say(content: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content}}]}


@pytest.fixture
def server() -> Iterator[Server]:
    httpd = Server(("127.0.0.1", 0), Handler)
    httpd.script, httpd.seen = [(200, say("Rollo"))], []
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def client(server: Server, **options: Any) -> HttpClient:
    waits: list[float] = options.pop("waits", [])
    settings = {"url": server.url, "model": "m", "sleep": waits.append, **options}
    return HttpClient(**settings)


def test_a_request_holds_model_prompt_and_temperature(server: Server) -> None:
    system = ChatSystem(client(server, key="secret"), name="chat")
    (reading,) = system.read([QA], threshold=0.5)
    assert reading.written == "Rollo"
    ((body, authorization),) = server.seen
    assert body["model"] == "m"
    assert body["temperature"] == 0.1
    assert "Question: Who came?" in body["messages"][0]["content"]
    assert authorization == "Bearer secret"
    assert "secret" not in repr(system.settings) + repr(client(server, key="secret"))


def test_a_busy_server_is_asked_again_with_longer_waits(server: Server) -> None:
    server.script = [(503, {}), (429, {}), (200, say("Rollo"))]
    waits: list[float] = []
    (reading,) = ChatSystem(client(server, waits=waits), name="c").read([QA], threshold=0.5)
    assert reading.written == "Rollo"
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("status", "reply", "failure", "n_asked"),
    [
        (500, {}, "HTTP 500", 4),
        (400, {}, "HTTP 400", 1),
        (200, {"choices": []}, "a reply without a message", 1),
        (200, say(None), "a reply without text", 1),
        (200, say(""), "wrote nothing", 1),
    ],
)
def test_a_request_that_fails_for_good_is_a_counted_reading(
    server: Server, status: int, reply: Any, failure: str, n_asked: int
) -> None:
    server.script = [(status, reply)]
    (reading,) = ChatSystem(client(server), name="c").read([QA], threshold=0.5)
    assert reading.failure == failure
    assert len(server.seen) == n_asked


@pytest.mark.parametrize("status", [401, 404])
def test_a_wrong_key_or_address_ends_the_run(server: Server, status: int) -> None:
    server.script = [(status, {})]
    with pytest.raises(InputError, match=f"HTTP {status}: check the address"):
        ChatSystem(client(server), name="c").read([QA], threshold=0.5)


def test_a_server_that_is_not_there_is_a_counted_reading(server: Server) -> None:
    gone = HttpClient(url="http://127.0.0.1:9/v1", model="m", n_tries=2, sleep=lambda _: None)
    (reading,) = ChatSystem(gone, name="c").read([QA], threshold=0.5)
    assert reading.failure.startswith("request failed")


def test_parallel_requests_keep_their_order(server: Server) -> None:
    asked = [
        Question(text=f"word{n}", labels=("a",), instruction="?", task="answers") for n in range(20)
    ]
    server.script = [
        (200, lambda body: say(body["messages"][0]["content"].split("Context: ")[1].split()[0]))
    ]
    readings = ChatSystem(client(server), name="c", n_parallel=4).read(asked, threshold=0.5)
    assert [reading.written for reading in readings] == [f"word{n}" for n in range(20)]


def test_a_suite_runs_against_an_endpoint_with_its_failures_counted(
    server: Server, folder: Path
) -> None:
    def reply(body: dict[str, Any]) -> dict[str, Any]:
        prompt = body["messages"][0]["content"]
        if "JSON list" in prompt and "Alan Turing" in prompt:
            return say('[{"text": "Alan Turing", "label": "researcher"}]')
        return say("France" if "Where did" in prompt else "no answer")

    server.script = [(200, reply)]
    system = ChatSystem(client(server), name="c")
    report = runner.evaluate(
        system, "crossner-ai,squad,fewrel", folder, options=Options(n_resamples=10)
    )
    assert report["crossner-ai"].scores["precision"] == 1.0
    assert report["crossner-ai"].scores["recall"] == pytest.approx(1 / 5)
    assert report["crossner-ai"].failures == {"no JSON list": 1}
    assert report["squad"].scores["exact"] == pytest.approx(2 / 3)
    assert report["fewrel"].scores["silent"] == 1.0


@pytest.mark.parametrize("wrong", [{"url": "file:///etc"}, {"url": "http://x", "n_tries": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=list(wrong)[-1]):
        HttpClient(model="m", **wrong)

"""A server's batch API: calls as a file of lines, and what came of them as others, within a day.

OpenAI, Azure, Groq and DeepInfra have it alike: POST /files, POST /batches, GET /batches/…, GET
/files/…/content.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from selfincorrect.engines.openai.calls import Body
from selfincorrect.engines.openai.replies import whole_number
from selfincorrect.engines.openai.server import Server, StoppedError, backoff
from selfincorrect.engines.openai.troubles import Trouble, message_of
from selfincorrect.errors import UserError

WINDOW = "24h"
LABEL = "selfincorrect"  # the name of a batch's label in its metadata
PATIENCE = 60  # times that asking for a batch may fail in a row: an hour
# "failed" is a file that was not taken; of the others, what came is kept.
ENDED = ("completed", "failed", "expired", "cancelled")
_ID = re.compile(r"[\w.:-]{1,200}")
_QUEUE = re.compile(r"enqueued|token_limit_exceeded|queue (?:is )?full|queue limit", re.IGNORECASE)

Stop = Callable[[], bool]


@dataclass(frozen=True)
class State:
    """A batch as its server tells it.

    `status` is one of ENDED or says that it goes on; `done` of `total` calls have an answer, which are in
    `files`; `problem` is what the server says of what it did not take.
    """

    status: str
    done: int
    total: int
    files: tuple[str, ...]
    problem: str

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def queue_full(self) -> bool:
        """Whether the account may have no more waiting now, which passes."""
        return self.status == "failed" and bool(_QUEUE.search(self.problem))


class Batches:
    """The batches of one server.

    All raise UserError where the server has no such thing or goes on to fail, and StoppedError once `stop`
    says so.
    """

    def __init__(self, server: Server) -> None:
        self.server, self.client = server, server.client

    def send(self, label: str, lines: bytes, stop: Stop) -> str:
        """The id of a new batch of calls.

        A call that may have been taken although no reply came is not repeated: `label` tells.
        """
        name = f"{label}.jsonl"
        sent = self._tried(lambda: self.client.upload("files", name, lines, {"purpose": "batch"}), stop)
        asked = {
            "input_file_id": _id(sent) or self._strange("files", sent),
            "endpoint": f"/v1/{self.server.endpoint}",
            "completion_window": WINDOW,
            "metadata": {LABEL: label},
        }
        made = self._tried(
            lambda: self.client.post("batches", asked), stop, instead=lambda: self.find(label, stop)
        )
        return made if isinstance(made, str) else _id(made) or self._strange("batches", made)

    def find(self, label: str, stop: Stop) -> str | None:
        """The id of the batch that was sent with a label; None where none of the newest hundred has it."""
        listed = self._tried(lambda: self.client.get("batches?limit=100"), stop)
        batches = listed.get("data")
        for batch in batches if isinstance(batches, list) else []:
            told = batch.get("metadata") if isinstance(batch, dict) else None
            if isinstance(told, dict) and told.get(LABEL) == label:
                return _id(batch)
        return None

    def state(self, batch: str, stop: Stop) -> State | None:
        """How far a batch is; None where the server no longer knows it."""
        told = self._tried(lambda: self.client.get(f"batches/{batch}"), stop, tries=PATIENCE, gone=True)
        if told is None:
            return None
        counts = told.get("request_counts")
        counts = counts if isinstance(counts, dict) else {}
        named = [told.get(f"{kind}_file_id") for kind in ("output", "error")]

        def count(*names: str) -> int:
            return sum(counts[name] for name in names if type(counts.get(name)) is int)

        return State(
            str(told.get("status")),
            count("completed", "failed"),
            count("total"),
            tuple(each for each in named if isinstance(each, str) and _ID.fullmatch(each)),
            self.client.shown(_problem(told.get("errors"))),
        )

    def results(self, state: State, stop: Stop) -> Iterator[tuple[str, Body | Trouble]]:
        """What came of each call of a batch that has ended, with the call's own id, in any order.

        Lines that say of no call what came of it are left out.
        """
        for file in state.files:
            data = self._got(lambda file=file: self.client.get(f"files/{file}/content"), stop)  # type: ignore[misc]
            for line in data.split(b"\n") if data else []:
                if result := self._result(line):
                    yield result

    def _result(self, line: bytes) -> tuple[str, Body | Trouble] | None:
        try:
            told = json.loads(line.decode("utf-8", "replace"), strict=False, parse_int=whole_number)
        except (ValueError, RecursionError):
            return None
        name = told.get("custom_id") if isinstance(told, dict) else None
        if not isinstance(name, str):
            return None
        response, error = told.get("response"), told.get("error")
        if isinstance(response, dict) and response.get("status_code") == 200:
            return name, Body(json.dumps(response.get("body")).encode())
        if isinstance(response, dict) and type(response.get("status_code")) is int:
            return name, self.client.refusal(response["status_code"], response.get("body"))
        return name, self.client.refusal(None, error)

    def _tried(self, call: Callable[[], Body | Trouble], stop: Stop, **more: Any) -> Any:
        """The object in the reply to a call, or what `_got` has in its place."""
        data = self._got(call, stop, **more)
        if not isinstance(data, bytes):
            return data
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else self._strange("batches", data.decode("utf-8", "replace"))

    def _got(
        self,
        call: Callable[[], Body | Trouble],
        stop: Stop,
        tries: int | None = None,
        instead: Callable[[], Any] = lambda: None,
        gone: bool = False,
    ) -> Any:
        """The bytes of the reply to a call, or what `instead` finds before it is repeated.

        None where what it asks for may be `gone`, and is.
        """
        failures = 0
        while True:
            found = call()
            if isinstance(found, Body):
                return found.data
            if gone and found.status == 404:
                return None
            if not found.passing or failures == (self.server.retries if tries is None else tries):
                raise UserError(self._explained(found, failures))
            wait_unless(stop, backoff(found, failures))
            failures += 1
            if (other := instead()) is not None:
                return other

    def _strange(self, path: str, told: Any) -> str:
        raise UserError(self._explained(Trouble(None, f"{self.client.shown(str(told))} at {path}"), 0))

    def _explained(self, trouble: Trouble, failures: int) -> str:
        if trouble.status in (401, 403) or (trouble.passing and trouble.status is not None):
            return self.server.explained(trouble, failures)
        return (
            f"{self.server.name}: the server at {self.server.url} answers {trouble.told} where its batch API "
            "should be.\nTake `batch: true` out of the model's `server` if it has none like OpenAI's."
        )


def wait_unless(stop: Stop, seconds: float) -> None:
    """Wait. Raises StoppedError once `stop` says so."""
    end = time.monotonic() + seconds
    while not stop():
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 0.5))
    raise StoppedError


def _id(told: Any) -> str | None:
    """The id in what a server tells of a file or a batch; None where it could be no part of an address."""
    named = told.get("id") if isinstance(told, dict) else None
    return named if isinstance(named, str) and _ID.fullmatch(named) else None


def _problem(errors: Any) -> str:
    """The words in a batch's errors, each once."""
    listed = errors.get("data") if isinstance(errors, dict) else errors
    listed = listed if isinstance(listed, list) else [listed] if listed else []
    coded = [(each.get("code") if isinstance(each, dict) else None, message_of(each)) for each in listed]
    words = dict.fromkeys(f"{code}: {said}" if isinstance(code, str) else said for code, said in coded)
    return "; ".join(words)

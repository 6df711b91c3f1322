"""A server's batch API: calls as a file of lines, and what came of them as others, within a day.

OpenAI, Azure, Groq and DeepInfra have it alike: POST /files, POST /batches, GET /batches/…, GET
/files/…/content.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from selfincorrect.engines.openai.calls import Body
from selfincorrect.engines.openai.replies import whole_number
from selfincorrect.engines.openai.server import LONGEST_ASKED, Server, StoppedError, backoff
from selfincorrect.engines.openai.troubles import Trouble, message_of
from selfincorrect.errors import UserError

log = logging.getLogger("selfincorrect")

WINDOW = "24h"
LABEL = "selfincorrect"  # the name of a batch's label in its metadata
PATIENCE = 60  # times that asking for a batch may fail in a row: an hour
PAGES = 100  # of batches that an account has, a hundred each
# "failed" is a file that was not taken; of the others, what came is kept.
ENDED = ("completed", "failed", "expired", "cancelled")
GOES_ON = ("validating", "in_progress", "finalizing", "cancelling")
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
            "input_file_id": self._id(sent) or self._strange("files", sent),
            "endpoint": f"/v1/{self.server.endpoint}",
            "completion_window": WINDOW,
            "metadata": {LABEL: label},
        }
        made = self._tried(
            lambda: self.client.post("batches", asked), stop, instead=lambda: self.find(label, stop)
        )
        return made if isinstance(made, str) else self._id(made) or self._strange("batches", made)

    def find(self, label: str, stop: Stop) -> str | None:
        """The id of the batch that was sent with a label; None where none of the account's has it."""
        path = "batches?limit=100"
        for _ in range(PAGES):
            listed = self._tried(partial(self.client.get, path), stop)
            batches = [each for each in _list(listed.get("data")) if isinstance(each, dict)]
            for batch in batches:
                told = batch.get("metadata")
                if isinstance(told, dict) and told.get(LABEL) == label:
                    return self._id(batch)
            last = self._id(batches[-1]) if batches else None
            if not last or listed.get("has_more") is not True:
                break
            path = f"batches?limit=100&after={last}"
        return None

    def state(self, batch: str, stop: Stop) -> State | None:
        """How far a batch is; None where the server does not know it."""
        told = self._tried(lambda: self.client.get(f"batches/{batch}"), stop, tries=PATIENCE, gone=True)
        if told is None:
            return None
        counts = told.get("request_counts")
        counts = counts if isinstance(counts, dict) else {}
        named = [told.get(f"{kind}_file_id") for kind in ("output", "error")]
        status = str(told.get("status")).lower()
        if status not in (*ENDED, *GOES_ON):
            self._strange(f"batches/{batch}", f"the status {status!r}")

        def count(*names: str) -> int:
            return sum(counts[name] for name in names if type(counts.get(name)) is int)

        return State(
            status,
            count("completed", "failed"),
            count("total"),
            tuple(self._id({"id": each}) or self._strange("batches", each) for each in named if each),
            self.client.shown(_problem(told.get("errors"))),
        )

    def results(self, state: State, stop: Stop) -> dict[str, Body | Trouble] | None:
        """What came of the calls of a batch that has ended, by their own ids; None where its files are gone.

        Lines that say of no call what came of it are left out.
        """
        found: dict[str, Body | Trouble] = {}
        for file in state.files:
            path = f"files/{file}/content"
            data = self._got(partial(self.client.download, path), stop, gone=True)
            if data is None:
                return None
            found |= dict(filter(None, map(self._result, data.split(b"\n"))))
        return found

    def _result(self, line: bytes) -> tuple[str, Body | Trouble] | None:
        try:
            told = json.loads(line.decode("utf-8", "replace"), strict=False, parse_int=whole_number)
            response = told.get("response") if isinstance(told, dict) else None
            response = response if isinstance(response, dict) else {}
            body = json.dumps(response.get("body")).encode()
        except (ValueError, RecursionError):
            return None
        name = told.get("custom_id") if isinstance(told, dict) else None
        if not isinstance(name, str):
            return None
        status = str(response.get("status_code"))
        if status == "200":
            return name, Body(body)
        if re.fullmatch(r"[3-5]\d\d", status):
            return name, self.client.refusal(int(status), response.get("body"))
        return name, self.client.refusal(None, told.get("error"))

    def _tried(self, call: Callable[[], Body | Trouble], stop: Stop, **more: Any) -> Any:
        """The object in the reply to a call, or what `_got` has in its place."""
        data = self._got(call, stop, **more)
        if not isinstance(data, bytes):
            return data
        try:
            found = json.loads(data, parse_int=whole_number)
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
            wait = backoff(found, failures)
            if wait > LONGEST_ASKED:
                raise UserError(self._explained(found, failures))
            failures += 1
            log.info("%s: %s; asked again in %.1f s (%d)", self.server.name, found.told, wait, failures)
            wait_unless(stop, wait)
            if (other := instead()) is not None:
                return other

    def _id(self, told: Any) -> str | None:
        """The id in what a server tells of a file or a batch; None where no address can hold it."""
        named = told.get("id") if isinstance(told, dict) else None
        fine = isinstance(named, str) and _ID.fullmatch(named) and not self.client.holds_key(named)
        return named if fine else None

    def _strange(self, path: str, told: Any) -> str:
        raise UserError(self._no_api(f"{self.client.shown(str(told))} at {path}"))

    def _explained(self, trouble: Trouble, failures: int) -> str:
        if trouble.passing or trouble.spent or trouble.status in (401, 403):
            return self.server.explained(trouble, failures)
        return self._no_api(trouble.told)

    def _no_api(self, told: str) -> str:
        return (
            f"{self.server.name}: the server at {self.server.url} answers {told} where its batch API "
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


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _problem(errors: Any) -> str:
    """The words in a batch's errors, each once."""
    listed = _list(errors.get("data") if isinstance(errors, dict) else errors)
    coded = [(each.get("code") if isinstance(each, dict) else None, message_of(each)) for each in listed]
    words = dict.fromkeys(f"{code}: {said}" if isinstance(code, str) else said for code, said in coded)
    return "; ".join(words)

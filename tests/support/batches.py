"""A server of this machine that has OpenAI's batch API: files of calls, and of what came of them."""

import email
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.support.hosted import asked, engine
from tests.support.servers import Fault, FaultyServer, Handler

Line = dict[str, Any]


class BatchServer(FaultyServer):
    """`batches` are those that were taken, `lines` the calls of each.

    A batch has ended once it was looked at `looks` times, as `ends` says of its number ("completed" where it
    says nothing). `line` may put something in the place of a call's result; `at` has faults by method and
    first part of a path ("POST batches"), each of which happens once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.batches: list[dict[str, Any]] = []
        self.lines: list[list[Line]] = []
        self.looks = 1
        self.ends: dict[int, str] = {}
        self.problem: dict[str, str] = {}
        self.queue: int | None = None  # calls that may wait at a time
        self.line: Callable[[Line], dict[str, Any] | None] = lambda line: None
        self.at: dict[str, list[Fault]] = defaultdict(list)

    def handler(self) -> type[Handler]:
        return _Handler

    def keep(self, data: bytes) -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = data
        return {"id": name, "object": "file", "bytes": len(data), "purpose": "batch"}

    def take(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = len(self.batches)
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert asked["completion_window"] == "24h"
        assert len({line["custom_id"] for line in lines}) == len(lines)
        assert {line["url"] for line in lines} == {asked["endpoint"]}
        batch = {
            "id": f"batch_{number}",
            "object": "batch",
            "status": "validating",
            "errors": None,
            "looks": 0,
        }
        waiting = sum(
            len(lines) for lines, each in zip(self.lines, self.batches, strict=True) if not _over(each)
        )
        if self.queue is not None and waiting + len(lines) > self.queue:
            said = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached for model-1."}
            batch |= {"status": "failed", "errors": {"data": [said]}}
        self.batches.append({**batch, "metadata": asked["metadata"]})
        self.lines.append(lines)
        return batch

    def look(self, number: int) -> dict[str, Any]:
        """A batch as it is told, one look further on."""
        batch, lines = self.batches[number], self.lines[number]
        batch["looks"] += 1
        if not _over(batch):
            batch["status"] = "in_progress"
            if batch["looks"] > self.looks:
                batch["status"] = self.ends.get(number, "completed")
                if batch["status"] == "failed":
                    batch["errors"] = {"data": [self.problem]}
                else:
                    batch |= self._results(lines, batch["status"] == "completed")
        done = len(lines) if batch["status"] == "completed" else 0
        return {**batch, "request_counts": {"total": len(lines), "completed": done, "failed": 0}}

    def _results(self, lines: list[Line], all_of_them: bool) -> dict[str, Any]:
        """Files of what came; of a batch that ended early, of every other call, and the rest has expired."""
        good, bad = [], []
        for place, line in enumerate(reversed(lines)):  # in no order that a reader may count on
            told: dict[str, Any] = {"id": f"batch_req_{place}", "custom_id": line["custom_id"], "error": None}
            instead = self.line(line)
            if not all_of_them and place % 2:
                expired = {"code": "batch_expired", "message": "This request could not be executed in time."}
                bad.append({**told, "response": None, "error": expired})
            elif instead is not None:
                (good if instead.get("status_code") == 200 else bad).append({**told, "response": instead})
            else:
                good.append({**told, "response": {"status_code": 200, "body": self.whole(line["body"])}})
        names = {}
        for kind, found in (("output", good), ("error", bad)):
            data = b"".join(json.dumps(each).encode() + b"\n" for each in found)
            names[f"{kind}_file_id"] = self.keep(data)["id"] if found else None
        return names


def _over(batch: dict[str, Any]) -> bool:
    return batch["status"] in ("completed", "failed", "expired", "cancelled")


def lost(handler: Handler, body: dict[str, Any]) -> bool:
    """Take a batch, and close the connection before anything is said of it."""
    assert isinstance(handler.server, BatchServer)
    handler.server.take(body)
    handler.close_connection = True
    return True


class _Handler(Handler):
    server: BatchServer

    def _failing(self, body: dict[str, Any]) -> bool:
        faults = self.server.at[f"{self.command} {self._path()[0]}"]
        return bool(faults) and faults.pop(0)(self, body)

    def _path(self) -> list[str]:
        return self.path.partition("?")[0].removeprefix("/v1/").split("/")

    def get(self) -> None:
        path = self._path()
        if self._failing({}):
            return
        with self.server.lock:
            self.server.keys.append(self.headers.get("authorization"))
        if path == ["batches"]:
            self.reply(200, {"data": self.server.batches[::-1]})
        elif path[0] == "batches":
            number = next((i for i, each in enumerate(self.server.batches) if each["id"] == path[1]), None)
            if number is None:
                self.reply(404, {"error": {"message": "No such batch"}})
            else:
                self.reply(200, self.server.look(number))
        elif path[0] == "files":
            self.reply_bytes(200, self.server.files[path[1]])
        else:
            super().get()

    def post(self) -> None:
        path = self._path()
        if path not in (["files"], ["batches"]):
            super().post()
            return
        data = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(data) if path == ["batches"] else {}
        if self._failing(asked):
            return
        if path == ["batches"]:
            self.reply(200, self.server.take(asked))
            return
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + data).get_payload()
        named = {part.get_param("name", header="content-disposition"): part for part in parts}  # type: ignore[union-attr]
        assert named["purpose"].get_payload(decode=True) == b"batch"
        self.reply(200, self.server.keep(named["file"].get_payload(decode=True)))


def waits(folder):
    return sorted(folder.glob("*"))


def in_batches(server, folder, prompt="completion", **settings):
    return engine(server, prompt, batch=True, pending=folder, **settings)


def leave_waiting(server, folder, **asking):
    """Let a job end while its batch waits; at the next look the batch has ended."""
    server.looks, looks = 10**6, iter(range(20))
    assert list(in_batches(server, folder).answer(asked(**asking), lambda: next(looks) > 6)) == []
    server.looks = 1


def sent(server):
    """Every id of a call that was sent, as often as it was."""
    return [line["custom_id"] for lines in server.lines for line in lines]

"""Calls by batches: sent, waited for, found again by the next job, and what came of each.

What a batch costs is paid once, whatever ends the job that sent it.
"""

import json
import logging
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from selfincorrect.digest import digest
from selfincorrect.engines.openai.batches import Batches, State, Stop, wait_unless
from selfincorrect.engines.openai.calls import Body
from selfincorrect.engines.openai.ledger import Batch, Ledger
from selfincorrect.engines.openai.replies import Reply
from selfincorrect.engines.openai.server import Call, Server, StoppedError
from selfincorrect.engines.openai.troubles import Missing, Trouble
from selfincorrect.errors import UserError

log = logging.getLogger("selfincorrect")

POLL = 20.0  # seconds between two looks at batches
LONGEST_POLL = 600.0  # while other jobs have filled the account's queue
REFUSALS = 150  # for which it may be full: a day
# What a batch may hold, and its answers are read at once. Services take 50,000 lines, and 100 or 200 MB.
LINES, SENT, CAME = 50_000, 90 * 10**6, 100 * 10**6
TOKEN, LOGPROB = 8, 120  # bytes of a token in a reply, and of a log-probability beside it

UNKNOWN = 5  # looks in a row at which the server does not know a batch
Lines = dict[str, Call]  # calls by their ids
Results = dict[str, Body | Trouble]
Outcome = tuple[int, Reply | Missing]


class Pending:
    """The batches of one model at one server; `folder` is that of their ledger."""

    def __init__(self, server: Server, folder: Path | None) -> None:
        assert folder is not None
        self.server = server
        self.ledger = Ledger(folder, server.url.rstrip("/"), server.model)
        self.batches = Batches(server)
        self._told: dict[str, str] = {}  # what the log has of each batch
        self._unknown: Counter[str] = Counter()  # looks in a row at which the server did not know a batch

    def waiting(self) -> list[Batch]:
        """The batches of the ledger; what their jobs found the server not to take is not sent from now on."""
        batches = self.ledger.batches()
        for batch in batches:
            self.server.without.update(batch.without)
        return batches

    def name(self, call: Call) -> str:
        """A call's own id, which does not depend on what the server turned out not to take."""
        asked = [call.prompt.rendered(self.server.mode), asdict(call.how), call.seed, call.n, call.options]
        return digest([self.server.model, self.server.mode, self.server.more, asked])[:32]

    def outcomes(self, calls: Sequence[Call], stop: Stop) -> Iterator[list[Outcome]]:
        """Yield, batch by batch, what came of calls, each by its place in `calls`.

        Batches of earlier jobs that hold some of them are waited for. Once `stop` says so, nothing more is
        yielded: the batches go on at the server. Raises UserError where no batch will bring any; what came is
        yielded first.
        """
        try:
            yield from self._outcomes(calls, stop)
        except StoppedError:
            return

    def _outcomes(self, calls: Sequence[Call], stop: Stop) -> Iterator[list[Outcome]]:
        places: dict[str, list[int]] = defaultdict(list)
        for place, call in enumerate(calls):
            places[self.name(call)].append(place)
        left = {name: calls[found[0]] for name, found in places.items()}
        running = self._found_again(left, stop)
        earlier = {batch.label for batch in running}
        held = {name for batch in running for name in batch.calls}
        queue = deque(self._parts({name: call for name, call in left.items() if name not in held}))
        failures: Counter[str] = Counter()
        refusals = 0  # in a row, since the account may have no more waiting
        while queue or running:
            while queue and not (refusals and running):
                running.append(self._sent(queue.popleft(), stop))
            for batch in list(running):
                lines = {name: left[name] for name in batch.calls if name in left}
                if not lines:  # another batch had them too
                    running.remove(batch)
                    self.ledger.forget(batch)
                    continue
                state, results = self._looked_at(batch, stop)
                if state is None:
                    if self._is_lost(batch, batch.label in earlier):
                        running.remove(batch)
                        queue.extend(self._parts(lines))
                    continue
                if not state.ended:
                    continue
                running.remove(batch)
                if state.status == "failed":
                    self.ledger.forget(batch)
                    refusals += 1
                    if not state.queue_full or refusals > REFUSALS:
                        raise UserError(self._refused(state))
                    queue.extend([lines] if running else _halves(lines))
                    continue
                refusals = 0
                came, error = self._came(batch, state, lines, results, failures)
                again = {name: left[name] for name, outcome in came.items() if outcome is None}
                found = {name: outcome for name, outcome in came.items() if outcome is not None}
                left = {name: call for name, call in left.items() if name not in found}
                if found:
                    yield [(place, each) for name, each in found.items() for place in places[name]]
                self.ledger.forget(batch)  # only now: what was yielded is stored
                if error:
                    raise error
                queue.extend(self._parts(again))
            if running or refusals:
                wait_unless(stop, POLL if running else min(POLL * 2**refusals, LONGEST_POLL))

    def _looked_at(self, batch: Batch, stop: Stop) -> tuple[State | None, Results]:
        """How far a batch is, with what came once it has ended; None where the server does not know it, or no
        longer has what came.
        """
        state = self.batches.state(batch.id or "", stop)
        results: Results | None = {}
        if state is not None and state.ended and state.status != "failed":
            results = self.batches.results(state, stop)
        if state is None or results is None:
            return None, {}
        self._unknown.pop(batch.label, None)
        self._tell(batch, state)
        return state, results

    def _is_lost(self, batch: Batch, earlier: bool) -> bool:
        """Whether a batch that the server did not know this time is given up: one of an earlier job.

        Raises UserError for one that the server took from this job, for which it would be paid again.
        """
        self._unknown[batch.label] += 1
        if self._unknown[batch.label] < UNKNOWN:
            return False
        told = f"{self.server.name}: the server at {self.server.url} does not know the batch {batch.id}"
        if not earlier:
            raise UserError(
                f"{told}, which it took.\nLook for it there. If it is lost, delete "
                f"{self.ledger.path(batch)} and run again: its calls are then sent, and paid, again."
            )
        log.warning("%s of an earlier job, or what came of it: its calls are sent again", told)
        self.ledger.forget(batch)
        return True

    def _came(
        self, batch: Batch, state: State, lines: Lines, results: Results, failures: Counter[str]
    ) -> tuple[dict[str, Reply | Missing | None], UserError | None]:
        """What came of each call of a batch, None where it is to be made again, and what ends the asking.

        Raises UserError where a batch is completed and nothing of it can be read.
        """
        if state.status == "completed" and lines and not any(name in results for name in lines):
            raise UserError(
                f"{self.server.name}: nothing can be read of what came of the batch {batch.id}, which is "
                "completed. Look at its files at the server.\n"
                f"To send its calls again, and pay for them, delete {self.ledger.path(batch)}."
            )
        lost = Trouble(None, f"nothing for this call: the batch has {state.status}")
        found: dict[str, Reply | Missing | None] = {}
        error: UserError | None = None
        for name, call in lines.items():
            result = results.get(name, lost)
            if error and isinstance(result, Trouble):
                continue  # what ends the asking is known, and each further look at it may ask the server
            try:
                found[name] = self._outcome(name, call, batch.without, result, failures)
            except UserError as told:
                error = told
        self.server.count(sum(name in results for name in lines))
        if state.status == "cancelled":
            error = UserError(f"{self.server.name}: the batch {batch.id} was cancelled at the server.")
        return found, error

    def _outcome(
        self, name: str, call: Call, without: Sequence[str], result: Body | Trouble, failures: Counter[str]
    ) -> Reply | Missing | None:
        """What a call has come to, None if it is to be made again.

        Raises UserError if no call will bring any.
        """
        body = self.server.body(call, without)
        outcome = self.server.read(result.data, body, call.how) if isinstance(result, Body) else result
        if isinstance(outcome, Reply):
            return outcome
        then = self.server.verdict(outcome, body, failures[name])
        if isinstance(then, Missing):
            return then
        failures[name] += then.failed
        return None

    def _found_again(self, wanted: Mapping[str, Call], stop: Stop) -> list[Batch]:
        """The batches of earlier jobs that hold calls that are `wanted`."""
        found = list[Batch]()
        for batch in self.waiting():
            mine = sum(name in wanted for name in batch.calls)
            if not mine:
                continue
            if batch.id is None:  # its job ended while it was sent
                known = self.batches.find(batch.label, stop)
                if known is None:
                    self.ledger.forget(batch)
                    continue
                batch = self.ledger.keep(replace(batch, id=known))
            found.append(batch)
            again = "%s: the batch %s of an earlier job has %d of these calls: nothing of it is sent again"
            log.info(again, self.server.name, batch.id, mine)
        return found

    def _sent(self, lines: Lines, stop: Stop) -> Batch:
        """A new batch of calls, which is on disk before it is at the server."""
        without, sizes = tuple(sorted(self.server.without)), {call.n for call in lines.values()}
        label = uuid.uuid4().hex
        batch = Batch(label, self.ledger.url, self.ledger.model, tuple(lines), tuple(sorted(sizes)), without)
        self.ledger.keep(batch)
        data = b"".join(self._line(name, call) for name, call in lines.items())
        batch = self.ledger.keep(replace(batch, id=self.batches.send(label, data, stop)))
        log.info("%s: %d calls wait in the batch %s", self.server.name, len(lines), batch.id)
        return batch

    def _line(self, name: str, call: Call) -> bytes:
        url = f"/v1/{self.server.endpoint}"
        told = {"custom_id": name, "method": "POST", "url": url, "body": self.server.body(call)}
        return json.dumps(told).encode() + b"\n"

    def _parts(self, lines: Mapping[str, Call]) -> list[Lines]:
        """Calls in parts that a batch may hold."""
        parts = list[Lines]()
        room = (0.0, 0.0, 0.0)
        for name, call in lines.items():
            takes = (1.0, float(len(self._line(name, call))), float(self._answer_bytes(call)))
            if not parts or any(have < need for have, need in zip(room, takes, strict=True)):
                parts.append({})
                room = (LINES, SENT, CAME)
            room = tuple(have - need for have, need in zip(room, takes, strict=True))  # type: ignore[assignment]
            parts[-1][name] = call
        return parts

    def _answer_bytes(self, call: Call) -> int:
        listed = 1 + max(call.top, len(call.ids)) if self.server.logprobs else 0
        return 1000 + call.n * call.how.max_tokens * (TOKEN + LOGPROB * listed)

    def _refused(self, state: State) -> str:
        said = state.problem or "no reason is given"
        return f"{self.server.name}: the server at {self.server.url} did not take a batch: {said}"

    def _tell(self, batch: Batch, state: State) -> None:
        """Log how far a batch is, where that has changed."""
        told = f"{state.status}, {state.done} of {state.total or len(batch.calls)} calls answered"
        told += f": {state.problem}" if state.problem else ""
        if self._told.get(batch.label) != told:
            self._told[batch.label] = told
            log.info("%s: batch %s is %s", self.server.name, batch.id, told)


def _halves(lines: Lines) -> list[Lines]:
    """A part's calls in two parts, or in one where there is but one call."""
    names, half = list(lines), len(lines) // 2
    return [{name: lines[name] for name in some} for some in (names[:half], names[half:]) if some]

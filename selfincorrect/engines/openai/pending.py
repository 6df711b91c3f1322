"""Which calls wait in which batch at a server, kept on disk: a job that ends finds its batches again.

Nothing is sent twice, whoever ends the job, and what a batch costs is paid once.
"""

import json
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from selfincorrect.digest import digest
from selfincorrect.engines.openai.batches import Batches, State, Stop, wait_unless
from selfincorrect.engines.openai.calls import Body
from selfincorrect.engines.openai.replies import Reply
from selfincorrect.engines.openai.server import Call, Server, StoppedError
from selfincorrect.engines.openai.troubles import Missing, Trouble
from selfincorrect.errors import UserError
from selfincorrect.io import read_json, write_json

log = logging.getLogger("selfincorrect")

POLL = 20.0  # seconds between two looks at batches
LONGEST_POLL = 600.0  # while other jobs have filled the account's queue
REFUSALS = 150  # for which it may be full: a day
# What a batch may hold, and its answers have to be read at once. Services take 50,000 lines and 200 MB.
LINES, SENT, CAME = 50_000, 100 * 2**20, 100 * 2**20
TOKEN, LOGPROB = 8, 120  # bytes of a token in a reply, and of a log-probability beside it

Lines = dict[str, Call]  # calls by their ids
Outcome = tuple[int, Reply | Missing]


@dataclass(frozen=True)
class Batch:
    """A batch that waits: its label, the server's id (None while it is being sent), the ids of its calls, and
    the parameters that were left out of them.
    """

    label: str
    url: str
    model: str
    calls: tuple[str, ...]
    without: tuple[str, ...]
    id: str | None = None


class Pending:
    """The batches of one model at one server; `folder` has a file of each that waits."""

    def __init__(self, server: Server, folder: Path | None) -> None:
        assert folder is not None
        self.server, self.folder = server, folder
        self.batches = Batches(server)
        self._told: dict[str, str] = {}  # what the log has of each batch

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
            places[self._name(call)].append(place)
        left = {name: calls[found[0]] for name, found in places.items()}
        running = self._found_again(left, stop)
        held = {name for batch in running for name in batch.calls}
        queue = deque(self._parts({name: call for name, call in left.items() if name not in held}))
        failures: Counter[str] = Counter()
        refusals = 0  # in a row, since the account may have no more waiting
        while queue or running:
            while queue and not (refusals and running):
                running.append(self._sent(queue.popleft(), stop))
            for batch in list(running):
                state = self.batches.state(batch.id or "", stop)
                self._tell(batch, state)
                if state is not None and not state.ended:
                    continue
                running.remove(batch)
                lines = {name: left[name] for name in batch.calls if name in left}
                if state is None:
                    queue.extend(self._parts(lines))
                elif state.queue_full:
                    refusals += 1
                    queue.extend([lines] if running else _halves(lines))
                if state is None or state.status == "failed":
                    self._forget(batch)
                if state is None or (state.queue_full and refusals <= REFUSALS):
                    continue
                if state.status == "failed":
                    raise UserError(self._refused(state))
                refusals = 0
                came, error = self._came(batch, state, lines, failures, stop)
                again = {name: left[name] for name, outcome in came.items() if outcome is None}
                found = {name: outcome for name, outcome in came.items() if outcome is not None}
                left = {name: call for name, call in left.items() if name not in found}
                if found:
                    yield [(place, each) for name, each in found.items() for place in places[name]]
                self._forget(batch)  # only now: what was yielded is stored
                if error:
                    raise error
                queue.extend(self._parts(again))
            if running or refusals:
                wait_unless(stop, POLL if running else min(POLL * 2**refusals, LONGEST_POLL))

    def _came(
        self, batch: Batch, state: State, lines: Mapping[str, Call], failures: Counter[str], stop: Stop
    ) -> tuple[dict[str, Reply | Missing | None], UserError | None]:
        """What came of each call of a batch, None where it is to be made again, and what ends the asking."""
        results = dict(self.batches.results(state, stop))
        lost = Trouble(None, f"nothing for this call: the batch has {state.status}")
        found: dict[str, Reply | Missing | None] = {}
        error: UserError | None = None
        for name, call in lines.items():
            try:
                found[name] = self._outcome(name, call, batch.without, results.get(name, lost), failures)
            except UserError as told:
                error = error or told
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
        found, held = list[Batch](), set[str]()
        for path in sorted(self.folder.glob("*.json")):
            told = read_json(path)
            batch = Batch(**{**told, "calls": tuple(told["calls"]), "without": tuple(told["without"])})
            mine = {name for name in batch.calls if name in wanted} - held
            if not mine or (batch.url, batch.model) != (self.server.url, self.server.model):
                continue
            if batch.id is None:  # its job ended while it was sent
                known = self.batches.find(batch.label, stop)
                if known is None:
                    path.unlink(missing_ok=True)
                    continue
                batch = self._kept(replace(batch, id=known))
            self.server.without.update(batch.without)
            held |= mine
            found.append(batch)
            again = "%s: the batch %s of an earlier job has %d of these calls: nothing of it is sent again"
            log.info(again, self.server.name, batch.id, len(mine))
        return found

    def _sent(self, lines: Mapping[str, Call], stop: Stop) -> Batch:
        """A new batch of calls, which is on disk before it is at the server."""
        without = tuple(sorted(self.server.without))
        label = digest([list(lines), list(without)])[:32]
        batch = self._kept(Batch(label, self.server.url, self.server.model, tuple(lines), without))
        url = f"/v1/{self.server.endpoint}"
        told = (
            {"custom_id": name, "method": "POST", "url": url, "body": self.server.body(call)}
            for name, call in lines.items()
        )
        data = b"".join(json.dumps(each).encode() + b"\n" for each in told)
        batch = self._kept(replace(batch, id=self.batches.send(label, data, stop)))
        log.info("%s: %d calls wait in the batch %s", self.server.name, len(lines), batch.id)
        return batch

    def _kept(self, batch: Batch) -> Batch:
        write_json(self.folder / f"{batch.label}.json", asdict(batch))
        return batch

    def _forget(self, batch: Batch) -> None:
        (self.folder / f"{batch.label}.json").unlink(missing_ok=True)

    def _parts(self, lines: Mapping[str, Call]) -> list[Lines]:
        """Calls in parts that a batch may hold."""
        parts = list[Lines]()
        room = (0.0, 0.0, 0.0)
        for name, call in lines.items():
            takes = (1.0, float(len(json.dumps(self.server.body(call)))), float(self._answer_bytes(call)))
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

    def _name(self, call: Call) -> str:
        """A call's own id, which does not depend on what the server turned out not to take."""
        asked = [call.prompt.rendered(self.server.mode), asdict(call.how), call.seed, call.n, call.top]
        return digest([self.server.model, self.server.mode, self.server.more, asked])[:32]

    def _tell(self, batch: Batch, state: State | None) -> None:
        """Log how far a batch is, where that has changed."""
        if state is None:
            log.warning("%s: the server no longer knows the batch %s", self.server.name, batch.id)
            return
        told = f"{state.status}, {state.done} of {state.total or len(batch.calls)} calls answered"
        told += f": {state.problem}" if state.problem else ""
        if self._told.get(batch.label) != told:
            self._told[batch.label] = told
            log.info("%s: batch %s is %s", self.server.name, batch.id, told)


def _halves(lines: Lines) -> list[Lines]:
    """A part's calls in two parts, or in one where there is but one call."""
    names, half = list(lines), len(lines) // 2
    return [{name: lines[name] for name in some} for some in (names[:half], names[half:]) if some]

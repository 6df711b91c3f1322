"""Models behind a server that speaks OpenAI's protocol.

Such servers are hosted ones, vLLM, llama.cpp, TGI, and `transformers serve`. Samples of one question are
asked for in one call where the server can do that. What a server cannot do is found out on the way and named
once in the log; an answer is only what a server gave as one.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from selfincorrect.digest import canonical_json
from selfincorrect.engines.manifest import Manifest
from selfincorrect.engines.openai.doubts import Asked, Doubts
from selfincorrect.engines.openai.options import ONE_TOKEN, TOP, scored
from selfincorrect.engines.openai.order import Queue
from selfincorrect.engines.openai.pending import Pending
from selfincorrect.engines.openai.replies import Answer, Reply
from selfincorrect.engines.openai.server import Call, Server
from selfincorrect.engines.openai.token_ids import TokenIds
from selfincorrect.engines.openai.troubles import Missing
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Request, Response
from selfincorrect.errors import UserError
from selfincorrect.jobs import stopping

Answered = list[tuple[Request, Response]]


class OpenAIEngine:
    """A model at a server.

    `calls`, `tokens_in` and `tokens_out` are what the server bills, as far as it says, with repetitions and
    the probe.
    """

    def __init__(self, manifest: Manifest, pending: Path | None = None) -> None:
        """`pending` is a folder for what must be found again while batches wait at the server.

        Raises UserError if the key's environment variable is not set.
        """
        assert manifest.server
        self.name, self.mode = manifest.name, manifest.prompt
        self.concurrency: int = manifest.server.concurrency
        self.server = Server(manifest)
        self.doubts = Doubts(self.server)
        self.token_ids = TokenIds(self.server.client, self.server.model)
        self.pending = Pending(self.server, pending) if manifest.server.batch else None

    @property
    def calls(self) -> int:
        return self.server.calls

    @property
    def tokens_in(self) -> int:
        return self.server.tokens_in

    @property
    def tokens_out(self) -> int:
        return self.server.tokens_out

    def answer(
        self, requests: Sequence[Request], stop: Callable[[], bool] = stopping.requested
    ) -> Iterator[Answered]:
        """Yield answers as they arrive.

        After an error, calls that are under way are finished and yielded; then it is raised.
        """
        answered = 0
        texts: dict[Asked, list[str | None]] = defaultdict(list)
        asked = self._in_batches if self.pending else self._in_calls
        try:
            for ready in asked(requests, stop):
                answered += len(ready)
                for request, response in ready:
                    texts[request.prompt, request.decoding].append(response.text)
                yield ready
        except UserError as error:
            raise UserError(
                f"{error}\n"
                f"{answered} of {len(requests)} answers came and are kept: "
                "running again asks only for the rest."
            ) from None
        self.doubts.doubt_temperature(texts)

    def _in_calls(self, requests: Sequence[Request], stop: Callable[[], bool]) -> Iterator[Answered]:
        """Answers by calls of which some are under way at a time."""
        waiting = Queue([(self._rendered(group[0].prompt), group) for group in _groups(requests)])
        running = dict[Future[tuple[Answered, list[Request]]], int | None]()
        unwanted = threading.Event()
        failure: BaseException | None = None
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="server")
        try:
            self.doubts.probe(requests, unwanted)
            while running or (waiting and not failure and not stop()):
                while not failure and not stop() and len(running) < self.concurrency:
                    if not (call := self._next(waiting)):
                        break
                    number, group = call
                    running[pool.submit(self._ask, group, unwanted)] = number
                ready: Answered = []
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    waiting.done(running.pop(future))
                    if error := future.exception():
                        failure = failure or error
                        unwanted.set()
                    else:
                        answers, rest = future.result()
                        ready += answers
                        waiting.back([[request] for request in rest])
                if ready:
                    yield ready
        finally:
            unwanted.set()
            pool.shutdown(wait=False, cancel_futures=True)
        if failure:
            raise failure

    def _in_batches(self, requests: Sequence[Request], stop: Callable[[], bool]) -> Iterator[Answered]:
        """Answers by the server's batch API, in as many rounds as it takes."""
        assert self.pending
        waiting = self._as_waiting(_groups(requests))
        while waiting and not stop():
            if "n" in self.server.without:
                waiting = self._as_waiting([[request] for group in waiting for request in group])
            calls, rest = [self._call(group) for group in waiting], list[Request]()
            for outcomes in self.pending.outcomes(calls, stop):
                for _, outcome in outcomes:
                    if isinstance(outcome, Reply):
                        self.doubts.note_choices(outcome.answers)
                ready, error = list[tuple[Request, Response]](), None
                for place, outcome in outcomes:
                    try:
                        answers, again = self._taken(waiting[place], outcome)
                    except UserError as told:
                        error = error or told
                        continue
                    ready += answers
                    rest += again
                if ready:
                    yield ready
                if error:
                    raise error
            waiting = [[request] for request in rest]

    def _as_waiting(self, groups: Sequence[list[Request]]) -> list[list[Request]]:
        """Groups, cut where a batch that waits has some of their requests as a call.

        For what has to be sent it is tried, by short calls, what the server does not take.
        """
        assert self.pending
        batches = self.pending.waiting()
        names = {name for batch in batches for name in batch.calls}
        sizes = sorted({size for batch in batches for size in batch.sizes}, reverse=True)
        found, new = list[list[Request]](), list[list[Request]]()
        for group in groups:
            left: list[Request] = []
            while group:
                cut = next((n for n in sizes if self.pending.name(self._call(group[:n])) in names), None)
                found += [group[:cut]] if cut else []
                left += [] if cut else group[:1]
                group = group[cut or 1 :]
            new += [left] if left else []
        self.doubts.try_parameters([self._call(group) for group in new], threading.Event())
        return [*found, *new]

    def _next(self, waiting: Queue[list[Request]]) -> tuple[int | None, list[Request]] | None:
        call = waiting.next()
        if call and "n" in self.server.without:
            number, group = call
            waiting.back([[request] for request in group[1:]])
            return number, group[:1]
        return call

    def _rendered(self, prompt: Prompt) -> str:
        return canonical_json(prompt.messages()) if self.mode == "chat" else prompt.text()

    def _call(self, group: Sequence[Request]) -> Call:
        """The call for requests that differ in their seed only."""
        first = group[0]
        if first.options:
            ids = self.token_ids.of(first.options)
            return Call(first.prompt, ONE_TOKEN, first.seed, 1, TOP, first.options, ids)
        return Call(first.prompt, first.decoding, first.seed, len(group))

    def _ask(self, group: list[Request], stop: threading.Event) -> tuple[Answered, list[Request]]:
        """Call once for requests that differ in their seed only; returns what `_taken` does."""
        return self._taken(group, self.server.ask(self._call(group), stop))

    def _taken(self, group: list[Request], outcome: Reply | Missing) -> tuple[Answered, list[Request]]:
        """What a call for a group brought: their responses, and the requests to ask for one by one."""
        first = group[0]
        prompt = self._rendered(first.prompt)
        if isinstance(outcome, Missing):
            missing = Response(None, prompt, outcome.reason, outcome.tokens_in, 0, None, said=outcome.said)
            return [(request, missing) for request in group], []
        self.doubts.note_model(outcome)
        if first.options:
            return [(first, self._scored(first, prompt, outcome))], []
        answers = outcome.answers[: len(group)]
        if any(answer.cut_thought for answer in answers):
            self.server.do_without("stop", "cuts thoughts at")
            return [], group
        if outcome.choices < len(group):
            self.server.do_without("n", "ignores")
        else:
            answers = self.doubts.trusted(group, answers)
        self.doubts.note_logprobs(answers)
        responses = [_response(prompt, outcome, answer, not place) for place, answer in enumerate(answers)]
        return list(zip(group, responses, strict=False)), group[len(answers) :]

    def _scored(self, request: Request, prompt: str, reply: Reply) -> Response:
        """How probable the options of a request are. Raises UserError if the server does not tell."""
        top, ids = reply.answers[0].top, self.token_ids.of(request.options)
        if reply.answers[0].text is None:  # a filter was in the way
            return _response(prompt, reply, reply.answers[0])
        if not top:
            raise UserError(
                f"{self.name}: the server at {self.server.url} does not tell how probable first tokens are, "
                "which the configured selectors choose by.\n"
                "Use a server that does (vLLM, llama.cpp, and some hosted ones), or leave this model out of "
                "these variants (`models` of the variant)."
            )
        by_number = bool(ids) and "logprob_token_ids" not in self.server.without and len(top) <= len(ids) + 1
        options, bound = scored(request, top, by_number)
        return replace(
            _response(prompt, reply, reply.answers[0]),
            text="",
            finish_reason="stop",
            logprob=None,
            options=options,
            bound=bound,
        )


def _response(prompt: str, reply: Reply, answer: Answer, bears: bool = True) -> Response:
    """One answer of a reply; one of them `bears` its prompt, which is read and paid once for all."""
    return Response(
        answer.text,
        prompt,
        answer.finish_reason,
        reply.tokens_in,
        answer.tokens_out,
        answer.logprob,
        answer.reasoning,
        answer.reasoning_tokens,
        answer.said,
        reply.model,
        reply.fingerprint,
        seeded=answer.place == 0,
        tokens_read=_read(reply) if bears else 0,
        tokens_cached=reply.tokens_cached if bears else 0,
    )


def _read(reply: Reply) -> int | None:
    """The tokens of the prompt that the server read, where it says what it had in its cache."""
    if reply.tokens_in is None or reply.tokens_cached is None:
        return None
    return reply.tokens_in - reply.tokens_cached


def _groups(requests: Sequence[Request]) -> list[list[Request]]:
    """The requests in groups: samples of one prompt together, greedy requests each on its own."""
    groups: dict[Any, list[Request]] = defaultdict(list)
    for request in requests:
        key = (request.prompt, request.decoding) if request.decoding.temperature > 0 else id(request)
        groups[key].append(request)
    return list(groups.values())

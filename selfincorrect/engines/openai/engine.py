"""Models behind a server that speaks OpenAI's protocol.

Such servers are hosted ones, vLLM, llama.cpp, TGI, and `transformers serve`. Samples of one question are
asked for in one call where the server can do that. What a server cannot do is found out on the way and named
once in the log; an answer is only what a server gave as one.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from selfincorrect.digest import canonical_json
from selfincorrect.engines.manifest import Manifest
from selfincorrect.engines.openai.options import ONE_TOKEN, TOP, scored
from selfincorrect.engines.openai.order import Queue
from selfincorrect.engines.openai.replies import Answer, Reply
from selfincorrect.engines.openai.server import Server
from selfincorrect.engines.openai.troubles import Missing
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request, Response
from selfincorrect.errors import UserError
from selfincorrect.jobs import stopping

log = logging.getLogger("selfincorrect")

PROBE_TOKENS = 8
ALIKE = 5  # questions whose samples are all the same before temperature is doubted

Answered = list[tuple[Request, Response]]
Asked = tuple[Prompt, Decoding]


class OpenAIEngine:
    """A model at a server.

    `calls`, `tokens_in` and `tokens_out` are what the server bills, as far as it says, with repetitions and
    the probe.
    """

    def __init__(self, manifest: Manifest) -> None:
        """Raises UserError if the key's environment variable is not set."""
        assert manifest.server
        self.name, self.mode = manifest.name, manifest.prompt
        self.concurrency: int = manifest.server.concurrency
        self.server = Server(manifest)
        self._probed = False
        self._models: set[str] = set()  # what the server says that it is
        self._choices_differ = False  # seen once, a server draws the choices of a call apart
        # What all choices of a call were, by id of a request of it that is asked again.
        self._doubted: dict[int, str | None] = {}

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
        waiting = Queue([(self._rendered(group[0].prompt), group) for group in _groups(requests)])
        running = dict[Future[tuple[Answered, list[Request]]], int | None]()
        unwanted, answered = threading.Event(), 0
        failure: BaseException | None = None
        texts: dict[Asked, list[str | None]] = defaultdict(list)
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="server")
        try:
            failure = self._probe(requests, unwanted)
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
                    answered += len(ready)
                    for request, response in ready:
                        texts[request.prompt, request.decoding].append(response.text)
                    yield ready
        finally:
            unwanted.set()
            pool.shutdown(wait=False, cancel_futures=True)
        if isinstance(failure, UserError):
            raise UserError(
                f"{failure}\n"
                f"{answered} of {len(requests)} answers came and are kept: "
                "running again asks only for the rest."
            )
        if failure:
            raise failure
        self._doubt_temperature(texts)

    def _next(self, waiting: Queue[list[Request]]) -> tuple[int | None, list[Request]] | None:
        call = waiting.next()
        if call and "n" in self.server.without:
            number, group = call
            waiting.back([[request] for request in group[1:]])
            return number, group[:1]
        return call

    def _rendered(self, prompt: Prompt) -> str:
        return canonical_json(prompt.messages()) if self.mode == "chat" else prompt.text()

    def _ask(self, group: list[Request], stop: threading.Event) -> tuple[Answered, list[Request]]:
        """Call once for requests that differ in their seed only.

        Returns their responses, and the requests to ask for one by one.
        """
        first = group[0]
        how, top = (ONE_TOKEN, TOP) if first.options else (first.decoding, 1)
        outcome = self.server.ask(first.prompt, how, first.seed, len(group), stop, top)
        prompt = self._rendered(first.prompt)
        if isinstance(outcome, Missing):
            missing = Response(None, prompt, outcome.reason, outcome.tokens_in, 0, None, said=outcome.said)
            return [(request, missing) for request in group], []
        self._note_model(outcome)
        if first.options:
            return [(first, self._scored(first, prompt, outcome))], []
        answers = outcome.answers[: len(group)]
        if any(answer.cut_thought for answer in answers):
            self.server.do_without("stop", "cuts thoughts at")
            return [], group
        if outcome.choices < len(group):
            self.server.do_without("n", "ignores")
        elif len(group) > 1:
            answers = self._trusted(group, answers)
        elif self._doubted.pop(id(first), answers[0].text) != answers[0].text and not self._choices_differ:
            self.server.do_without("n", "draws all choices of a call with one seed, so in effect ignores")
        self._note_logprobs(answers)
        responses = [_response(prompt, outcome, answer, not place) for place, answer in enumerate(answers)]
        return list(zip(group, responses, strict=False)), group[len(answers) :]

    def _scored(self, request: Request, prompt: str, reply: Reply) -> Response:
        """How probable the options of a request are. Raises UserError if the server does not tell."""
        top = reply.answers[0].top
        if not top:
            raise UserError(
                f"{self.name}: the server at {self.server.url} does not tell how probable first tokens are, "
                "which the configured selectors choose by.\n"
                "Use a server that does (vLLM, llama.cpp, and some hosted ones), or leave this model out of "
                "these variants (`models` of the variant)."
            )
        options, bound = scored(request, top)
        return replace(
            _response(prompt, reply, reply.answers[0]),
            text="",
            finish_reason="stop",
            logprob=None,
            options=options,
            bound=bound,
        )

    def _trusted(self, group: list[Request], answers: list[Answer]) -> list[Answer]:
        """The answers of one call that count as draws of their own.

        Choices that are all the same come from an easy question or from a server that draws all with one
        seed. Until choices were seen to differ, only the first counts; the others' own seeds tell which it
        is.
        """
        if len({answer.text for answer in answers}) > 1:
            self._choices_differ = True
        if self._choices_differ or len(answers) < 2:
            return answers
        self._doubted.update({id(request): answers[0].text for request in group[1:]})
        return answers[:1]

    def _note_model(self, reply: Reply) -> None:
        """Log, once for each model, that the server names another than it was asked for, or has changed."""
        if reply.model and reply.model not in self._models:
            asked, known = self.server.model, sorted(self._models)
            self._models.add(reply.model)
            if known:
                changed = "%s: the server has changed: answers come from %s, earlier ones from %s"
                log.warning(changed, self.name, reply.model, known)
            elif not (reply.model.startswith(asked) or asked.endswith(reply.model)):
                other = "%s: the server says that %s answers; %s was asked for"
                log.warning(other, self.name, reply.model, asked)

    def _note_logprobs(self, answers: Sequence[Answer]) -> None:
        if self.server.logprobs and any(answer.text and answer.logprob is None for answer in answers):
            self.server.notice("logprobs", "ignores")

    def _probe(self, requests: Sequence[Request], stop: threading.Event) -> UserError | None:
        """Find out, with two short calls, whether the same seed gives the same text.

        Returns the error if they fail.
        """
        sampled = next((r for r in requests if r.decoding.temperature > 0 and r.seed is not None), None)
        if sampled is None or self._probed:
            return None
        self._probed = True
        how = replace(sampled.decoding, max_tokens=min(PROBE_TOKENS, sampled.decoding.max_tokens))
        texts = set()
        try:
            for _ in range(2):
                outcome = self.server.ask(sampled.prompt, how, sampled.seed, 1, stop)
                if not isinstance(outcome, Reply) or "seed" in self.server.without:
                    return None
                texts.add(outcome.answers[0].text)
        except UserError as error:
            return error
        if len(texts) > 1:
            self.server.notice("seed", "ignores")
        return None

    def _doubt_temperature(self, texts: Mapping[Asked, Sequence[str | None]]) -> None:
        several = [each for (_, how), each in texts.items() if how.temperature > 0 and len(each) > 1]
        if len(several) >= ALIKE and all(len(set(each)) == 1 for each in several):
            log.warning(
                "%s: all samples of each of %d questions are the same: the server may ignore temperature "
                "(as `transformers serve` does, "
                "unless the model's generation_config.json has do_sample: true)",
                self.name,
                len(several),
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

"""Asking a model through the response store: an answer that is there is never asked for again."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from selfincorrect.digest import canonical_json, seed_of
from selfincorrect.engines import thoughts
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.reasoning import ReasoningConfig
from selfincorrect.engines.requests import (
    CONTEXT,
    ERROR,
    NO_ANSWER,
    Engine,
    Request,
    Response,
    Versions,
    accounted,
    stored_response,
)
from selfincorrect.engines.requests import FIRST as FIRST_VERSIONS
from selfincorrect.errors import UserError
from selfincorrect.jobs import stopping
from selfincorrect.jobs.progress import Progress
from selfincorrect.models import forcing
from selfincorrect.models.store import ResponseStore

log = logging.getLogger("selfincorrect")

# If all of so many first questions fail, the server is at fault and no question. Where answers came before,
# the failures of an earlier run are what is left.
FIRST, FIRST_LEFT = 5, 50
UNGREEDY = 1.0  # temperature in the place of 0, for models that take no other


@dataclass(frozen=True)
class OpenedModel:
    """A prepared model as a job uses it; `engine` loads it on first need.

    `versions` are those of its engine. Without `greedy` choices are drawn at temperature UNGREEDY;
    `reasoning` bounds its thoughts. Stored
    responses without an answer are asked for again if their reason is in `retry`; `errors` is the share of
    questions that may fail. `options` says whether its engine tells how probable the options of a request
    are. `served` counts what servers said they are, (model, fingerprint).
    """

    name: str
    digest: str
    mode: str
    context: int | None
    store: ResponseStore
    engine: Callable[[], Engine]
    provenance: dict[str, Any]
    versions: Versions = FIRST_VERSIONS
    greedy: bool = True
    reasoning: ReasoningConfig | None = None
    retry: Collection[str] = ()
    errors: float = 0.2
    options: bool = False
    in_process: bool = True
    served: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)

    def told(self) -> dict[str, Any]:
        """Where its answers come from, for the metadata of tables.

        It has what the model's server said it is, if there is one.
        """
        known = sorted(self.served.items(), key=str)
        served = [{"model": one, "fingerprint": other, "answers": n} for (one, other), n in known]
        return {**self.provenance, **({"served": served} if served else {})}


def rank(value: Any) -> int:
    """How good a stored record is.

    It is 0 for an answer, 1 for one that was cut inside a thought, 2 for a reason, 3 for a server's failure.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("text"), str):
        return 3 if isinstance(value, Mapping) and value.get("finish_reason") == ERROR else 2
    text = _opened(value["text"], str(value.get("prompt")))
    return 0 if value.get("unfinished_thought") or not thoughts.unfinished(text) else 1


def ask(requests: Sequence[Request], model: OpenedModel, what: str) -> list[Response]:
    """The response to each request, in order; `what` says for the log what is being done.

    Answers are appended to the model's store batch by batch. Its engine is made only if an answer is missing,
    so a job whose answers are all stored loads no model. Where a prompt ends inside a thought, the text
    begins with the tag that opened it.

    Responses without an answer (`engines.requests.NO_ANSWER`) have no text. Prompts that do not fit the
    model's context with their answer are among them; they are not stored, nor read from a store that was
    filled with a larger context. Raises UserError if all calls fail, or more than the share that
    `model.errors` allows, and ToBeRequeuedError if the job was told to end before all had come.

    Where the model has a budget for its thoughts, those that are longer are closed (`forcing`).
    """
    told = model.reasoning
    if told is None or told.budget is None:
        found = _responses(requests, model, what)
    elif model.mode == "chat" and not model.in_process:
        found = _responses([_longer(request, told.budget) for request in requests], model, what)
    else:
        found = forcing.with_budget(requests, told, partial(_responses, model=model, what=what))
    # Whatever tags a model has, the usual ones are what everybody else reads.
    return [replace(each, text=thoughts.standard(each.text)) if each.text else each for each in found]


def _longer(request: Request, budget: int) -> Request:
    """A request whose answer may be longer by the thought's budget: a server counts both together."""
    if request.options:
        return request
    how = replace(request.decoding, max_tokens=request.decoding.max_tokens + budget)
    return replace(request, decoding=how)


def _responses(requests: Sequence[Request], model: OpenedModel, what: str) -> list[Response]:
    """The response to each request, as `ask` has them, as they are."""
    store = model.store
    requests = requests if model.greedy else [_drawn(request) for request in requests]
    keys = [request.key(model.digest, model.mode, model.versions) for request in requests]
    wanted = dict(zip(keys, requests, strict=True))
    asked = [key for key, each in wanted.items() if key not in store or _again(store, key, each, model)]
    missing = {key: wanted[key] for key in asked}
    log.info("%s: %d answers wanted, %d in the store", what, len(wanted), len(wanted) - len(missing))
    unstored: dict[str, Response] = {}
    if missing:
        questions = len({request.prompt for request in wanted.values()})
        unstored = _asked(missing, len(wanted), questions, model, what)
        if replaced := store.refresh():
            others = (
                "%s: another run with the same store had got %d answers earlier; they count in this run too"
            )
            log.warning(others, what, replaced)
    responses = {}
    for key, request in wanted.items():
        response = unstored[key] if key in unstored else _stored(store, key)
        known = response.model is not None or response.fingerprint is not None
        model.served[response.model, response.fingerprint] += known
        whole = response if key in unstored else accounted(response, key)
        responses[key] = _within(request, whole, model.context)
    _tell(list(responses.values()), what)
    return [responses[key] for key in keys]


def _drawn(request: Request) -> Request:
    """A greedy request as one that is drawn, by a seed of the prompt's own."""
    if request.decoding.temperature > 0 or request.options:
        return request
    how = replace(request.decoding, temperature=UNGREEDY)
    return replace(request, decoding=how, seed=seed_of("greedy", canonical_json(request.prompt.messages())))


def _stored(store: ResponseStore, key: str) -> Response:
    try:
        return stored_response(store.get(key))
    except ValueError as error:
        raise UserError(
            f"The response store holds a record that is no answer, in {store.file_of(key)}: {error}. "
            "Take it out, and run again: only that answer is asked for anew.\n"
            f"    selfincorrect store check '{store.folder}' --drop"
        ) from error


def _again(store: ResponseStore, key: str, request: Request, model: OpenedModel) -> bool:
    """Whether a stored response is asked for again.

    It is a reason of `retry`, or a thought that an earlier version cut at a stop string.
    """
    response = _stored(store, key)
    if response.text is None:
        return response.finish_reason in model.retry
    cut = response.finish_reason == "stop" and bool(request.decoding.stop) and not response.unfinished_thought
    return cut and thoughts.unfinished(_opened(response.text, response.prompt))


class _Questions:
    """Which questions came to an answer, or to a reason of their own, and which failed.

    A question counts once, however many samples of it were wanted.
    """

    def __init__(self, share: float, total: int, first: int) -> None:
        self._share, self._total, self._first = share, total, min(first, total)
        self._came: set[Prompt] = set()
        self._failed: set[Prompt] = set()

    def note(self, batch: Sequence[tuple[Request, Response]]) -> None:
        for request, response in batch:
            (self._failed if response.finish_reason == ERROR else self._came).add(request.prompt)

    def at_fault(self) -> bool:
        """Whether so many failed that the server is at fault."""
        all_fail = len(self._failed) >= self._first and not self._came
        return all_fail or len(self._failed) > self._share * self._total


def _asked(
    missing: Mapping[str, Request], wanted: int, total: int, model: OpenedModel, what: str
) -> dict[str, Response]:
    """Ask for what is missing of the answers `wanted` to `total` questions, and store it.

    Returns what is not stored: prompts that were not sent.
    """
    key_of = {id(request): key for key, request in missing.items()}
    if not model.options and any(request.options for request in missing.values()):
        raise UserError(
            f"{what}: {model.name} is asked how probable given answers are, which its engine does not tell. "
            "Use another selector for it, or an engine that does."
        )
    unsent: dict[str, Response] = {}
    failed: dict[str, Response] = {}
    progress, waiting = Progress(what, len(missing), "answers"), list(missing.values())
    questions = _Questions(model.errors, total, FIRST if len(missing) == wanted else FIRST_LEFT)
    while waiting:
        done: set[int] = set()
        # What is under way when too many have failed is still taken: it was paid for, and may show that the
        # others can be answered.
        for batch in model.engine().answer(waiting, lambda: stopping.requested() or questions.at_fault()):
            answers = {key_of[id(request)]: _whole(response) for request, response in batch}
            failed |= {key: each for key, each in answers.items() if each.finish_reason == ERROR}
            unsent |= {key: each for key, each in answers.items() if not each.sent}
            stored = [key for key in answers if key not in failed and key not in unsent]
            model.store.add((key, answers[key].record()) for key in stored)
            done |= {id(request) for request, _ in batch}
            questions.note(batch)
            progress.advance(len(batch))
        if stopping.requested() and progress.done < progress.total:
            raise stopping.ToBeRequeuedError
        if questions.at_fault():
            said = next(iter(failed.values())).said
            raise UserError(
                f"{said}\n"
                f"{len(failed)} of {progress.done} calls failed; that is more than `run.errors` allows. "
                f"{progress.done - len(failed)} of {len(missing)} answers came and are kept: "
                "running again asks only for the rest."
            )
        waiting = [request for request in waiting if id(request) not in done] if done else []
    # Failures are stored when the rest has come: a run that ends earlier tries them again by itself.
    if failed:
        model.store.add((key, each.record()) for key, each in failed.items())
    return unsent


def _opened(text: str, prompt: str) -> str:
    opening = thoughts.opening(prompt)
    return text if text.startswith(opening) else opening + text


def _whole(response: Response) -> Response:
    """A new response, which is marked where the model itself never ended its thought."""
    text = response.text
    unfinished = text is not None and thoughts.unfinished(_opened(text, response.prompt))
    return replace(response, unfinished_thought=True) if unfinished else response


def _within(request: Request, response: Response, context: int | None) -> Response:
    """The response as it counts, with the tag of a thought that its prompt opened.

    It has no text if it does not fit the context.
    """
    if response.text is None:
        return response
    longest = request.decoding.max_tokens + max(response.option_tokens or (), default=0)
    if context is not None and (response.tokens_in or 0) + longest > context:
        return replace(
            response, text=None, finish_reason=CONTEXT, tokens_out=0, logprob=None, options=None, sent=False
        )
    return replace(response, text=_opened(response.text, response.prompt))


def _tell(responses: Sequence[Response], what: str) -> None:
    """Log how many questions have no answer, and why."""
    meaning = {
        CONTEXT: "prompts do not fit the model's context (the longest has {longest} tokens){sent} "
        "and count as unanswered",
        "refused": "questions were refused by the model and count as unanswered{said}",
        "filtered": "questions were filtered by the server and count as unanswered{said}",
        ERROR: "calls failed after all retries and are left out{said}. "
        "Ask again: --config 'run={{retry: [error]}}'",
    }
    missing = [response for response in responses if response.text is None]
    for reason in NO_ANSWER:
        alike = [response for response in missing if response.finish_reason == reason]
        if alike:
            said = next((f", such as: {each.said}" for each in alike if each.said), "")
            unsent = "; they were not sent" if not any(each.sent for each in alike) else ""
            longest = max(each.tokens_in or 0 for each in alike)
            text = meaning[reason].format(longest=longest or "?", sent=unsent, said=said)
            log.warning("%s: %d of %d %s", what, len(alike), len(responses), text)

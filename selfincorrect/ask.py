"""Ask a model, through the response store: an answer that is there is never asked for again."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from selfincorrect import stopping
from selfincorrect.engines import CONTEXT, Engine, Request, Response
from selfincorrect.progress import Progress
from selfincorrect.store import ResponseStore

log = logging.getLogger("selfincorrect")


@dataclass(frozen=True)
class OpenedModel:
    """A prepared model as a job uses it. `engine` loads it on first need."""

    name: str
    digest: str
    mode: str
    context: int | None
    store: ResponseStore
    engine: Callable[[], Engine]
    provenance: dict[str, Any]


def ask(requests: Sequence[Request], model: OpenedModel, what: str) -> list[Response]:
    """The response to each request, in order; `what` is being done, for the log.

    Answers are appended to the model's store batch by batch. Its engine is made only if an answer is missing, so a job whose
    answers are all stored loads no model. Prompts that do not fit its context with their answer have no text; they are not
    stored, nor read from a store that was filled with a larger context. Raises ToBeRequeuedError if the job was told to end
    before all had come.
    """
    store, context = model.store, model.context
    keys = [request.key(model.digest, model.mode) for request in requests]
    missing = {key: request for key, request in zip(keys, requests, strict=True) if key not in store}
    log.info(
        "%s: %d answers wanted, %d in the store",
        what,
        len(set(keys)),
        len(set(keys)) - len(missing),
    )
    unsent: dict[str, Response] = {}
    if missing:
        key_of = {id(request): key for key, request in missing.items()}
        progress = Progress(what, len(missing), "answers")
        for batch in model.engine().answer(list(missing.values())):
            answers = [(key_of[id(request)], response) for request, response in batch]
            store.add((key, asdict(each)) for key, each in answers if each.finish_reason != CONTEXT)
            unsent |= {key: each for key, each in answers if each.finish_reason == CONTEXT}
            progress.advance(len(batch))
        if progress.done < progress.total and stopping.requested():
            raise stopping.ToBeRequeuedError
    stored = {key: (r, Response(**store.get(key))) for key, r in zip(keys, requests, strict=True) if key in store}
    too_long = unsent | {
        key: replace(response, text=None, finish_reason=CONTEXT, tokens_out=0, logprob=None)
        for key, (request, response) in stored.items()
        if _over(request, response, context)
    }
    if too_long:
        longest = max(response.tokens_in or 0 for response in too_long.values())
        log.warning(
            "%s: %d prompts do not fit the model's context (the longest has %d tokens); they were not sent and count as "
            "unanswered", what, len(too_long), longest,
        )  # fmt: skip
    return [too_long[key] if key in too_long else stored[key][1] for key in keys]


def _over(request: Request, response: Response, context: int | None) -> bool:
    return context is not None and (response.tokens_in or 0) + request.decoding.max_tokens > context

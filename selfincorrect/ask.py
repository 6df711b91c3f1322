"""Ask a model, through the response store: an answer that is there is never asked for again."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from selfincorrect.engines import CONTEXT, Engine, Request, Response
from selfincorrect.progress import Progress
from selfincorrect.store import ResponseStore

log = logging.getLogger("selfincorrect")


def ask(
    requests: Sequence[Request],
    store: ResponseStore,
    model_digest: str,
    mode: str,
    context: int | None,
    make_engine: Callable[[], Engine],
    what: str,
) -> list[Response]:
    """The response to each request, in order.

    Answers are appended to `store` batch by batch. `make_engine` is called only if an answer is missing, so a job whose
    answers are all stored loads no model. Prompts that do not fit `context` tokens with their answer have no text; they are
    not stored, nor read from a store that was filled with a larger context.
    """
    keys = [request.key(model_digest, mode) for request in requests]
    missing = {key: request for key, request in zip(keys, requests, strict=True) if key not in store}
    log.info(
        "%s: %d answers wanted, %d in the store",
        what,
        len(set(keys)),
        len(set(keys)) - len(missing),
    )
    stored = {key: (r, Response(**store.get(key))) for key, r in zip(keys, requests, strict=True) if key in store}
    too_long = {
        key: replace(response, text=None, finish_reason=CONTEXT, tokens_out=0, logprob=None)
        for key, (request, response) in stored.items()
        if _over(request, response, context)
    }
    if missing:
        key_of = {id(request): key for key, request in missing.items()}
        progress = Progress(what, len(missing), "answers")
        for batch in make_engine().answer(list(missing.values())):
            answers = [(key_of[id(request)], response) for request, response in batch]
            store.add((key, asdict(each)) for key, each in answers if each.finish_reason != CONTEXT)
            too_long |= {key: each for key, each in answers if each.finish_reason == CONTEXT}
            progress.advance(len(batch))
    if too_long:
        longest = max(response.tokens_in for response in too_long.values())
        log.warning(
            "%s: %d prompts do not fit the model's context (the longest has %d tokens); they were not sent and count as "
            "unanswered", what, len(too_long), longest,
        )  # fmt: skip
    return [too_long[key] if key in too_long else Response(**store.get(key)) for key in keys]


def _over(request: Request, stored: Response, context: int | None) -> bool:
    return context is not None and stored.tokens_in + request.decoding.max_tokens > context

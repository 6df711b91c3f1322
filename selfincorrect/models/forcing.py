"""Thoughts with a budget: what is longer is closed, and the answer asked for (Muennighoff et al. 2025, s1).

A request becomes two: one with the thought's budget as its limit, and, where that was reached or the thought
never ended, one that goes on from what was written.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from selfincorrect.digest import seed_of
from selfincorrect.engines import thoughts
from selfincorrect.engines.reasoning import ReasoningConfig
from selfincorrect.engines.requests import Request, Response

Ask = Callable[[Sequence[Request]], list[Response]]


def with_budget(requests: Sequence[Request], told: ReasoningConfig, ask: Ask) -> list[Response]:
    """The responses to requests, whose thoughts have at most `told.budget` tokens and answers those of their
    own; `forced` are those whose thought was closed. Requests with options are asked as they are.
    """
    assert told.budget is not None
    first = [each if each.options else _limited(each, told.budget) for each in requests]
    responses = ask(first)
    going = {
        place: _begun(response, told.close)
        for place, (request, response) in enumerate(zip(requests, responses, strict=True))
        if response.text is not None and not request.options and _cut(response)
    }
    further = iter(ask([_continued(requests[place], text) for place, text in going.items()]) if going else [])
    return [_joined(each, going[place], next(further)) if place in going else each
            for place, each in enumerate(responses)]  # fmt: skip


def _limited(request: Request, budget: int) -> Request:
    return replace(request, decoding=replace(request.decoding, max_tokens=budget))


def _cut(response: Response) -> bool:
    return response.finish_reason == "length" or thoughts.unfinished(response.text or "")


def _begun(response: Response, close: str) -> str:
    """What the model goes on from: what it wrote, its thought closed, without a tag of the prompt's end."""
    text = (response.text or "").removeprefix(thoughts.opening(response.prompt))
    return text.rstrip() + close if thoughts.unfinished(response.text or "") else text


def _continued(request: Request, begun: str) -> Request:
    seed = None if request.seed is None else seed_of("continued", request.seed)
    return replace(request, prompt=replace(request.prompt, begun=begun), seed=seed)


def _joined(first: Response, begun: str, second: Response) -> Response:
    """Both parts as one response; without an answer where the second has none."""
    opened = thoughts.opening(first.prompt)
    if second.text is None:
        return replace(second, prompt=first.prompt, spent=(*first.spent, *second.spent))
    text = second.text.removeprefix(thoughts.opening(second.prompt))
    forced = thoughts.unfinished(first.text or "")
    known = [first.logprob, second.logprob]
    return replace(
        second,
        text=f"{opened}{begun}{text}",
        prompt=first.prompt,
        tokens_in=first.tokens_in,
        tokens_out=_sum([first.tokens_out, second.tokens_out]),
        logprob=None if forced or None in known else sum(each or 0.0 for each in known),
        reasoning_tokens=first.tokens_out if forced else first.reasoning_tokens,
        forced=forced,
        seeded=first.seeded and second.seeded,
        spent=(*first.spent, *second.spent),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [each for each in counts if each is not None]
    return sum(known) if len(known) == len(counts) else None

"""Responses that choose nothing, and why."""

from typing import cast

from selfincorrect.discriminate.parse import Chosen, How
from selfincorrect.engines import thoughts
from selfincorrect.engines.requests import Response


def missing(response: Response) -> Chosen:
    """No choice, for the reason that a response without an answer gives."""
    return Chosen((), None, cast(How, response.finish_reason))


def thought_only(response: Response) -> bool:
    """Whether a response is nothing but a thought, one that never ends or one beside an empty text."""
    text = response.text or ""
    return thoughts.unfinished(text) or bool(response.reasoning and not text.strip())

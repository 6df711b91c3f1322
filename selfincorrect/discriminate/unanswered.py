"""Responses that choose nothing, and why."""

from typing import cast

from selfincorrect.discriminate.parse import Chosen, How
from selfincorrect.engines import thoughts
from selfincorrect.engines.requests import ERROR, Response


def missing(*responses: Response) -> Chosen:
    """No choice, for the reason that responses without an answer give: a server's failure, if there is one,
    since it is asked again.
    """
    reasons = [response.finish_reason for response in responses]
    return Chosen((), None, cast(How, ERROR if ERROR in reasons else reasons[0]))


def thought_only(response: Response) -> bool:
    """Whether a response is nothing but a thought, one that never ends or one beside an empty text."""
    text = response.text or ""
    return thoughts.unfinished(text) or bool(response.reasoning and not text.strip())

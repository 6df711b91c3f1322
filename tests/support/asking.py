"""An engine without a model, and requests to it through the store."""

from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import CONTEXT, Decoding, Request, Response
from selfincorrect.models.ask import OpenedModel
from selfincorrect.models.store import ResponseStore


class Engine:
    """Answers with the prompt's length; refuses what does not fit, as real engines do."""

    def __init__(self, context=None):
        self.context, self.asked = context, 0

    def answer(self, requests, stop=lambda: False):
        for request in requests:
            self.asked += 1
            tokens = len(request.prompt.query)
            if self.context is not None and tokens + request.decoding.max_tokens > self.context:
                yield [(request, Response(None, request.prompt.query, CONTEXT, tokens, 0, None, sent=False))]
            else:
                yield [(request, Response("x", request.prompt.query, "stop", tokens, 1, -1.0))]


REQUESTS = [Request(Prompt("", (), "q" * length), Decoding(4, 0.0, 1.0, ()), None) for length in (3, 30, 3)]


def opened(folder, context, engine):
    return OpenedModel("model", "digest", "completion", context, ResponseStore(folder), engine, {})

"""A request as a model reads it, and the responses that need no decoding."""

from collections.abc import Sequence
from dataclasses import dataclass

from selfincorrect.engines.requests import CONTEXT, Request, Response
from selfincorrect.engines.transformers import scoring


@dataclass
class Read:
    """A request as the model reads it: its text, the tokens of its prompt, and its options.

    `query` is how many tokens of the prompt come from its query on. `shared` tokens of it are those of a
    beginning that others have too; one of these `bears` reading it.
    """

    request: Request
    rendered: str
    prompt: list[int]
    options: Sequence[scoring.Option]
    query: int | None = None
    beginning: int = 0
    shared: int = 0
    bears: bool = False

    @property
    def alone(self) -> int:
        """How many of the shared tokens are read for it."""
        return self.shared if self.bears else 0

    @property
    def stem(self) -> Sequence[int]:
        """The tokens before anything that is decoded or scored."""
        starts = [(option.start, option.tokens) for option in self.options]
        start, tokens = min(starts, default=(len(self.prompt), self.prompt))
        return tokens[:start]

    @property
    def longest(self) -> int:
        """How many tokens there are at most, with the answer."""
        lengths = [len(option.tokens) + len(option.encoded) for option in self.options]
        return max(lengths, default=len(self.prompt) + self.request.decoding.max_tokens)


def too_long(read: Read) -> Response:
    return Response(None, read.rendered, CONTEXT, len(read.prompt), 0, None, sent=False)


def scored_response(read: Read, scores: Sequence[scoring.Scored], encoder: bool) -> Response:
    # An encoder reads the prompt, a decoder the options after it.
    encoded = len(read.prompt) if encoder else 0
    return Response(
        "",
        read.rendered,
        "stop",
        len(read.prompt),
        0,
        None,
        options=tuple(score.logprob for score in scores),
        option_tokens=tuple(score.tokens for score in scores),
        certainties=tuple(score.certainty for score in scores),
        tokens_query=read.query,
        tokens_read=read.alone + encoded + sum(score.read for score in scores),
    )

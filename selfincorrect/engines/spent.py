"""What a stored answer took: tokens and time."""

from dataclasses import dataclass

DIGITS = 16  # of an answer's digest in the response store: enough to tell billions apart


@dataclass(frozen=True)
class Spent:
    """What one answer of the response store took, in tokens and seconds; None is what is not known.

    `answer` begins the digest that it is stored under. `tokens_in` are those of its whole prompt,
    `tokens_options` those of the texts whose probabilities were wanted. `tokens_read` is how many of both
    were read for it alone: not what others of its batch had read, or a server had in its cache;
    `tokens_cached` are those that a server says it had there. `tokens_thought` are among `tokens_out`.
    `seconds` is its share of the time in which answers came.
    """

    answer: str
    tokens_in: int | None
    tokens_options: int
    tokens_read: int | None
    tokens_cached: int | None
    tokens_out: int | None
    tokens_thought: int | None
    seconds: float | None

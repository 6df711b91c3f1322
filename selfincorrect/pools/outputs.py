"""Discrimination outputs that came with a pool, read as choices."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from selfincorrect.discriminate.asked import Preference, preference_of
from selfincorrect.discriminate.choices import choice_row
from selfincorrect.discriminate.parse import Chosen, parse_choice, parse_pattern
from selfincorrect.errors import UserError
from selfincorrect.pools.kinds import OUTPUTS, Outputs
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import turns_of

# Files of outputs do not say which were cut at a limit of tokens: those that are about as long as the longest
# and end inside a sentence. Of short outputs that is no sign.
_AS_LONG, _SHORT = 0.8, 12
_PIECE = re.compile(r"\w+|[^\w\s]")
_INSIDE = re.compile(
    r"(?:[^\W\d_]{2,}|[,;:(=+*/-])\s*\Z"
)  # a word or a sign that goes on, no number or label


def by_conversation(outputs: Mapping[str, str | None], items: Sequence[Question]) -> dict[str, str | None]:
    """The outputs of items by what was asked: a conversation where its turns have one output between them,
    else each item.
    """
    together: dict[str, str | None] = {}
    for cluster, turns in turns_of(items).items():
        names = [turn.question_id for turn in turns]
        said = {outputs.get(name) for name in names} - {None}
        if len(names) > 1 and len(said) <= 1:
            together[cluster] = next(iter(said), None)
        else:
            together |= {name: outputs.get(name) for name in names}
    return together


def output_rows(outputs: Mapping[str, str | None], spec: Outputs, k: int) -> list[dict[str, Any]]:
    """Discrimination outputs that came with a pool, by question, parsed, as rows of `choices.SCHEMA`.

    The model was shown all k candidates as they are in the pool, labelled 1 to k.
    """
    labels = [str(label + 1) for label in range(k)]
    longest = max((_length(output) for output in outputs.values()), default=0)
    rows = []
    for question, output in outputs.items():
        if spec.pattern:
            parsed = _pattern(output or "", labels, spec, question)
        else:
            finished = not _looks_cut(output or "", longest)
            parsed = parse_choice(output or "", labels, spec.ending, finished)
        row = choice_row(question, k, OUTPUTS, range(k), preference_of(range(k), parsed), seed=0)
        rows.append({**row, "output": output})
    return rows


def score_rows(
    name: str,
    scores: Mapping[str, Sequence[float | None]],
    probabilities: bool,
    items: Sequence[Question],
    k: int,
) -> list[dict[str, Any]]:
    """Scores of candidates that came with a pool under a name, by item, as rows of `choices.SCHEMA`.

    The highest is chosen. Turns of a conversation share the choice that their mean scores make.
    """
    rows = []
    for cluster, turns in turns_of(items).items():
        each = zip(*(scores[turn.question_id][:k] for turn in turns), strict=True)
        means = tuple(None if None in said else sum(said) / len(said) for said in each)
        question = cluster if len(turns) > 1 else turns[0].question_id
        preference = Preference(means, None, "none" if all(mean is None for mean in means) else "strict")
        row = choice_row(question, k, name, range(k), preference, seed=0)
        rows.append({**row, "selector": "score", "probabilities": probabilities})
    return rows


def _length(output: str | None) -> int:
    """The words and signs of an output, about its number of tokens."""
    return len(_PIECE.findall(output or ""))


def _looks_cut(output: str, longest: int) -> bool:
    length = _length(output)
    return length >= max(_AS_LONG * longest, _SHORT) and bool(_INSIDE.search(output))


def _pattern(output: str, labels: Sequence[str], spec: Outputs, question: str) -> Chosen:
    try:
        return parse_pattern(output, labels, spec.pattern or "")
    except TimeoutError:
        raise UserError(
            f"The pattern {spec.pattern!r} takes too long on the output of {question}: "
            "it has repetitions inside repetitions. Write a simpler one under `outputs.pattern`."
        ) from None

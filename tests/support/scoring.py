"""A scripted judge of options: how probable a label is follows from what it stands for and where it is."""

import math
import re

from selfincorrect.discriminate import rounds
from selfincorrect.discriminate.choices import choice_rows
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.view import AskingSettings, Drawing, View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant

DRAWING = Drawing(temperature=0.7, top_p=1.0)
SETTINGS = AskingSettings(seed=5, shots=4, choice_tokens=64, answer_tokens=16, drawing=DRAWING)
NAMES = ("Alfa", "Bravo", "Charlie", "Delta")
QUALITY = {"alfa": 0.5, "bravo": 3.0, "charlie": 1.0, "delta": 2.0}


def question(number=0):
    return Question(f"q{number}", f"q{number}", f"Question number {number}?", ("Delta",))


def candidates(*names):
    return [Candidate(name, name.casefold(), float(name == "Delta")) for name in names]


def view(k=4, **options):
    return View(get_task("capitals"), task_prompts("capitals"), Variant(**options), k, [question()], SETTINGS)


def shown(request):
    """The labelled texts of a query, in order, or the one that is shown alone."""
    lines = request.prompt.query.split("\n")
    labelled = [match[2] for line in lines if (match := re.fullmatch(r"([1-9]|[A-D])\. (.*)", line))]
    return labelled or [line.removeprefix("Answer: ") for line in lines if line.startswith("Answer: ")]


def judge(prior=(1.0,) * 4, quality=QUALITY):
    """Answers a request whose options are labels: p of a label is its prior times its text's quality."""

    def respond(request):
        texts = shown(request)
        weights = [slot * quality[text.casefold()] for slot, text in zip(prior, texts, strict=False)]
        return answered(request, [0.8 * each / sum(weights) for each in weights])

    return respond


def answered(request, probabilities):
    """A response that gives each label its probability, half of it to each of two spellings."""
    ways, options = 4, []
    for place in range(len(request.options)):
        p = probabilities[place // ways]
        options.append(math.log(p / 2) if p and place % ways < 2 else -50.0)
    return Response("", request.prompt.text(), "stop", 9, 0, None, options=tuple(options))


def rows(shown_view, pools, respond):
    """Choices of questions 0, 1, … with these pools."""
    questions = [question(number) for number in range(len(pools))]
    pool = {each.question_id: own for each, own in zip(questions, pools, strict=True)}
    asked = discriminations(questions, pool, shown_view)
    told = rounds.answered(
        {"v": asked}, {"v": shown_view}, lambda requests: [respond(each) for each in requests]
    )
    return choice_rows("v", shown_view, pool, told["v"])


def scores(shown_view, respond, names=NAMES):
    """The preference among candidates of these names."""
    [row] = rows(shown_view, [candidates(*names)], respond)
    return row["scores"]

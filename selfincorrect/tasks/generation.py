"""How a task asks for an answer: the prompt that candidates are sampled with."""

from selfincorrect.engines.prompt import Prompt, Turns
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.templates import GenerateTemplate, TaskPrompts


def generation_prompt(question: Question, prompts: TaskPrompts, shots: int, history: Turns = ()) -> Prompt:
    """The few-shot prompt that asks for an answer to `question`, after the turns of `history`."""
    template = prompts.generate
    demonstrations: list[tuple[str, str]] = []
    for each in prompts.demonstrations[:shots]:
        queries = [_query(template, text, place) for place, text in enumerate(each.turns())]
        demonstrations += zip(queries, each.right.turns(), strict=True)
    return Prompt(
        template.instruction,
        tuple(demonstrations),
        _query(template, question.question, len(history)),
        history,
    )


def _query(template: GenerateTemplate, question: str, place: int) -> str:
    form = template.query if place == 0 else template.follow_up
    assert form is not None
    return form.format(question=question)

"""`choose`: the model is shown all candidates and asked which is best (the paper's question)."""

from collections.abc import Callable, Sequence

from selfincorrect.discriminate.asked import Asked, Preference, preference_of
from selfincorrect.discriminate.parse import Chosen, parse_choice
from selfincorrect.discriminate.parse_text import parse_text
from selfincorrect.discriminate.unanswered import missing, thought_only
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.templates import Reply, replies


class Choose:
    asks, graded, slots, alone = True, False, True, False
    options = frozenset({"candidates", "distractors", "order", "labels", "shots"})
    options |= {"rationale", "answer", "wording"}
    why = ""
    standard, compared, probabilities = True, True, False

    def calls(self, k: int) -> int:
        return 1

    def rationale(self, view: View) -> bool:
        return view.prompts.rationale(view.variant)

    def reply(self, view: View) -> Reply:
        return replies().of(self.rationale(view), view.variant.answer)

    def instruction(self, view: View) -> str:
        wording = view.template.wordings[view.variant.wording - 1].format(**view.words())
        return f"{wording} {self.reply(view).instruction.format(**view.words())}"

    def parts(self, shown: Sequence[str]) -> list[list[str]]:
        return [list(shown)]

    def listed(self, view: View, part: Sequence[str]) -> str:
        return "\n".join(view.labelled(part))

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Callable[[], str]
    ) -> tuple[Sequence[str], str]:
        label, text = view.labels[position], shown[position]
        return shown, self.reply(view).response.format(label=label, text=text, reasons=reasons())

    def read(self, view: View, asked: Asked, responses: Sequence[Response]) -> Preference:
        [shown], [response] = asked.shown, responses
        return preference_of(shown.order, self._chosen(view, shown.texts, response))

    def _chosen(self, view: View, texts: Sequence[str], response: Response) -> Chosen:
        if response.text is None:
            return missing(response)
        if thought_only(response):
            return Chosen((), None, "thought")
        finished, ending = response.finish_reason != "length", self.reply(view).ending
        if view.variant.answer == "text":
            return parse_text(response.text, texts, view.labelled(texts), ending, view.task.extract, finished)
        return parse_choice(response.text, view.labels, ending, finished, texts)


SELECTOR = Choose()

"""`choose`: the model is shown all candidates and asked which is best (the paper's question)."""

from collections.abc import Sequence
from typing import Any, Literal

from selfincorrect.discriminate.asked import Asked, Part, Preference, Shown, votes
from selfincorrect.discriminate.parse import Chosen, parse_choice
from selfincorrect.discriminate.parse_text import parse_text
from selfincorrect.discriminate.selectors.base import Asks, Reasons
from selfincorrect.discriminate.unanswered import missing, thought_only
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.templates import Reply, replies


class Labelled(Asks):
    """What selectors have in common that ask for the label of the best candidate."""

    options = Asks.options | {"order", "orders", "labels", "wording"}

    def reply(self, view: View) -> Reply:
        return replies().label

    def instruction(self, view: View) -> str:
        wording = view.template.wordings[view.variant.wording - 1].format(**view.words())
        return f"{wording} {self.reply(view).instruction.format(**view.words())}"

    def listed(self, view: View, shown: Sequence[str], part: Part) -> str:
        return "\n".join(view.labelled([shown[slot] for slot in part.slots]))

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Reasons
    ) -> tuple[Part, str]:
        label, text = view.labels[position], shown[position]
        told = self.reply(view).response.format(label=label, text=text, reasons=reasons())
        return Part(tuple(range(len(shown)))), told


class Choose(Labelled):
    slots, standard, why = True, True, ""
    policy: Literal["all", "undecided"] = "all"
    options = Labelled.options | {"rationale", "answer", "samples"}

    def rationale(self, view: View) -> bool:
        return view.prompts.rationale(view.variant)

    def reply(self, view: View) -> Reply:
        return replies().of(self.rationale(view), view.variant.answer)

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        each = [shown for shown in asked.shown for _ in shown.requests]
        chosen = [
            self._chosen(view, shown, response) for shown, response in zip(each, responses, strict=True)
        ]
        if len(chosen) > 1:
            return votes(asked, each, chosen)
        [shown], [choice] = each, chosen
        if not choice.slots:
            return asked.unread(choice)
        picked = {shown.order[slot] for slot in choice.slots}
        scores = {sample: float(sample in picked) for sample in shown.order}
        return asked.preference(scores, choice.parsed, choice.how)

    def _chosen(self, view: View, shown: Shown, response: Response) -> Chosen:
        if response.text is None:
            return missing(response)
        if thought_only(response):
            return Chosen((), None, "thought")
        view, texts = view.showing(len(shown.order)), shown.texts
        finished, ending = response.finish_reason != "length", self.reply(view).ending
        if view.variant.answer == "text":
            return parse_text(response.text, texts, view.labelled(texts), ending, view.task.extract, finished)
        return parse_choice(response.text, view.labels, ending, finished, texts)


SELECTOR = Choose()

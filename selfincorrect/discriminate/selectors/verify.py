"""`verify`: the model says of each candidate alone, after reasons, whether it is right; several times.

Zhang et al. 2024, "Generative Verifiers" (arXiv 2408.15240); Singhi et al. 2025 (arXiv 2504.01005).
"""

import re
from collections.abc import Sequence
from typing import Any

from selfincorrect.discriminate.asked import Asked, Part, Preference
from selfincorrect.discriminate.parse import How, plain
from selfincorrect.discriminate.selectors.base import Alone, Reasons
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.templates import Reply, replies

YES, NO = "Yes", "No"
_VERDICT = re.compile(r"\bverdict\b\W{0,8}(yes|no)\b", re.IGNORECASE)
_LAST = re.compile(r"^\W*(yes|no)\b\W*$", re.IGNORECASE)


class Verify(Alone):
    probabilities, default_samples = True, 2
    options = Alone.options | {"samples"}

    def rationale(self, view: View) -> bool:
        return True

    def reply(self, view: View) -> Reply:
        return replies().verify

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Reasons
    ) -> tuple[Part, str]:
        """One answer, what is right or wrong with it, and the verdict; right and wrong answers take turns."""
        right = index % 2 == 0
        place = position if right else (position + 1) % view.k
        told = self.reply(view).response.format(reasons=reasons(place), label=YES if right else NO)
        return Part((place,)), told

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """The share of "Yes" among the verdicts on each candidate that can be read."""
        unanswered = [response for response in responses if response.text is None]
        if len(unanswered) == len(responses):
            return asked.unread(missing(*unanswered))
        [shown] = asked.shown
        verdicts: dict[int, list[float]] = {}
        unread = 0
        for part, response in zip(shown.parts, responses, strict=True):
            said = verdict(response.text or "", response.finish_reason != "length")
            if said is None:
                unread += 1
            else:
                verdicts.setdefault(shown.order[part.slots[0]], []).append(float(said))
        scores = {sample: sum(each) / len(each) for sample, each in verdicts.items()}
        told = " ".join(f"{sum(verdicts.get(s, [])):.0f}/{len(verdicts.get(s, []))}" for s in shown.order)
        how: How = "none" if not scores else "loose" if unread else "strict"
        return asked.preference(scores, told, how)


def verdict(output: str, finished: bool = True) -> bool | None:
    """Whether an output says that an answer is right; None where it says neither.

    It is the last line of the instructed form, else a last line that is nothing but a yes or a no.
    """
    text = plain(output) or ""
    found = _VERDICT.findall(text)
    if not found and finished and text:
        found = _LAST.findall(text.splitlines()[-1])
    return found[-1].lower() == YES.lower() if found else None


SELECTOR = Verify()

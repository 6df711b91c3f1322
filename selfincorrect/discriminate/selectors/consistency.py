"""`consistency`: the model names the answer that agrees most with the others.

Chen et al. 2023, "Universal Self-Consistency" (arXiv 2311.17311).
"""

from typing import Literal

from selfincorrect.discriminate.selectors.choose import Choose
from selfincorrect.discriminate.view import View
from selfincorrect.tasks.templates import Reply, replies


class Consistency(Choose):
    standard = False
    policy: Literal["all", "undecided"] = "undecided"
    options = Choose.options - {"rationale", "answer", "wording"}
    why = "it is asked for the label of the answer that agrees most with the others"

    def rationale(self, view: View) -> bool:
        return False

    def reply(self, view: View) -> Reply:
        return replies().consistency

    def instruction(self, view: View) -> str:  # none of the wordings that ask for the best
        return self.reply(view).instruction.format(**view.words())


SELECTOR = Consistency()

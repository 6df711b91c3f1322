"""`planted`: a positive control, which knows the grades and uses them with a given skill."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import Given, NoModel

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Planted(NoModel):
    graded, knows, compared, free, options = True, True, False, False, frozenset({"skill"})
    why = "it knows the grades"

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float]:
        """1 for the best candidates with probability `skill`, else for one that is drawn."""
        grades = [0.0 if each.grade is None else each.grade for each in candidates]
        knows, drawn = given.draw.random() < (given.variant.skill or 0.0), given.draw.randrange(len(grades))
        return [float(g == max(grades) if knows else i == drawn) for i, g in enumerate(grades)]


SELECTOR = Planted()

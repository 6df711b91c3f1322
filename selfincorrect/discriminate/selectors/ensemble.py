"""`ensemble`: the mean of the ranks that other variants give a candidate (Borda)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import Given, NoModel

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Ensemble(NoModel):
    free, options = False, NoModel.options | {"of"}
    why = "nothing is asked but what its variants ask"

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float | None]:
        """The mean rank of each candidate; one without a score is below those with one, of which it has none
        at all where no variant gives any.
        """
        from scipy.stats import rankdata  # slow to import

        known = [each for each in given.others if any(score is not None for score in each)]
        if not known:
            return [None] * len(candidates)
        ranks = [rankdata([float("-inf") if score is None else score for score in each]) for each in known]
        return [float(sum(rank) / len(ranks)) for rank in zip(*ranks, strict=True)]


SELECTOR = Ensemble()

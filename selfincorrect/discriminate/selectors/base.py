"""What a selector is made of: a model is asked, or a rule chooses.

A selector is a file in this folder with an object SELECTOR, and its entry in `registry.BUILT_IN`; one of
another package is an entry point of the group `selfincorrect.selectors`, by its name.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from selfincorrect.discriminate.asked import Asked, Preference
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.templates import Reply
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Selector(Protocol):
    """A way of choosing among candidates.

    `asks` says whether a model is asked, `graded` whether it needs grades, and `slots` whether it picks a
    position that was shown, so that positions can be counted. `options` are those of a variant that mean
    something to it, and `why` says why no other does. `standard` says whether all other ways of choosing are
    compared with it, `compared` whether it is compared at all: not what knows the grades, or draws.
    `probabilities` says whether its scores are probabilities that a candidate is right.
    """

    asks: bool
    graded: bool
    slots: bool
    options: frozenset[str]
    why: str
    standard: bool
    compared: bool
    probabilities: bool


class Asking(Selector, Protocol):
    """A selector that asks a model, once about all candidates or, where it is `alone`, about each of them."""

    alone: bool

    def calls(self, k: int) -> int:
        """The number of answers that it takes for one question."""

    def rationale(self, view: View) -> bool:
        """Whether reasons are asked for."""

    def reply(self, view: View) -> Reply:
        """The form of reply that is asked for."""

    def instruction(self, view: View) -> str: ...

    def parts(self, shown: Sequence[str]) -> list[list[str]]:
        """The candidates of each request."""

    def listed(self, view: View, part: Sequence[str]) -> str:
        """The candidates of a request as its prompt shows them."""

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Callable[[], str]
    ) -> tuple[Sequence[str], str]:
        """What demonstration number `index` shows, and its response; the right answer is at `position`."""

    def read(self, view: View, asked: Asked, responses: Sequence[Response]) -> Preference:
        """What the responses to the requests of `asked`, in their order, say of its candidates."""


class Rule(Selector, Protocol):
    """A selector that chooses without a model: what a model's own choice has to beat."""

    shared: bool  # whether candidates that tie share the choice; else one of them is drawn

    own: bool  # whether it needs what the engine said of the model's own answers

    def scores(self, candidates: Sequence["Candidate"], variant: Variant) -> Sequence[float | None]:
        """A score for each candidate, None where there is none to give; the highest is chosen."""


class NoModel:
    """What most rules have in common."""

    asks, graded, slots, shared, options = False, False, False, True, frozenset[str]()
    why = "this rule asks no model"
    standard, compared, probabilities, own = False, True, False, False

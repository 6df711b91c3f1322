"""What a selector is made of: a model is asked, or a rule chooses.

A selector is a file in this folder with an object SELECTOR, and its entry in `registry.BUILT_IN`; one of
another package is an entry point of the group `selfincorrect.selectors`, by its name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Protocol

from selfincorrect.discriminate.asked import Asked, Part, Preference, Shown
from selfincorrect.discriminate.orders import Order, orders_of
from selfincorrect.discriminate.view import NO_ANSWER, View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.templates import Reply
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


DISCRIMINATORS = frozenset({"discriminator", "discriminators"})  # options that say which model is asked

Reasons = Callable[..., str]  # of all answers, or of the one at a place
Scores = Sequence[float | None]  # by sample
Orders = Mapping[str, tuple[Order, ...]]  # of each question, by id


class Selector(Protocol):
    """A way of choosing among candidates.

    `asks` says whether a model is asked, `graded` whether it needs grades, and `slots` whether it picks a
    position that was shown, so that positions can be counted. `options` are those of a variant that mean
    something to it, and `why` says why no other does. `standard` says whether all other ways of choosing are
    compared with it, `compared` whether it is compared at all: not what knows the grades, or draws.
    `pointwise` says whether a candidate has its score whatever the others are, `votes` whether it is the
    share of those with its normal form, `central` whether it is the mean similarity to the others.
    """

    asks: bool
    graded: bool
    slots: bool
    options: frozenset[str]
    why: str
    standard: bool
    compared: bool
    pointwise: bool
    votes: bool
    central: bool

    def probable(self, variant: Variant) -> bool:
        """Whether its scores are probabilities that a candidate is right."""

    def compares(self, variant: Variant) -> bool:
        """Whether its scores are means over comparisons of each candidate with each."""


class Asking(Selector, Protocol):
    """A selector that asks a model.

    `policy` is what it asks unless a variant says: about "all" questions, or those that are "undecided".
    Where it is `listing`, its outputs are kept as a list, even a single one. Where it is `scoring`, it wants
    the probabilities of options, which not every engine tells; where it `continues`, these are the candidates
    themselves, as answers to their question, and all that an engine knows of them. It may show `final`
    answers whatever else is shown, and be `numeric`: for tasks with numbers in their questions alone.
    """

    policy: Literal["all", "undecided"]
    listing: bool
    scoring: bool
    continues: bool
    final: bool
    numeric: bool

    def calls(self, variant: Variant, k: int) -> int:
        """The number of answers that it takes for one question at most."""

    def orders(self, view: View, samples: Mapping[str, Sequence[int]]) -> Orders:
        """The orders in which the samples of each question are shown."""

    def samples(self, variant: Variant) -> int:
        """The number of outputs that each request is answered with: drawn ones, if several."""

    def labelled(self, k: int, count: int) -> int:
        """The number of labels in a request, where `count` of k candidates are shown."""

    def scored(self, view: View) -> tuple[str, ...]:
        """The texts whose probabilities are wanted of a request; none where an answer is."""

    def ended(self, view: View) -> tuple[str, ...]:
        """Those of these texts that are to be all of the answer."""

    def rationale(self, view: View) -> bool:
        """Whether reasons are asked for."""

    def reply(self, view: View) -> Reply:
        """The form of reply that is asked for."""

    def instruction(self, view: View) -> str: ...

    def parts(self, view: View, question: Question, texts: Sequence[str]) -> list[Part]:
        """What the requests about candidates of these `texts`, in one order, are about."""

    def more(self, view: View, asked: Asked, responses: Sequence[Response]) -> list[Part]:
        """What is asked about next, where that follows from the responses so far; nothing at the end."""

    def question(self, view: View, text: str, form: int) -> str:
        """The text of a question as a request of this form asks it."""

    def listed(self, view: View, shown: Sequence[str], part: Part) -> str:
        """The candidates of a request, of all that are `shown`, as its prompt shows them."""

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Reasons
    ) -> tuple[Part, str]:
        """What demonstration number `index` is about, and its response; the right answer is at `position`.

        `reasons` gives what is said of all answers before one is chosen, or of the one at a place.
        """

    def teaches(self, view: View, asked: Asked) -> bool:
        """Whether the responses to the requests of `asked` tell something about other questions."""

    def learn(self, view: View, asked: Sequence[Asked], responses: Sequence[Sequence[Response]]) -> Any:
        """What the responses of all that teach tell together, which each is then read with."""

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """What the responses to the requests of `asked`, in their order, say of its candidates."""


class Asks:
    """What most selectors that ask have in common: one request about all candidates in each order."""

    asks, graded, slots, standard, compared, listing = True, False, False, False, True, False
    probabilities, scoring, continues = False, False, False
    pointwise, votes, central = False, False, False
    final, numeric = False, False
    policy: Literal["all", "undecided"] = "undecided"
    default_orders: str | None = None
    default_samples = 1
    options = DISCRIMINATORS | {
        "candidates",
        "show",
        "distractors",
        "shots",
        "distinct",
        "by",
        "ask",
        "framing",
    }

    def probable(self, variant: Variant) -> bool:
        return self.probabilities

    def compares(self, variant: Variant) -> bool:
        return False

    def orders(self, view: View, samples: Mapping[str, Sequence[int]]) -> Orders:
        seed, k, default = view.settings.seed, view.k, self.default_orders
        return {name: orders_of(view.variant, each, name, k, seed, default) for name, each in samples.items()}

    def calls(self, variant: Variant, k: int) -> int:
        orders = orders_of(variant, range(k), "", k, 0, self.default_orders)
        return len(orders) * self.count(k) * self.samples(variant)

    def count(self, k: int) -> int:
        """The number of parts in one order of k candidates."""
        return 1

    def samples(self, variant: Variant) -> int:
        return variant.samples or self.default_samples

    def labelled(self, k: int, count: int) -> int:
        return count

    def scored(self, view: View) -> tuple[str, ...]:
        return ()

    def ended(self, view: View) -> tuple[str, ...]:
        return ()

    def rationale(self, view: View) -> bool:
        return False

    def reply(self, view: View) -> Reply:
        raise NotImplementedError

    def instruction(self, view: View) -> str:
        return self.reply(view).instruction.format(**view.words())

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Reasons
    ) -> tuple[Part, str]:
        raise NotImplementedError

    def question(self, view: View, text: str, form: int) -> str:
        return text

    def parts(self, view: View, question: Question, texts: Sequence[str]) -> list[Part]:
        return [Part(tuple(range(len(texts))))]

    def more(self, view: View, asked: Asked, responses: Sequence[Response]) -> list[Part]:
        return []

    def teaches(self, view: View, asked: Asked) -> bool:
        return False

    def learn(self, view: View, asked: Sequence[Asked], responses: Sequence[Sequence[Response]]) -> Any:
        return None


class Alone(Asks):
    """What selectors have in common that show each candidate alone, in the order drawn."""

    listing, pointwise, why = True, True, "each is shown alone"

    def labelled(self, k: int, count: int) -> int:
        return k  # demonstrations are then those of k candidates, however many there are

    def count(self, k: int) -> int:
        return k

    def parts(self, view: View, question: Question, texts: Sequence[str]) -> list[Part]:
        return [Part((slot,)) for slot in range(len(texts))]

    def listed(self, view: View, shown: Sequence[str], part: Part) -> str:
        return f"{view.words()['Noun']}: {shown[part.slots[0]]}"


class Read(Alone):
    """What selectors have in common for which the model reads each answer after its question."""

    scoring, continues = True, True

    def by_candidate(self, shown: Shown, responses: Sequence[Response]) -> Iterator[list[Response]]:
        """The responses about each candidate shown, a turn each; none about one that lacks an answer."""
        for slot, text in enumerate(shown.texts):
            about = [
                response
                for part, response in zip(shown.parts, responses, strict=True)
                if part.slots == (slot,)
            ]
            yield about if text != NO_ANSWER else []


@dataclass(frozen=True)
class Given:
    """What a rule knows beside the candidates of a question.

    `draw` is the question's own, and `others` are scores by the variants that its variant names.
    """

    variant: Variant
    draw: Random
    others: Sequence[Scores]


class Rule(Selector, Protocol):
    """A selector that chooses without a model: what a model's own choice has to beat."""

    shared: bool  # whether candidates that tie share the choice; else one of them is drawn

    own: bool  # whether it needs what the engine said of the model's own answers

    knows: bool  # whether it chooses by the grades themselves

    free: bool  # whether it needs no option, so that it can stand beside every pool

    asked: Asking | None  # what stands for it where another model is asked about the answers

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> Scores:
        """A score for each candidate, None where there is none to give; the highest is chosen."""


class NoModel:
    """What most rules have in common."""

    asks, graded, slots, shared, options = False, False, False, True, frozenset[str]()
    why = "this rule asks no model"
    standard, compared, probabilities, own, knows, free = False, True, False, False, False, True
    pointwise, votes, central = False, False, False
    asked: Asking | None = None

    def probable(self, variant: Variant) -> bool:
        return self.probabilities

    def compares(self, variant: Variant) -> bool:
        return False

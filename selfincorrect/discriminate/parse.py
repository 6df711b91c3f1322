"""Read the choice from a discrimination output: the instructed ending first, then more loosely.

Thoughts are taken off before anything is read. Labels are digits or capital letters, and all labels are read by the same
rules: a letter that is also a word (A, I) counts where any other letter would.
"""

import bisect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import regex  # as `re`, with a limit of time

from selfincorrect.engines import thoughts

PATTERN_SECONDS = 2.0
SCORES = [str(score) for score in range(1, 11)]

How = Literal[
    "strict", "loose", "none", "conflict", "range", "cut", "thought", "context", "refused", "filtered", "error"
]


@dataclass(frozen=True)
class Chosen:
    """What an output chose: `slots` are positions shown, from 0, several where it cannot tell them apart, none if it is invalid.

    `parsed` is what was read, `how` how strictly, or why nothing was.
    """

    slots: tuple[int, ...]
    parsed: str | None
    how: How


_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_MATHS = re.compile(
    r"\$\s{0,3}(?:\\(?:boxed|text|mathbf)\{)?(\w{1,4})\}?\s{0,3}\$|\\\(\s{0,3}(\w{1,4})\s{0,3}\\\)|\\boxed\{(\w{1,4})\}"
)
_EMPHASIS = re.compile(r"(?<!\w)_{1,3}(\w{1,4}?)_{1,3}(?!\w)")

_NOUN = r"solution|answer|option|candidate|choice|response|result|number|letter|label|sentence|review|acronym|conversation|no\."
_NUMBER, _LETTER = r"-?\d+(?:[.,]\d+)*", r"[A-Za-z]"
# What may follow a label without being a part of what is named: "2 is right" names 2, "2 apples" and "2 or 3" do not.
_CLAUSE = r"(?:is|because|since|as|which|for|seems|looks|gives|has)\b(?!\s+(?:not|wrong|incorrect|false)\b)"
_DASH = r"[-–—]"
_AFTER = rf"(?=[\W_]*$|[.)\]>}}:]\W*\s+\S|\W{{0,4}}\(|\W{{0,4}}\s{_DASH}\s|\W{{0,4}}\s{_CLAUSE}|,\s+{_CLAUSE})"
_ALSO = re.compile(r"\s*[\W_]{0,6}(?:or|and|/|&|to)\b|\s*[/&+]")


def plain(output: str) -> str | None:
    """An output as it is read: without thoughts, with ASCII digits and letters for full-width ones, without mathematical and
    emphasised dress around a label. None where a thought never ends."""
    text = thoughts.answer(output)
    if text is None:
        return None
    text = _MATHS.sub(lambda match: match[1] or match[2] or match[3], text.translate(_FULL_WIDTH))
    return _EMPHASIS.sub(r"\1", text).strip()


class _Labels:
    """The labels that were shown, and how one of their kind is found in a line."""

    def __init__(self, labels: Sequence[str], shown: Sequence[str]) -> None:
        self.labels, self.digits = labels, labels[0].isdigit()
        self.known = {label.casefold(): label for label in labels}
        self.texts = {
            label.casefold(): _words(text) for label, text in zip(labels, shown, strict=False) if text.strip()
        }
        kind = _NUMBER if self.digits else _LETTER
        # A dash before a number is a minus, unless a space parts them.
        self._start = re.compile(
            rf"[^\w\n-]*(?:{_DASH}+[^\w\n-]+)?(?P<noun>(?:the\s)?(?:best\s|final\s)?(?:{_NOUN})(?:\sis|\snumber)?[^\w\n-]{{0,6}})?"
            rf"(?P<label>{kind})(?!\w)",
            re.IGNORECASE,
        )
        self._after = re.compile(_AFTER, re.IGNORECASE)

    def named(self, line: str) -> tuple[str, bool] | None:
        """The label that `line` begins with, and whether a noun stands before it ("Solution 2"). None if it names no single one."""
        match = self._start.match(line)
        if not match:
            return None
        label, rest = match["label"], line[match.end() :]
        if _ALSO.match(rest):
            return None
        own = self.texts.get(label.casefold())
        if not self._after.match(rest) and (own is None or _words(rest).strip("*_`\"'.: ") != own.strip("*_`\"'.: ")):
            return None
        return label, bool(match["noun"])

    def chosen(self, label: str, how: Literal["strict", "loose"]) -> Chosen:
        known = self.known.get(label.casefold())
        return Chosen((), None, "range") if known is None else Chosen((self.labels.index(known),), known, how)


def parse_choice(
    output: str, labels: Sequence[str], ending: str, finished: bool = True, shown: Sequence[str] = ()
) -> Chosen:
    """The label that `output` ends on.

    `ending` is the instructed ending with a place for the label, such as "### {label}"; `shown` are the candidates' texts, which an
    output may repeat after their label. Strict: lines that are just that ending; one label among them is the choice, different
    ones conflict. A marked line without a label is a heading if text follows, and an ending that names none if it is the last.
    Else loose: the last label that stands alone, outside of headings. An output that was cut at its token limit (not
    `finished`) has no ending: its last number is none, and it is read strictly only.
    """
    text = plain(output)
    if text is None:
        return Chosen((), None, "thought")
    known, marker = _Labels(labels, shown), ending.split("{label}")[0].strip()
    lines = text.split("\n")
    if not marker:  # a bare label: the last line is the ending, perhaps with the answer repeated ("2. Paris")
        found = known.named(lines[-1])
        if found and not found[1]:
            return known.chosen(found[0], "strict")
        return _loose(text, known) if finished else Chosen((), None, "cut")
    # Not part of a longer marker: `#### 4` is how an answer ends, `### 4` how a choice does.
    marked = re.compile(rf"[^\w\n]*?(?<!#){re.escape(marker)}(?!#)")
    named: list[str] = []
    unmarked: list[str] = []
    for place, line in enumerate(lines):
        match = marked.match(line)
        if not match:
            unmarked.append(line)
            continue
        found, last = known.named(line[match.end() :]), place == len(lines) - 1
        if found and (not found[1] or (last and finished)):
            named.append(found[0])
        elif last:
            return Chosen((), None, "none" if finished else "cut")
    if len({label.casefold() for label in named}) > 1:
        return Chosen((), None, "conflict")
    if named:
        return known.chosen(named[-1], "strict")
    return _loose("\n".join(unmarked), known) if finished else Chosen((), None, "cut")


def parse_pattern(output: str, labels: Sequence[str], pattern: str) -> Chosen:
    """The label in the last match of `pattern`, a regular expression with one group, for outputs with rules of their own.

    Raises TimeoutError if that takes longer than PATTERN_SECONDS.
    """
    text = thoughts.answer(output)
    if text is None:
        return Chosen((), None, "thought")
    found = regex.findall(pattern, text, timeout=PATTERN_SECONDS)
    return _Labels(labels, ()).chosen(found[-1], "strict") if found else Chosen((), None, "none")


# What a word follows is a count ("2 apples") or a word itself ("A city"), unless that word goes on about a choice, or a noun
# stands before it ("option 2 gives").
_GOES_ON = rf"(?=\s*(?:$|\n|[^\w\s])|\s+{_CLAUSE})"
_NAMED = rf"\b(?i:{_NOUN})s?[ *_`\"'(\[#]{{1,4}}"
_ALONE_NUMBER = rf"{_NAMED}({_NUMBER})(?![\w%]|[.,]\d)|(?<![\w.,$-])#?(?<!##)({_NUMBER})(?![\w%]|[.,]\d){_GOES_ON}"
_ALONE_LETTER = rf"{_NAMED}([A-Z])(?![\w'’&$-]|\.\w)|(?<![\w'’.&$-])([A-Z])(?![\w'’&$-]|\.\w){_GOES_ON}"


def _loose(text: str, known: _Labels) -> Chosen:
    """The last label that stands alone: no part of a number, price or percentage, no article or pronoun."""
    found = re.findall(_ALONE_NUMBER if known.digits else _ALONE_LETTER, text)
    alone = [first or second for first, second in found]
    inside = [each for each in alone if each.casefold() in known.known]
    if inside:
        return known.chosen(inside[-1], "loose")
    return Chosen((), None, "range" if alone else "none")


def parse_text(
    output: str,
    shown: Sequence[str],
    labelled: Sequence[str],
    ending: str,
    form: Callable[[str], str | None],
    finished: bool = True,
) -> Chosen:
    """The candidates whose text `output` ends on, after the marker of `ending`, such as "###\\n{text}".

    Strict: the same words, or those of a candidate as it is `labelled` ("2. Paris"). Else loose, by the normal form that `form`
    gives. Candidates alike in it are chosen together. An output that was cut (not `finished`), or without the marker, is read
    strictly only.
    """
    text = thoughts.answer(output)
    if text is None:
        return Chosen((), None, "thought")
    marker = ending.split("{text}")[0].strip()
    # Not part of a longer marker. Candidates may hold it too: any of them may be the one that was meant.
    places = [match.end() for match in re.finditer(rf"(?<!#){re.escape(marker)}(?!#)", text)] if marker else [0]
    wanted = [{_words(one), _words(other)} for one, other in zip(shown, labelled, strict=True)]
    for words in _tails(text, [*places, 0], {len(each) for pair in wanted for each in pair}):
        same = tuple(slot for slot, pair in enumerate(wanted) if words in pair)
        if same:
            return Chosen(same, words, "strict")
    if not finished:
        return Chosen((), None, "cut")
    read = form(text[places[-1] :]) if places else None
    alike = tuple(slot for slot, each in enumerate(shown) if read is not None and form(each) == read)
    return Chosen(alike, read, "loose") if alike else Chosen((), None, "none")


def _words(text: str) -> str:
    return " ".join(text.split())


def _tails(text: str, places: Sequence[int], lengths: set[int]) -> list[str]:
    """The `_words` of `text` from each of `places` on, of those that have one of `lengths`. Whatever their number, `text` is
    read once: each tail is a piece of the whole text's words."""
    starts, ends, offsets, length = [], [], [], 0
    for match in re.finditer(r"\S+", text):
        starts.append(match.start())
        ends.append(match.end())
        offsets.append(length)
        length += len(match.group()) + 1
    whole, tails = _words(text), []
    for place in places:
        word = bisect.bisect_right(ends, place)  # the first that goes on after it
        offset = offsets[word] + max(0, place - starts[word]) if word < len(ends) else len(whole)
        if len(whole) - offset in lengths:
            tails.append(whole[offset:])
    return tails


_OUT_OF_TEN = re.compile(
    r"(?<![\w.,/-])(\d{1,4}(?:[.,]\d{1,4})?)[\s*_`\"']{0,4}(?:points?|marks?|stars?)?[\s*_`\"']{0,4}(?:/|out\sof|of)[\s*_`\"']{0,4}(?:10|ten)\b",
    re.IGNORECASE,
)
# No scores: another scale, and the words that name the scale.
_OTHER_SCALE = re.compile(
    r"(?<![\w.,/])\d+(?:[.,]\d+)?[\s*_`]{0,4}(?:points?|marks?|stars?)?[\s*_`]{0,4}(?:/|out\sof)[\s*_`]{0,4}\d+(?:[.,]\d+)?|"
    r"(?:\b(?:on\s)?(?:a\s)?scale\s(?:of|from)\s)?\b(?:1|one)\s?(?:to|[-–—])\s?(?:10|ten)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(r"(?<=\d)([*_`]{0,3})\s(?:points?|marks?)\b", re.IGNORECASE)


def parse_score(output: str, finished: bool = True) -> int | None:
    """The score from 1 to 10 that `output` gives, None if it gives none. A score out of ten counts, also in an output cut later;
    one out of another number is none."""
    text = plain(output)
    if text is None:
        return None
    out_of_ten = _OUT_OF_TEN.search(text)
    if out_of_ten:
        given = re.sub(r"[.,]0+$", "", out_of_ten.group(1))
        return int(given) if given in SCORES else None
    read = parse_choice(_POINTS.sub(r"\1", _OTHER_SCALE.sub("–", text)), SCORES, "{label}", finished).parsed
    return None if read is None else int(read)

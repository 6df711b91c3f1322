"""Reading of the choice from a discrimination output: the instructed ending first, then more loosely.

Thoughts are taken off before anything is read. Labels are digits or capital letters, and all labels are read
by the same rules: a letter that is also a word (A, I) counts where any other letter would.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import regex  # like `re`, with a limit of time

from selfincorrect.engines import thoughts

PATTERN_SECONDS = 2.0

Read = Literal["strict", "loose"]
Why = Literal["none", "conflict", "range", "cut", "thought", "context", "refused", "filtered", "error"]
How = Read | Why | Literal["scored", "decided"]


@dataclass(frozen=True)
class Chosen:
    """What an output chose.

    `slots` are positions shown, from 0, several where it cannot tell them apart, none if it is invalid.
    `parsed` is what was read, and `how` says how strictly, or why nothing was.
    """

    slots: tuple[int, ...]
    parsed: str | None
    how: How


_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_MATHS = re.compile(
    r"\$\s{0,3}(?:\\(?:boxed|text|mathbf)\{)?(\w{1,4})\}?\s{0,3}\$|\\\(\s{0,3}(\w{1,4})\s{0,3}\\\)|"
    r"\\boxed\{(\w{1,4})\}"
)
_EMPHASIS = re.compile(r"(?<!\w)_{1,3}(\w{1,4}?)_{1,3}(?!\w)")

_ADJECTIVE = r"best|final|correct|right|chosen|my"
_NOUN = (
    r"solution|answer|option|candidate|choice|response|result|number|letter|label|sentence|review|acronym|"
    r"conversation|no\."
)
_NUMBER, _LETTER = r"-?\d+(?:[.,]\d+)*", r"[A-Za-z]"
# What may follow a label without being a part of what is named: "2 is right" names 2, "2 apples" and "2 or 3"
# do not.
_CLAUSE = r"(?:is|because|since|as|which|for|seems|looks|gives|has)\b"
_BARE = r"[^\w%]*$"
_AFTER = rf"(?:{_BARE}|[.)\]>}}:]\W*\s+\S|\W{{0,4}}\(|\W{{0,4}}\s[-–—]\s|\W{{0,4}}\s{_CLAUSE}|,\s+{_CLAUSE})"
_ALSO = re.compile(
    r"\s*[\W_]{0,6}(?:or|and|/|&|to|as well as)\b|\s*[/&+]|\s*[-–—]\s*(?:\d+|[A-Z])\W*$", re.IGNORECASE
)
# What is said against a label that it follows.
_WRONG = r"(?:not|wrong|incorrect|false|worst|(?:an?\s)?(?:errors?|mistakes?))\b"
_AGAINST = re.compile(
    rf"[^\w,]{{0,6}}(?:(?:is|are|was|looks|seems|has|gives)\s+"
    rf"(?:(?:also|the|clearly|just|simply|probably|still)\s+){{0,2}})?{_WRONG}|\W{{0,6}}[❌✗✘]",
    re.IGNORECASE,
)
# A last line that names no single label and means it.
_NO_CHOICE = re.compile(r"\b(?:none|neither|both|nothing|no)\b|\d|\b[A-Z]\b", re.IGNORECASE)


def plain(output: str) -> str | None:
    """An output as it is read; None where a thought never ends.

    It is without thoughts, has ASCII digits and letters for full-width ones, and no mathematical or
    emphasised dress around a label.
    """
    text = thoughts.answer(output)
    if text is None:
        return None
    text = _MATHS.sub(lambda match: match[1] or match[2] or match[3], text.translate(_FULL_WIDTH))
    return _EMPHASIS.sub(r"\1", text).strip()


@dataclass(frozen=True)
class _Named:
    """A label in a line, and what it is named by.

    Before it stands nothing ("alone"), a "noun" ("Solution 2"), or a choice ("chosen": "The best solution is
    2"); by its "text" a candidate is named without its label.
    """

    label: str
    by: Literal["alone", "text", "noun", "chosen"]


class _Labels:
    """The labels that were shown, and the way in which one of their kind is found in a line."""

    def __init__(self, labels: Sequence[str], shown: Sequence[str]) -> None:
        self.labels, self.digits = labels, labels[0].isdigit()
        self.known = {label.casefold(): label for label in labels}
        self.texts = {
            label.casefold(): words_of(text)
            for label, text in zip(labels, shown, strict=False)
            if text.strip()
        }
        kind = _NUMBER if self.digits else _LETTER
        # A dash before a number is a minus, unless a space parts them.
        self._start = re.compile(
            rf"[^\w\n-]*(?:-+[^\w\n-]+)?(?:(?P<chosen>(?:the\s)?(?:(?:{_ADJECTIVE})\s){{1,2}}(?:{_NOUN})"
            rf"(?:\sis)?[^\w\n-]{{0,6}}|(?:answer|choice)(?:\sis|[*_]{{0,3}}:)[^\w\n-]{{0,6}})|"
            rf"(?P<noun>(?:{_NOUN})(?:\sis|\snumber)?[^\w\n-]{{0,6}}))?(?P<label>{kind})(?!\w)",
            re.IGNORECASE,
        )
        self._after, self._bare = re.compile(_AFTER, re.IGNORECASE), re.compile(_BARE)

    def named(self, line: str, last: bool = True) -> "_Named | None":
        """The label that `line` begins with; None if it names no single one.

        More may be said of it in a `last` line only: before that, "1. Analysis" is a heading.
        """
        whole = _dressed(line)
        texts = {} if self.digits else self.texts
        same = [label for label, text in texts.items() if " " in text and _dressed(text) == whole]
        if len(same) == 1:
            return _Named(same[0], "text")
        match = self._start.match(line)
        if not match:
            return None
        label, rest = match["label"], line[match.end() :]
        if _ALSO.match(rest) or _AGAINST.match(rest) or (not self.digits and re.match(r"\.\s?[A-Z]\b", rest)):
            return None
        own, said = self.texts.get(label.casefold()), _dressed(rest)
        repeats = own is not None and said in (_dressed(own), _dressed(own.split("\n")[0]))
        if not repeats and not (self._after if last else self._bare).match(rest):
            return None
        return _Named(label, "chosen" if match["chosen"] else "noun" if match["noun"] else "alone")

    def chosen(self, label: str, how: Read) -> Chosen:
        known = self.known.get(label.casefold())
        return Chosen((), None, "range") if known is None else Chosen((self.labels.index(known),), known, how)


def parse_choice(
    output: str, labels: Sequence[str], ending: str, finished: bool = True, shown: Sequence[str] = ()
) -> Chosen:
    """The label that `output` ends on.

    `ending` is the instructed ending with a place for the label, such as "### {label}"; `shown` are the
    candidates' texts, which an output may repeat after their label.

    Strict: lines that are just that ending; one label among them is the choice, different ones conflict. A
    marked line without a label is a heading if text follows, and an ending that names none if it is the last.
    Else loose: the last label that stands alone, outside of headings. An output that was cut at its token
    limit (not `finished`) has no ending: its last number is none, and it is read strictly only.
    """
    text = plain(output)
    if text is None:
        return Chosen((), None, "thought")
    known, marker = _Labels(labels, shown), ending.split("{label}")[0].strip()
    lines = text.split("\n")
    if not marker:
        # A bare label: the last line is the ending, perhaps with the answer repeated ("2. Paris").
        found = known.named(lines[-1])
        # A letter that is no label may be a word: "I, as an AI, pick B".
        is_label = found and (known.digits or found.label.casefold() in known.known)
        if found and is_label and found.by in ("alone", "text"):
            return known.chosen(found.label, "strict")
        return _loose(text, known) if finished else Chosen((), None, "cut")
    # The marker is no part of a longer one: `#### 4` is how an answer ends, `### 4` how a choice does.
    marked = re.compile(rf"[^\w\n]*?(?<!#){re.escape(marker)}(?!#)")
    named: list[str] = []
    unmarked: list[str] = []
    for place, line in enumerate(lines):
        match = marked.match(line)
        if not match:
            unmarked.append(line)
            continue
        last = place == len(lines) - 1
        found = known.named(line[match.end() :], last)
        if found and (found.by != "noun" or (last and finished)):
            named.append(found.label)
        elif last and (not named or _NO_CHOICE.search(line)):
            return Chosen((), None, "none" if finished else "cut")
    if len({label.casefold() for label in named}) > 1:
        return Chosen((), None, "conflict")
    if named:
        return known.chosen(named[-1], "strict")
    return _loose("\n".join(unmarked), known) if finished else Chosen((), None, "cut")


def parse_pattern(output: str, labels: Sequence[str], pattern: str) -> Chosen:
    """The label in the last match of `pattern`, for outputs with rules of their own.

    `pattern` is a regular expression with one group. Raises TimeoutError if that takes longer than
    PATTERN_SECONDS.
    """
    text = thoughts.answer(output)
    if text is None:
        return Chosen((), None, "thought")
    found = regex.findall(pattern, text, timeout=PATTERN_SECONDS)
    return _Labels(labels, ()).chosen(found[-1], "strict") if found else Chosen((), None, "none")


# What a word follows is a count ("2 apples") or a word itself ("A city"), unless that word goes on about a
# choice, or a noun stands before it ("option 2 gives").
_GOES_ON = rf"(?=\s*(?:$|\n|[^\w\s])|\s+{_CLAUSE})(?!\s*[*+/=×÷-]\s*\$?\d)"
_NOT_COUNTED = r"(?<!\d[*+/=×÷-])(?<!\d [*+/=×÷-] )"
_NAMED = rf"\b(?i:{_NOUN})s?[ *_`\"'(\[#]{{1,4}}"
_ALONE_NUMBER = (
    rf"{_NAMED}({_NUMBER})(?![\w%]|[.,]\d)|"
    rf"{_NOT_COUNTED}(?<![\w.,$-])#?(?<!##)({_NUMBER})(?![\w%]|[.,]\d){_GOES_ON}"
)
_ALONE_LETTER = rf"{_NAMED}([A-Z])(?![\w'’&$-]|\.\w)|(?<![\w'’.&$-])([A-Z])(?![\w'’&$-]|\.\w){_GOES_ON}"


_DRESS = r"[ *_`\"'(\[#:]{0,6}"
_GOOD = r"best|correct|right"


def _choosing(kind: str) -> re.Pattern[str]:
    """A pattern for what names a label as chosen: "the best is 2", "I pick 2", "2 is right", "2: correct"."""
    label = rf"(?P<{{name}}>{kind})(?![\w%'’]|[.,]\d|[.]\w)"
    noun = rf"(?:(?:{_NOUN}|one){_DRESS}(?:(?:is|would be){_DRESS})?)?"
    goes_on = rf"(?:{_GOES_ON}|(?= (?:over|rather|instead|not|or|and|to)\b))"
    before, verb, after, sign = (label.format(name=name) for name in ("before", "verb", "after", "sign"))
    return re.compile(
        rf"(?i:\b(?:{_GOOD}|final)\b{_DRESS}(?:is{_DRESS})?{noun}"
        rf"(?:(?:is|would be){_DRESS})?){before}{goes_on}|"
        rf"(?i:\b(?:choose|pick|select|prefer|go with|(?:answer|choice)(?: is\b|[*_]{{0,3}}:)){_DRESS}"
        rf"(?:the )?{noun}){verb}{goes_on}|"
        rf"(?<![\w.,$'’-]){after}[*_`\"')\]]{{0,4}} "
        rf"(?i:is (?:(?:clearly|indeed|also|the|my|only) ){{0,2}}(?:{_GOOD}|answer|choice)\b)|"
        rf"(?<![\w.,$'’-]){sign}[*_`\"')\]]{{0,4}}[ :–—-]{{1,4}}(?:(?i:{_GOOD})\b|[✅✓✔])"
    )


_CHOOSING = {True: _choosing(_NUMBER), False: _choosing("[A-Z]")}


def _loose(text: str, known: _Labels) -> Chosen:
    """The one label that is named as chosen; else the last that stands alone.

    That is no part of a number, price, sum or percentage, and no article or pronoun.
    """
    matches = _CHOOSING[known.digits].finditer(text)
    told = [(match[str(match.lastgroup)], text[match.end() :][:40]) for match in matches]
    named = [each for each in told if each[0].casefold() in known.known and not _AGAINST.match(each[1])]
    if len({label.casefold() for label, _ in named}) == 1:
        return Chosen((), None, "none") if _ALSO.match(named[-1][1]) else known.chosen(named[-1][0], "loose")
    found = re.findall(_ALONE_NUMBER if known.digits else _ALONE_LETTER, text)
    alone = [first or second for first, second in found]
    inside = [each for each in alone if each.casefold() in known.known]
    if inside:
        return known.chosen(inside[-1], "loose")
    return Chosen((), None, "range" if alone else "none")


def words_of(text: str) -> str:
    """The words of a text, with one space between them."""
    return " ".join(text.split())


def _dressed(text: str) -> str:
    """The words of a text, without what may stand around them."""
    return words_of(text).strip("*_`\"'.: ")

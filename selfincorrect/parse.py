"""Read the choice from a discrimination output: the instructed ending first, then more loosely."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

SCORES = [str(score) for score in range(1, 11)]


@dataclass(frozen=True)
class Chosen:
    """What an output chose: `slots` are positions shown, from 0, several where it cannot tell them apart, none if it is invalid.

    `parsed` is what was read, `how` how strictly, or why nothing was.
    """

    slots: tuple[int, ...]
    parsed: str | None
    how: Literal["strict", "loose", "none", "conflict", "range", "cut", "context"]


def _labelled(label: str | None, labels: Sequence[str], how: Literal["strict", "loose"]) -> Chosen:
    return Chosen((), None, "range") if label is None else Chosen((labels.index(label),), label, how)


def parse_choice(output: str, labels: Sequence[str], ending: str, finished: bool = True) -> Chosen:
    """The label that `output` ends on.

    `ending` is the instructed ending with a place for the label, such as "### {label}". Strict: lines that are just that
    ending; one label among them is the choice, different ones conflict. Else loose: the last label that stands alone. An
    output that was cut at its token limit (not `finished`) has no ending: its last number is none, and it is read
    strictly only.
    """
    known = {label.casefold(): label for label in labels}
    kind = r"-?\d+(?:[.,]\d+)*" if labels[0].isdigit() else "[A-Za-z]"
    marker = ending.split("{label}")[0].strip()
    text = output.strip()
    if marker:
        # Not part of a longer marker: `#### 4` is how an answer ends, `### 4` how a choice does.
        start = rf"^[^\w\n]*?(?<!#){re.escape(marker)}(?!#)"
        found = re.findall(rf"{start}\s*[(\[]?({kind})\W*$", text, re.MULTILINE)
        named = re.search(start, text, re.MULTILINE) is not None
    else:  # a bare label: the last line is the ending, perhaps with the answer repeated ("2. Paris")
        last = text.rsplit("\n", 1)[-1].strip()
        found = re.findall(rf"^[(\[]?({kind})(?:[)\].:]*$|[)\].:]+\s)", last)
        named = False
    if found:
        if len({label.casefold() for label in found}) > 1:
            return Chosen((), None, "conflict")
        return _labelled(known.get(found[-1].casefold()), labels, "strict")
    if not finished:
        return Chosen((), None, "cut")
    if named:
        return Chosen((), None, "none")  # the ending is there and names no label ("### none of them")
    return _loose(text, labels, kind)


def parse_pattern(output: str, labels: Sequence[str], pattern: str) -> Chosen:
    """The label in the last match of `pattern`, a regular expression with one group, for outputs with rules of their own."""
    found = re.findall(pattern, output)
    if not found:
        return Chosen((), None, "none")
    known = {label.casefold(): label for label in labels}
    return _labelled(known.get(found[-1].casefold()), labels, "strict")


def _loose(text: str, labels: Sequence[str], kind: str) -> Chosen:
    """The last label that stands alone: no part of a number, price or percentage, no article or pronoun."""
    alone = re.findall(rf"(?<![\w.,$#-])({kind})(?![\w%]|[.,]\d)", text)
    if not labels[0].isdigit():
        alone = [each for each in alone if each.isupper() and each not in "AI"]
        alone += re.findall(r"[(\[]([AI])[)\]]", text)
    inside = [each for each in alone if each in labels]
    if inside:
        return _labelled(inside[-1], labels, "loose")
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
    marker = ending.split("{text}")[0].strip()
    # Not part of a longer marker. Candidates may hold it too: any of them may be the one that was meant.
    places = [match.end() for match in re.finditer(rf"(?<!#){re.escape(marker)}(?!#)", output)] if marker else [0]
    for place in [*places, 0]:
        text = _words(output[place:])
        same = tuple(slot for slot, pair in enumerate(zip(shown, labelled, strict=True)) if text in map(_words, pair))
        if same:
            return Chosen(same, text, "strict")
    if not finished:
        return Chosen((), None, "cut")
    read = form(output[places[-1] :]) if places else None
    alike = tuple(slot for slot, each in enumerate(shown) if read is not None and form(each) == read)
    return Chosen(alike, read, "loose") if alike else Chosen((), None, "none")


def _words(text: str) -> str:
    return " ".join(text.split())


def parse_score(output: str, finished: bool = True) -> int | None:
    """The score from 1 to 10 that `output` gives, None if it gives none. A score out of ten counts, also in an output cut later."""
    out_of_ten = re.search(r"(?<![\w.,])(\d+(?:[.,]\d+)?)\s*(?:/|out of)\s*10\b", output)
    if out_of_ten:
        given = out_of_ten.group(1)
        return int(given) if given in SCORES else None
    read = parse_choice(output, SCORES, "{label}", finished).parsed
    return None if read is None else int(read)

"""Read the chosen label from a discrimination output: the instructed ending first, then more loosely."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Parsed:
    """`label` is None where the output names none, several, or one that was not shown; `how` says which."""

    label: str | None
    how: Literal["strict", "loose", "none", "conflict", "range", "cut", "context"]


def parse_choice(output: str, labels: Sequence[str], ending: str, finished: bool = True) -> Parsed:
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
            return Parsed(None, "conflict")
        label = known.get(found[-1].casefold())
        return Parsed(label, "strict") if label else Parsed(None, "range")
    if not finished:
        return Parsed(None, "cut")
    if named:
        return Parsed(None, "none")  # the ending is there and names no label ("### none of them")
    return _loose(text, labels, kind)


def parse_pattern(output: str, labels: Sequence[str], pattern: str) -> Parsed:
    """The label in the last match of `pattern`, a regular expression with one group, for outputs with rules of their own."""
    found = re.findall(pattern, output)
    if not found:
        return Parsed(None, "none")
    known = {label.casefold(): label for label in labels}
    label = known.get(found[-1].casefold())
    return Parsed(label, "strict") if label else Parsed(None, "range")


def _loose(text: str, labels: Sequence[str], kind: str) -> Parsed:
    """The last label that stands alone: no part of a number, price or percentage, no article or pronoun."""
    alone = re.findall(rf"(?<![\w.,$#-])({kind})(?![\w%]|[.,]\d)", text)
    if not labels[0].isdigit():
        alone = [each for each in alone if each.isupper() and each not in "AI"]
        alone += re.findall(r"[(\[]([AI])[)\]]", text)
    inside = [each for each in alone if each in labels]
    if inside:
        return Parsed(inside[-1], "loose")
    return Parsed(None, "range" if alone else "none")

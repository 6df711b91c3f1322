"""Read the chosen label from a discrimination output: the instructed ending first, then more loosely."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Parsed:
    """`label` is None where the output names none, several, or one that was not shown; `how` says which."""

    label: str | None
    how: Literal["strict", "loose", "none", "conflict", "range"]


def parse_choice(output: str, labels: Sequence[str], ending: str) -> Parsed:
    """The label that `output` ends on.

    `ending` is the instructed ending with a place for the label, such as "### {label}". Strict: lines that are just that
    ending; one label among them is the choice, different ones conflict. Else loose: the last label that stands alone.
    """
    known = {label.casefold(): label for label in labels}
    kind = r"-?\d+(?:[.,]\d+)*" if labels[0].isdigit() else "[A-Za-z]"
    before, after = (re.escape(part.strip()) for part in ending.split("{label}"))
    strict = re.compile(
        rf"^\W*?{before}\s*[(\[]?({kind})[)\].]*\s*{after}\s*$" if before
        else rf"^[(\[]?({kind})[)\].]*$",
        re.MULTILINE,
    )  # fmt: skip
    text = output.strip()
    # With a bare label as ending, only the last line is the instructed one.
    found = strict.findall(text if before else text.rsplit("\n", 1)[-1].strip())
    if found:
        if len({label.casefold() for label in found}) > 1:
            return Parsed(None, "conflict")
        label = known.get(found[-1].casefold())
        return Parsed(label, "strict") if label else Parsed(None, "range")
    if before and re.search(rf"^\W*?{before}", text, re.MULTILINE):
        return Parsed(None, "none")  # the ending is there and names no label ("### none of them")
    alone = re.findall(rf"(?<![\w.,$#-])({kind})(?![\w%]|[.,]\d)", text)
    inside = [known[each.casefold()] for each in alone if each.casefold() in known]
    # A lone small "a" is an article, not a label.
    inside = [label for label in inside if label.isdigit() or label in alone]
    return Parsed(inside[-1], "loose") if inside else Parsed(None, "range" if alone and labels[0].isdigit() else "none")

"""What tasks of short writing share: the sentence of an answer and the words in it."""

import re

from selfincorrect.tasks.aliases import first_line

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|[A-Z])\.$")
_LONGEST_ABBREVIATION = 5  # with the character before it
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*(?=\s+[\"'“‘(]?[A-Z])")
_VOWELS = "aeiou"


def normal_form(text: str) -> str:
    """The text in lower case, with single spaces and straight apostrophes."""
    return " ".join(text.lower().replace("’", "'").split())


def extract_line(text: str) -> str | None:
    """The first line in its normal form."""
    return normal_form(first_line(text)) or None


def extract_sentence(text: str) -> str | None:
    """The first sentence of the first line in its normal form.

    It ends at `.`, `!` or `?` before a space and a capital letter; `Mr.`, `Mrs.`, `Ms.`, `Dr.`, `St.` and
    initials do not end it.
    """
    line = first_line(text)
    for match in _SENTENCE_END.finditer(line):
        if not _ABBREVIATION.search(line, max(0, match.end() - _LONGEST_ABBREVIATION), match.end()):
            return normal_form(line[: match.end()])
    return normal_form(line) or None


def form(answer: str) -> str:
    return normal_form(answer) or answer


def inflections(word: str) -> set[str]:
    """The word and its regular inflections, as spelling has them.

    These are -s; -es after s, x, z, ch, sh and o; -d after e, -ed otherwise; -ing, before which a final e is
    dropped; -ies and -ied for a consonant and y; -ed and -ing after a doubled last consonant (run, running).
    Irregular forms (ran, left, children) are other words.
    """
    word = word.lower()
    forms = {word, word + "s", word + "ing", word + ("d" if word.endswith("e") else "ed")}
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        forms.add(word + "es")
    if word.endswith("e"):
        forms.add(word[:-1] + "ing")
    if len(word) > 2 and word[-1] == "y" and word[-2] not in _VOWELS:
        forms |= {word[:-1] + "ies", word[:-1] + "ied"}
    if len(word) > 2 and word[-1] not in _VOWELS + "wxy" and word[-2] in _VOWELS and word[-3] not in _VOWELS:
        forms |= {word + word[-1] + "ed", word + word[-1] + "ing"}
    return forms


def occurs(word: str, text: str) -> bool:
    """Whether the word or an inflection of it is a word of the text.

    A part of a longer or hyphenated word is none.
    """
    return not inflections(word).isdisjoint(_WORD.findall(text.lower()))

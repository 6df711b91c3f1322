"""Reasoning is no answer: where thoughts begin and end in a model's output, and what is left without them.

This is the one place that knows the tags of thoughts and the marks that end a text.
"""

import re
from collections.abc import Iterator, Sequence

# Opening and closing tags, as regular expressions.
# A closing tag alone ends a thought too: templates write the opening one.
_NAMES = r"think(?:ing)?|thoughts?|reason(?:ing)?|seed:think|longcat_think|scratchpad"
TAGS = (
    (rf"<\s?(?:{_NAMES})\s?>", rf"<\s?/\s?(?:{_NAMES})\s?>"),
    (r"\[THINK(?:ING)?\]", r"\[/THINK(?:ING)?\]"),
    (r"◁think▷", r"◁/think▷"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r"<\|channel>thought", r"<channel\|>"),
    (
        r"<\|channel\|>(?:analysis|commentary)\b[^<]{0,80}<\|message\|>",
        r"(?:<\|end\|>)?(?:<\|start\|>assistant)?<\|channel\|>final\b(?:[^<]|<\|constrain\|>){0,80}"
        r"<\|message\|>",
    ),
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    (r"<\|im_start\|>think\b", r"<\|im_start\|>answer\b"),
)


def _compiled(tags: Sequence[tuple[str, str]]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What finds a tag anywhere, and an opening one at the end of a text."""
    named = "|".join(f"(?P<open{i}>{o})|(?P<close{i}>{c})" for i, (o, c) in enumerate(tags))
    at_end = rf"(?:{'|'.join(opening for opening, _ in tags)})\s*\Z"
    return re.compile(named, re.IGNORECASE), re.compile(at_end, re.IGNORECASE)


_TAG, _OPENS_AT_END = _compiled(TAGS)
_STANDARD = ("<think>", "</think>")
_OWN: set[tuple[str, str]] = set()  # tags of configured models, which become the standard ones
_MAY_BE_TAG = re.compile(r"[<\[◁]")  # most texts hold none, and this is quicker

# Marks of a tokenizer or a template. They end an answer wherever they stand after its beginning, unless the
# text goes on about them.
_MARK = r"<[|｜][^<>|｜\s]{1,40}[|｜]>|</?(?:start|end)_of_turn>|<\|?turn\|?>|<(?:eos|pad|bos)>"
# These occur inside answers too: they are ends only at the end of a line or before another mark.
_SOFT = r"</s>|</answer>|<unk>|<(?:EOT|end_of_text|end_of_utterance)>|\[(?:EOS|PAD|/?INST|end of text)\]"
_MARKS_FIRST = re.compile(rf"(?:\s|(?:{_MARK})(?:(?:assistant|model)\b)?|<s>|<answer>|\[/INST\])+")
_MARKS = re.compile(rf"(?:{_MARK})(?! ?[,.;)]| [a-z])|(?:{_SOFT})(?=[^\S\n]*(?:\Z|\n|<[|｜/s]|{_SOFT}))")
# What wraps the answer itself.
_BOX = re.compile(r"<\|(?:begin|end)_of_box\|>")
_ANSWER = re.compile(r"<(/?)(?:answer|response)>", re.IGNORECASE)


def know(opens: str, closes: str) -> None:
    """Read the tags of a model that has unusual ones as thoughts, in this process."""
    global _TAG, _OPENS_AT_END, _MAY_BE_TAG
    _OWN.add((opens, closes))
    own = [(re.escape(each), re.escape(other)) for each, other in sorted(_OWN)]
    _TAG, _OPENS_AT_END = _compiled([*TAGS, *own])
    _MAY_BE_TAG = re.compile("|".join([r"[<\[◁]", *(each for pair in own for each in pair)]))


def standard(text: str) -> str:
    """A text with the tags of configured models as the usual ones, which every reader knows."""
    for own in _OWN:
        for each, usual in zip(own, _STANDARD, strict=True):
            text = text.replace(each, usual)
    return text


def parted(text: str) -> tuple[str, str]:
    """The thoughts of a text, without their tags, and the rest; "" where a thought never closes."""
    thought, rest, end = "", "", 0
    for start, stop in _answers(text):
        thought += text[end:start]
        rest += text[start:stop]
        end = len(text) if stop is None else stop
    thought = _TAG.sub("", thought).strip()
    return thought, "" if unfinished(text) else rest.lstrip() if thought else rest


def opening(prompt: str) -> str:
    """The tag that `prompt` ends in, if it ends in an open thought, in which its answer begins; else ""."""
    match = _OPENS_AT_END.search(prompt, max(0, len(prompt) - 200))
    return match.group().strip() if match else ""


def is_tag(token: str) -> bool:
    """Whether a special token is (part of) a tag of thoughts, so that it must stay in a decoded text."""
    parts = ("<|channel|>", "<|message|>", "<|start|>", "<|channel>", "<channel|>")
    return bool(_TAG.fullmatch(token.strip())) or token in parts


def _answers(text: str) -> Iterator[tuple[int, int | None]]:
    """The (start, end) of the parts of `text` that are no thought, in order.

    The end is None where a thought never closes. A closing tag outside of a thought makes all before it a
    thought, so parts are told only once no such tag can follow.
    """
    parts: list[tuple[int, int]] = []
    start, opened = 0, ""
    for match in _TAG.finditer(text) if _MAY_BE_TAG.search(text) else ():
        kind = str(match.lastgroup)
        if not opened and kind.startswith("close"):
            parts, start = [], match.end()
        elif not opened:
            parts.append((start, match.start()))
            opened = kind
        elif kind == opened.replace("open", "close"):
            opened, start = "", match.end()
    yield from parts
    yield (start, len(text)) if not opened else (len(text), None)


def unfinished(text: str) -> bool:
    """Whether a thought of `text` never closes."""
    return any(end is None for _, end in _answers(text))


def answer(text: str) -> str | None:
    """What `text` says outside of its thoughts, up to the first mark that ends a text.

    It is None where a thought never closes.
    """
    parts = list(_answers(text))
    if parts[-1][1] is None:
        return None
    *before, after = (text[start:end] for start, end in parts)
    told = "".join([*(part for part in before if not _MARKS_FIRST.fullmatch(part)), after])
    told = _unwrapped(_BOX.sub("", told))
    first = _MARKS_FIRST.match(told)
    told = told[first.end() :] if first else told
    last = _MARKS.search(told)
    return (told[: last.start()] if last else told).rstrip()


def _unwrapped(text: str) -> str:
    """What stands in the last pair of tags that a model was told to put its answer into.

    Without such a pair it is all of `text`.
    """
    opened, inside = None, None
    for tag in _ANSWER.finditer(text):
        if tag[1] and opened is not None:
            inside, opened = text[opened : tag.start()], None
        elif not tag[1]:
            opened = tag.end()
    return text if inside is None else inside


def shortened(text: str, longest: int) -> str:
    """The `text` with at most `longest` characters of its answer, and as many of what it thinks before."""
    start, end = list(_answers(text))[-1]
    if not start or end is None:
        return text[:longest]
    closing = max(tag.start() for tag in _TAG.finditer(text, 0, start))
    return text[: min(closing, longest)] + text[closing : start + longest]


def end(text: str) -> int | None:
    """Where the thoughts of `text` end, its length where one never closes; None without one."""
    start, stop = list(_answers(text))[-1]
    return len(text) if stop is None else start or None


def stop_at(text: str, stop: Sequence[str]) -> int | None:
    """Where the first of the `stop` strings begins in `text`, or None without one.

    Thoughts and the blanks after them are left aside.
    """
    *before, after = _answers(text)
    for start, end in [*(part for part in before if text[slice(*part)].strip()), after]:
        # The blanks and marks that follow a thought are no part of the answer.
        if start and (first := _MARKS_FIRST.match(text, start)):
            start = first.end()
        last = len(text) if end is None else end
        stops = [place for each in stop if (place := text.find(each, start, last)) >= 0]
        if stops:
            return min(stops)
    return None

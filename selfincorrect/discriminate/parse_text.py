"""Reading of the choice from a discrimination output that ends on the text of a candidate."""

import bisect
import re
from collections.abc import Callable, Sequence

from selfincorrect.discriminate.parse import Chosen, words_of
from selfincorrect.engines import thoughts


def parse_text(
    output: str,
    shown: Sequence[str],
    labelled: Sequence[str],
    ending: str,
    form: Callable[[str], str | None],
    finished: bool = True,
) -> Chosen:
    """The candidates whose text `output` ends on, after the marker of `ending`, such as "###\\n{text}".

    Strict: the same words, or those of a candidate as it is `labelled` ("2. Paris"). Else loose, by the
    normal form that `form` gives. Candidates alike in it are chosen together. An output that was cut (not
    `finished`), or without the marker, is read strictly only.
    """
    text = thoughts.answer(output)
    if text is None:
        return Chosen((), None, "thought")
    marker = ending.split("{text}")[0].strip()
    # The marker is no part of a longer one. Candidates may hold it too: any of them may be the one that was
    # meant.
    marked = re.finditer(rf"(?<!#){re.escape(marker)}(?!#)", text)
    places = [match.end() for match in marked] if marker else [0]
    wanted = [{words_of(one), words_of(other)} for one, other in zip(shown, labelled, strict=True)]
    for words in _tails(text, [*places, 0], {len(each) for pair in wanted for each in pair}):
        same = tuple(slot for slot, pair in enumerate(wanted) if words in pair)
        if same:
            return Chosen(same, words, "strict")
    if not finished:
        return Chosen((), None, "cut")
    read = form(text[places[-1] :]) if places else None
    alike = tuple(slot for slot, each in enumerate(shown) if read is not None and form(each) == read)
    return Chosen(alike, read, "loose") if alike else Chosen((), None, "none")


def _tails(text: str, places: Sequence[int], lengths: set[int]) -> list[str]:
    """The words of `text` from each of `places` on, of those that have one of `lengths`.

    Whatever their number, `text` is read once: each tail is a piece of the whole text's words.
    """
    starts, ends, offsets, length = [], [], [], 0
    for match in re.finditer(r"\S+", text):
        starts.append(match.start())
        ends.append(match.end())
        offsets.append(length)
        length += len(match.group()) + 1
    whole, tails = words_of(text), []
    for place in places:
        word = bisect.bisect_right(ends, place)  # the first word that goes on after the place
        offset = offsets[word] + max(0, place - starts[word]) if word < len(ends) else len(whole)
        if len(whole) - offset in lengths:
            tails.append(whole[offset:])
    return tails

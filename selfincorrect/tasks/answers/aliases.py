"""Short answers that equal an accepted one, but for case, articles and punctuation."""

from selfincorrect.tasks import aliases
from selfincorrect.tasks.answers.base import Kind


class Aliases(Kind):
    def extract(self, text: str) -> str | None:
        line = aliases.first_line(text)
        # Of "A+" nothing would be left: articles and punctuation go.
        return aliases.normalise(line) or line.lower() or None

"""Short answers that equal an accepted one, but for blanks."""

from selfincorrect.tasks.answers.base import Kind


class Exact(Kind):
    pass

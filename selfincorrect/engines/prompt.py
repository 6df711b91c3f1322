"""What a model is asked: an instruction, demonstrations and a query, plain until an engine renders them."""

from dataclasses import dataclass

BEGUN = "begun"  # the role of what a model has begun to write, which no template knows
Turns = tuple[tuple[str, str], ...]  # (query, response) pairs


@dataclass(frozen=True)
class Prompt:
    """What a model is asked.

    Prompts with the same `instruction` and `shots` share their beginning when rendered. `history` holds
    earlier turns of the same conversation, `primer` what the answer is made to begin with, `begun` what the
    model itself has written of it, which follows whatever the prompt ends in.
    """

    instruction: str
    shots: Turns
    query: str
    history: Turns = ()
    primer: str = ""
    begun: str = ""

    def text(self) -> str:
        """The prompt as one text to be continued, for base models."""
        turns = [f"{query} {response}" for query, response in (*self.shots, *self.history)]
        query = f"{self.query} {self.primer}" if self.primer else self.query
        return "\n\n".join(filter(None, [self.instruction, *turns, query])) + self.begun

    def messages(self) -> list[dict[str, str]]:
        """The prompt as a conversation.

        The instruction opens the first turn, since not every template has a system role.
        """
        turns = []
        for query, response in (*self.shots, *self.history):
            turns += [("user", query), ("assistant", response)]
        turns.append(("user", self.query))
        turns[0] = ("user", "\n\n".join(filter(None, [self.instruction, turns[0][1]])))
        if self.primer:
            turns.append(("assistant", self.primer))
        if self.begun:
            turns.append((BEGUN, self.begun))
        return [{"role": role, "content": content} for role, content in turns]

    def rendered(self, mode: str) -> str | list[dict[str, str]]:
        """The prompt's `text` for mode "completion", its `messages` for mode "chat"."""
        return self.messages() if mode == "chat" else self.text()

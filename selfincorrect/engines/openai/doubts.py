"""What a server does otherwise than it was asked to: found out on the way, and said once in the log."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from selfincorrect.engines.openai.replies import Answer, Reply
from selfincorrect.engines.openai.server import Call, Server
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request

log = logging.getLogger("selfincorrect")

PROBE_TOKENS = 8
ALIKE = 5  # questions whose samples are all the same before temperature is doubted

Asked = tuple[Prompt, Decoding]


class Doubts:
    """What was seen of a server so far."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._probed = False
        self._tried: set[object] = set()  # ways of asking
        self._models: set[str] = set()  # what the server says that it is
        self._choices_differ = False  # seen once, a server draws the choices of a call apart
        # What all choices of a call were, by id of a request of it that is asked again.
        self._doubted: dict[int, str | None] = {}

    def probe(self, requests: Sequence[Request], stop: threading.Event) -> None:
        """Find out, with two short calls, whether the same seed gives the same text.

        Raises UserError if they fail.
        """
        sampled = next((r for r in requests if r.decoding.temperature > 0 and r.seed is not None), None)
        if sampled is None or self._probed:
            return
        self._probed = True
        short, texts = Call(sampled.prompt, _shortened(sampled.decoding), sampled.seed), set()
        for _ in range(2):
            outcome = self.server.ask(short, stop)
            if not isinstance(outcome, Reply) or "seed" in self.server.without:
                return
            texts.add(outcome.answers[0].text)
        if len(texts) > 1:
            self.server.notice("seed", "ignores")

    def try_parameters(self, calls: Sequence[Call], stop: threading.Event) -> None:
        """Find out, with a short call for each way of asking, which parameters the server does not take.

        Raises UserError if it takes none at all.
        """
        for way, call in {(call.how, call.top, bool(call.ids)): call for call in calls}.items():
            if way not in self._tried:
                self._tried.add(way)
                self.server.ask(replace(call, how=_shortened(call.how), n=1), stop)

    def note_choices(self, answers: Sequence[Answer]) -> None:
        """Remember it where the choices of a call differ."""
        self._choices_differ |= len({answer.text for answer in answers}) > 1

    def trusted(self, group: Sequence[Request], answers: list[Answer]) -> list[Answer]:
        """The answers of one call that count as draws of their own.

        Choices that are all the same come from an easy question or from a server that draws all with one
        seed. Until choices were seen to differ, only the first counts; the others' own seeds tell which it
        is.
        """
        if len(group) == 1:
            same = self._doubted.pop(id(group[0]), answers[0].text) == answers[0].text
            if not same and not self._choices_differ:
                self.server.do_without("n", "draws all choices of a call with one seed, so in effect ignores")
            return answers
        self.note_choices(answers)
        if self._choices_differ or len(answers) < 2:
            return answers
        self._doubted.update({id(request): answers[0].text for request in group[1:]})
        return answers[:1]

    def note_model(self, reply: Reply) -> None:
        """Log, once for each model, that the server names another than it was asked for, or has changed."""
        if reply.model and reply.model not in self._models:
            name, asked, known = self.server.name, self.server.model, sorted(self._models)
            self._models.add(reply.model)
            if known:
                changed = "%s: the server has changed: answers come from %s, earlier ones from %s"
                log.warning(changed, name, reply.model, known)
            elif not (reply.model.startswith(asked) or asked.endswith(reply.model)):
                other = "%s: the server says that %s answers; %s was asked for"
                log.warning(other, name, reply.model, asked)

    def note_logprobs(self, answers: Sequence[Answer]) -> None:
        """Log it, once, where they were asked for and texts came without."""
        if self.server.logprobs and any(answer.text and answer.logprob is None for answer in answers):
            self.server.notice("logprobs", "ignores")

    def doubt_temperature(self, texts: Mapping[Asked, Sequence[str | None]]) -> None:
        """Log it where all samples of many questions are the same; `texts` are those that came of each."""
        several = [each for (_, how), each in texts.items() if how.temperature > 0 and len(each) > 1]
        if len(several) >= ALIKE and all(len(set(each)) == 1 for each in several):
            log.warning(
                "%s: all samples of each of %d questions are the same: the server may ignore temperature "
                "(as `transformers serve` does, "
                "unless the model's generation_config.json has do_sample: true)",
                self.server.name,
                len(several),
            )


def _shortened(how: Decoding) -> Decoding:
    return replace(how, max_tokens=min(PROBE_TOKENS, how.max_tokens))

"""A model that answers from a script: to try a configuration or the workflow without weights.

The script is YAML: `rules`, each with `match` (a regular expression searched in the query) and `answers` (one is taken,
by seed; {…} are the match's named groups) and perhaps the `logprob` of each, and an optional `delay` in seconds per answer.
"""

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from selfincorrect import stopping
from selfincorrect.digest import seed_of
from selfincorrect.engines import Request, Response
from selfincorrect.errors import UserError


class ScriptedEngine:
    def __init__(self, script: Path, batch_size: int | None) -> None:
        self._script = yaml.safe_load(script.read_text(encoding="utf-8"))
        self._path, self._batch_size = script, batch_size or 32

    def answer(self, requests: Sequence[Request]) -> Iterator[list[tuple[Request, Response]]]:
        for start in range(0, len(requests), self._batch_size):
            if stopping.requested():
                return
            batch = requests[start : start + self._batch_size]
            time.sleep(self._script.get("delay", 0) * len(batch))
            yield [(request, self._respond(request)) for request in batch]

    def _respond(self, request: Request) -> Response:
        prompt = request.prompt.text()
        for rule in self._script["rules"]:
            match = re.search(rule["match"], request.prompt.query, re.DOTALL)
            if match:
                answers = rule["answers"]
                # Greedy decoding depends on the prompt alone, sampling on its seed.
                index = seed_of(prompt if request.seed is None else request.seed) % len(answers)
                text = answers[index]
                for name, value in match.groupdict().items():
                    text = text.replace("{" + name + "}", value)
                words = len(text.split())
                return Response(text, prompt, "stop", len(prompt.split()), words, rule.get("logprob"))
        raise UserError(f"No rule of {self._path} matches the query:\n{request.prompt.query}")

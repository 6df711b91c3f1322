"""A model that answers from a script, to try a configuration or the workflow without weights.

The script is YAML: `rules`, each with `match` (a regular expression searched in the query) and `answers` (one
is taken, by seed; {…} are the match's named groups), perhaps the `logprob` of each and, for requests with
options, the log-probability of some `options` by their texts (others have one by seed), and an optional
`delay` in seconds per answer.
"""

import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from selfincorrect.digest import digest, seed_of
from selfincorrect.engines.kind import EngineKind
from selfincorrect.engines.manifest import Manifest, ModelSettings, Running
from selfincorrect.engines.requests import Request, Response
from selfincorrect.errors import UserError
from selfincorrect.jobs import stopping
from selfincorrect.links import link


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    match: re.Pattern[str]
    answers: list[str] = Field(min_length=1)
    logprob: float | None = Field(None, le=0)
    options: dict[str, Annotated[float, Field(le=0)]] = Field(default_factory=dict)

    @field_validator("match", mode="before")
    @classmethod
    def _compiled(cls, value: object) -> object:
        try:
            return re.compile(value, re.DOTALL) if isinstance(value, str) else value
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from error


class Script(BaseModel):
    """A whole script."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rules: list[_Rule] = Field(min_length=1)
    delay: float = Field(0.0, ge=0)


def read_script(path: Path) -> Script:
    """The script in a YAML file. Raises UserError, with the rule, for anything else."""
    try:
        return Script.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise UserError(
            f"{path} is no script: {'.'.join(map(str, wrong['loc'])) or 'all of it'}: {wrong['msg']}. "
            "It has `rules`, each with `match` (a regular expression) and `answers` "
            "(a list of texts; put quotes around numbers), perhaps `logprob` and `options`, "
            "and perhaps `delay`."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path} is no YAML: {error}") from error


class ScriptedEngine:
    def __init__(self, script: Path, batch_size: int | None) -> None:
        self._script = read_script(script)
        self._path, self._batch_size = script, batch_size or 32

    def answer(
        self, requests: Sequence[Request], stop: Callable[[], bool] = stopping.requested
    ) -> Iterator[list[tuple[Request, Response]]]:
        for start in range(0, len(requests), self._batch_size):
            if stop():
                return
            batch = requests[start : start + self._batch_size]
            time.sleep(self._script.delay * len(batch))
            delay = self._script.delay
            yield [(request, replace(self._respond(request), seconds=delay)) for request in batch]

    def _respond(self, request: Request) -> Response:
        prompt = request.prompt.text()
        for rule in self._script.rules:
            match = rule.match.search(request.prompt.query + request.prompt.begun)
            if match:
                if request.options:
                    return _scored(rule, prompt, request.options)
                answers = rule.answers
                # Greedy decoding depends on the prompt alone, sampling on its seed.
                index = seed_of(prompt if request.seed is None else request.seed) % len(answers)
                text = answers[index]
                for name, value in match.groupdict().items():
                    text = text.replace("{" + name + "}", value)
                words = len(text.split())
                return Response(text, prompt, "stop", len(prompt.split()), words, rule.logprob)
        raise UserError(f"No rule of {self._path} matches the query:\n{request.prompt.query}")


def _scored(rule: _Rule, prompt: str, options: Sequence[str]) -> Response:
    """What a model that knows everything would tell of options; a word is a token."""
    return Response(
        "",
        prompt,
        "stop",
        len(prompt.split()),
        0,
        None,
        options=tuple(_option(rule, prompt, option, options) for option in options),
        option_tokens=tuple(max(len(option.split()), 1) for option in options),
        certainties=tuple(seed_of("certainty", prompt, option) % 1000 / 100 for option in options),
    )


def _option(rule: _Rule, prompt: str, option: str, options: Sequence[str]) -> float:
    """As the rule says, else by seed, so that all together are no more than certain."""
    by_seed = -math.log(len(options)) - (seed_of("option", prompt, option) % 1000) / 100
    return rule.options.get(option, by_seed)


def prepare(name: str, settings: ModelSettings, folder: Path) -> dict[str, Any]:
    script = Path(settings.source).expanduser().absolute()
    link(folder / "script.yaml", script)
    read_script(script)
    says = yaml.safe_load(script.read_text(encoding="utf-8"))
    identity = digest({key: value for key, value in says.items() if key != "delay"})  # speed is in no digest
    told: dict[str, Any] = {"weights": "script.yaml", "revision": identity, "encoder_decoder": False}
    return told | {"context": settings.context}


def open_engine(manifest: Manifest, folder: Path, run: Running) -> ScriptedEngine:
    assert manifest.weights
    return ScriptedEngine(folder / manifest.weights, run.batch_size)


ENGINE = EngineKind("file", prepare, open_engine, options=True, certainties=True)

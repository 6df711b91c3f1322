"""Engines: what runs a model. An engine turns requests into responses, in batches, in any order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from selfincorrect.digest import digest
from selfincorrect.prompts import Prompt

# A prompt that does not fit the model's context is not sent: it has this finish reason and no text.
CONTEXT = "context"

# Raise it when a fix changes what engines answer: stored answers of before are then asked for again.
ANSWERS_VERSION = 1


@dataclass(frozen=True)
class Decoding:
    """How an answer is drawn. Temperature 0 is greedy decoding. `stop` strings end an answer and are not part of it."""

    max_tokens: int
    temperature: float
    top_p: float
    stop: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """One answer wanted. `seed` is None for greedy decoding."""

    prompt: Prompt
    decoding: Decoding
    seed: int | None

    def key(self, model_digest: str, mode: str) -> str:
        """Digest of everything that shapes the answer: model, rendered prompt, decoding, seed."""
        asked = {"prompt": self.prompt.rendered(mode), "decoding": asdict(self.decoding)}
        return digest([ANSWERS_VERSION, model_digest, mode, asked, self.seed])


@dataclass(frozen=True)
class Response:
    """One answer.

    Numbers of tokens are None where a server does not tell them. `prompt` is the text as sent; `finish_reason` is "stop" (the model ended or a stop string came), "length" (cut at
    `max_tokens`) or CONTEXT; `logprob` is the natural log-probability of the answer's tokens under the model at
    temperature 1, None where the engine gives none.
    """

    text: str | None
    prompt: str
    finish_reason: str
    tokens_in: int | None
    tokens_out: int | None
    logprob: float | None


class Engine(Protocol):
    def answer(self, requests: Sequence[Request]) -> Iterator[list[tuple[Request, Response]]]:
        """Yield finished batches until every request has its response, or `stopping.requested`: then begin nothing new."""
        ...


def make_engine(manifest: Mapping[str, Any], folder: Path, run: Mapping[str, Any]) -> Engine:
    """The engine for a prepared model. `run` is configured, with `threads` as given to the job."""
    if manifest["engine"] == "scripted":
        from selfincorrect.engines.scripted import ScriptedEngine

        return ScriptedEngine(folder / manifest["weights"], run["batch_size"])
    if manifest["engine"] == "openai":
        from selfincorrect.engines.openai import OpenAIEngine

        return OpenAIEngine(manifest, run)
    from selfincorrect.engines.transformers import TransformersEngine

    return TransformersEngine(manifest, folder / manifest["weights"], run)

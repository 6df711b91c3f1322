"""Models of the transformers library, in this process.

The modules beside this one are the only part of the package that imports torch.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from unittest import mock

import jinja2
import torch
from transformers.utils import chat_template_utils

from selfincorrect.engines import thoughts
from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import CONTEXT, Decoding, Request, Response
from selfincorrect.engines.transformers import (
    batching,
    cascade,
    continuous,
    decoding,
    failures,
    fitting,
    levels,
    loading,
)
from selfincorrect.engines.transformers.sampling import Sampler
from selfincorrect.errors import UserError
from selfincorrect.jobs import stopping

log = logging.getLogger("selfincorrect")

STARTS = 16  # beginnings of prompts that are kept in memory at a time
Start = tuple[str, tuple[tuple[str, str], ...]]  # instruction and shots: what prompts share


class _SameDay(datetime):
    """A clock that stands still, for chat templates that tell the model the date.

    Were it the day of the run, a pool would mix prompts of two days.
    """

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "_SameDay":
        return cls(2024, 7, 26, tzinfo=tz)


class TransformersEngine:
    """Causal and encoder-decoder models, with completion or chat prompts."""

    def __init__(self, manifest: Manifest, weights: Path, run: Running) -> None:
        self.mode, self.name = manifest.prompt, manifest.name
        self.batch_size = run.batch_size
        self.context = manifest.context
        with failures.explained(self.name):
            self.model, self.tokenizer = loading.load(manifest, weights, run)
            self.method = fitting.method(self.model, self.name, run.decoding)
        if self.mode == "chat" and not self.tokenizer.chat_template:
            raise UserError(
                f"{self.name} has `prompt: chat`, but its tokenizer has no chat template. "
                "Write `prompt: completion`, or use the model's instruction-tuned version."
            )
        ends = self.model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        self.eos = frozenset(x for x in [*ends, self.tokenizer.eos_token_id] if x is not None)
        special = zip(self.tokenizer.all_special_ids, self.tokenizer.all_special_tokens, strict=True)
        self.tags = frozenset(token for token, text in special if thoughts.is_tag(text)) - self.eos
        padding = self.tokenizer.pad_token_id
        self.padding: int = min(self.eos, default=0) if padding is None else padding

    def render(self, prompt: Prompt) -> str:
        """The text that is sent for `prompt`."""
        if self.mode != "chat":
            return prompt.text()
        try:
            with mock.patch.object(chat_template_utils, "datetime", _SameDay):
                primed = bool(prompt.primer)
                text: str = self.tokenizer.apply_chat_template(
                    prompt.messages(),
                    add_generation_prompt=not primed,
                    continue_final_message=primed,
                    tokenize=False,
                )
            return text
        except Exception as error:  # a template can fail in every way that Python can
            frames = traceback.extract_tb(error.__traceback__)
            places = [frame.lineno for frame in frames if frame.filename == "<template>"]
            if not places and not isinstance(error, jinja2.TemplateError):
                raise
            line = getattr(error, "lineno", None) or next(reversed(places), None)
            where = f" at line {line}" if line else ""
            raise UserError(
                f"{self.name}: its chat template fails{where}: {error}\n"
                "Mend chat_template in the model's folder, or write `prompt: completion`."
            ) from error

    def tokens(self, text: str) -> list[int]:
        # A chat template writes the special tokens itself.
        ids: list[int] = self.tokenizer(text, add_special_tokens=self.mode != "chat")["input_ids"]
        return ids

    @torch.inference_mode()
    def answer(
        self, requests: Sequence[Request], stop: Callable[[], bool] = stopping.requested
    ) -> Iterator[list[tuple[Request, Response]]]:
        """Yield answers as they are finished.

        Requests with the same decoding options are answered together.
        """
        for how in dict.fromkeys(request.decoding for request in requests):
            alike = [request for request in requests if request.decoding == how]
            starts = list(dict.fromkeys(_start(request.prompt) for request in alike))
            for first in range(0, len(starts), STARTS):
                if stop():
                    return
                together = set(starts[first : first + STARTS])
                with failures.explained(self.name):
                    yield from self._answer_alike([r for r in alike if _start(r.prompt) in together], how)

    def _answer_alike(
        self, requests: list[Request], how: Decoding
    ) -> Iterator[list[tuple[Request, Response]]]:
        rendered = {request.prompt: self.render(request.prompt) for request in requests}
        prompts = {prompt: self.tokens(text) for prompt, text in rendered.items()}
        limit = (self.context or 2**62) - how.max_tokens
        long = [request for request in requests if len(prompts[request.prompt]) > limit]
        if long:
            yield [(r, _too_long(rendered[r.prompt], len(prompts[r.prompt]))) for r in long]
        waiting = [request for request in requests if len(prompts[request.prompt]) <= limit]
        if not waiting:
            return
        beginnings, continued = self._beginnings(waiting, prompts)
        # Similar lengths come together, for little padding. The longest come first: memory that is short is
        # short at once.
        waiting.sort(key=lambda request: (-len(continued[request.prompt].tokens), rendered[request.prompt]))
        longest = len(continued[waiting[0].prompt].tokens) + how.max_tokens
        opened = thoughts.opening(rendered[waiting[0].prompt])
        size = self.batch_size or batching.sequences_at_once(self.model, longest)
        while waiting and not stopping.requested():
            done: set[int] = set()
            try:
                for finished in self._decode(waiting, beginnings, continued, size, opened):
                    done |= {index for index, _ in finished}
                    yield [
                        (r, self._response(r, rendered[r.prompt], len(prompts[r.prompt]), sequence))
                        for r, sequence in ((waiting[index], sequence) for index, sequence in finished)
                    ]
            except (RuntimeError, MemoryError) as error:
                if not failures.out_of_memory(error):
                    raise
                if size == 1:
                    raise UserError(
                        f"{self.name} runs out of memory on one sequence of "
                        f"{len(prompts[waiting[0].prompt])} tokens. "
                        "Use a larger GPU, several (device: auto), `dtype: bfloat16`, or a smaller model."
                    ) from error
                size = max(1, min(size, len(waiting)) // 2)
                log.warning("out of memory: going on with %d sequences at a time", size)
            # This is outside of `except`, whose error holds on to the memory.
            waiting = [request for index, request in enumerate(waiting) if index not in done]
            if waiting:
                torch.cuda.empty_cache()

    def _beginnings(
        self, requests: Sequence[Request], prompts: Mapping[Prompt, list[int]]
    ) -> tuple[levels.Level | None, dict[Prompt, cascade.Continuation]]:
        """What prompts with the same instruction and shots have in common, and how each prompt goes on.

        What they have in common is read once.
        """
        texts: list[list[int]] = []
        continued: dict[Prompt, cascade.Continuation] = {}
        for start in dict.fromkeys(_start(request.prompt) for request in requests):
            alike = [request.prompt for request in requests if _start(request.prompt) == start]
            length = 0
            if self.method == "cascade":
                # The reference has an empty query: the length then does not depend on which questions are
                # asked together.
                reference = self.tokens(self.render(replace(alike[0], query="", history=())))
                length = cascade.common_length(reference, [prompts[prompt] for prompt in alike])
            for prompt in alike:
                continued[prompt] = cascade.Continuation(len(texts), prompts[prompt][length:])
            texts.append(prompts[alike[0]][:length])
        return cascade.read_beginnings(self.model, texts), continued

    def _decode(
        self,
        requests: Sequence[Request],
        beginnings: levels.Level | None,
        continued: Mapping[Prompt, cascade.Continuation],
        size: int,
        opened: str,
    ) -> Iterator[decoding.Finished]:
        """Decode the answers to the requests, at most `size` at a time.

        `opened` is the tag of the thought that the prompts end in; the same template ends them all.
        """
        how = requests[0].decoding
        sampler = Sampler([request.seed for request in requests], how.max_tokens, how.temperature, how.top_p)

        def ends(tokens: Sequence[int]) -> bool:
            # A stop string has at most as many tokens as bytes; a token before it may hold its first
            # character.
            tail = self._text(tokens[-1 - max(len(stop.encode()) for stop in how.stop) :])
            if not any(stop in tail for stop in how.stop):
                return False
            return thoughts.stop_at(opened + self._text(tokens), how.stop) is not None

        rules = decoding.Rules(how.max_tokens, self.eos, ends if how.stop else None)
        prompts = [continued[request.prompt] for request in requests]
        if self.method == "cascade":
            return decoding.decode_together(self.model, beginnings, prompts, size, sampler, rules)
        whole = [prompt.tokens for prompt in prompts]
        if self.method == "continuous":
            return continuous.decode_continuously(self.model, whole, size, sampler, rules)
        return decoding.decode_plainly(self.model, whole, size, self.padding, sampler, rules)

    def _response(
        self, request: Request, rendered: str, tokens_in: int, sequence: decoding.Generated
    ) -> Response:
        text, tokens, opened = self._text(sequence.tokens), sequence.tokens, thoughts.opening(rendered)
        place = thoughts.stop_at(opened + text, request.decoding.stop)
        if place is not None:
            text = text[: place - len(opened)]
            while tokens and len(self._text(tokens[:-1])) >= len(text):
                tokens = tokens[:-1]  # a token that holds nothing of the answer, but its stop string
        reason = "stop" if sequence.ended else "length"
        logprob = sum(sequence.logprobs[: len(tokens)])
        return Response(text, rendered, reason, tokens_in, sequence.count, logprob)

    def _text(self, tokens: Sequence[int]) -> str:
        """The tokens as text, without special ones but for those that a thought begins and ends with."""
        if not self.tags:
            return str(self.tokenizer.decode(tokens, skip_special_tokens=True))
        dropped = set(self.tokenizer.all_special_ids) - self.tags
        return str(self.tokenizer.decode([token for token in tokens if token not in dropped]))


def _start(prompt: Prompt) -> Start:
    return prompt.instruction, prompt.shots


def _too_long(rendered: str, tokens: int) -> Response:
    return Response(None, rendered, CONTEXT, tokens, 0, None, sent=False)

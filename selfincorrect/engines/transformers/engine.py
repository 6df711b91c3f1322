"""Models of the transformers library, in this process.

The modules beside this one are the only part of the package that imports torch.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from operator import attrgetter
from pathlib import Path

import torch

from selfincorrect.engines import thoughts
from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request, Response
from selfincorrect.engines.transformers import (
    batching,
    cascade,
    continuous,
    decoding,
    diffusion,
    failures,
    fitting,
    levels,
    loading,
    scoring,
)
from selfincorrect.engines.transformers.read import Read, scored_response, too_long
from selfincorrect.engines.transformers.rendering import rendered
from selfincorrect.engines.transformers.sampling import Sampler
from selfincorrect.errors import UserError
from selfincorrect.jobs import stopping

STARTS = 16  # beginnings of prompts that are kept in memory at a time
Start = tuple[str, tuple[tuple[str, str], ...]]  # instruction and shots: what prompts share
Answered = list[tuple[int, Response]]  # with the number of the request
LINE_FEEDS = ("\n", "Ċ", "<0x0A>")  # as vocabularies write them: byte by byte, or as they are


class TransformersEngine:
    """Causal and encoder-decoder models, with completion or chat prompts."""

    def __init__(self, manifest: Manifest, weights: Path, run: Running) -> None:
        self.mode, self.name, self.template = manifest.prompt, manifest.name, manifest.template
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
        told = getattr(self.model, "generation_config", None) or self.model.config
        ends = told.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        self.eos = frozenset(x for x in [*ends, self.tokenizer.eos_token_id] if x is not None)
        special = zip(self.tokenizer.all_special_ids, self.tokenizer.all_special_tokens, strict=True)
        self.tags = frozenset(token for token, text in special if thoughts.is_tag(text)) - self.eos
        padding = self.tokenizer.pad_token_id
        self.padding: int = min(self.eos, default=0) if padding is None else padding
        self._before = lru_cache(64)(self.tokens)  # what comes before queries is the same for many

    def render(self, prompt: Prompt) -> str:
        """The text that is sent for `prompt`."""
        if self.mode != "chat":
            return prompt.text()
        return rendered(prompt, self.tokenizer, self.name, self.template)

    def tokens(self, text: str) -> list[int]:
        # A chat template writes the special tokens itself.
        ids: list[int] = self.tokenizer(text, add_special_tokens=self.mode != "chat")["input_ids"]
        return ids

    @torch.inference_mode()
    def answer(
        self, requests: Sequence[Request], stop: Callable[[], bool] = stopping.requested
    ) -> Iterator[list[tuple[Request, Response]]]:
        """Yield answers as they are finished.

        Requests with the same decoding are answered together, those with options apart from others.
        """
        for kind in dict.fromkeys(map(_kind, requests)):
            alike = [request for request in requests if _kind(request) == kind]
            starts = list(dict.fromkeys(_start(request.prompt) for request in alike))
            for first in range(0, len(starts), STARTS):
                if stop():
                    return
                together = set(starts[first : first + STARTS])
                with failures.explained(self.name):
                    yield from self._answer_alike([r for r in alike if _start(r.prompt) in together])

    def _answer_alike(self, requests: list[Request]) -> Iterator[list[tuple[Request, Response]]]:
        texts = {request.prompt: self.render(request.prompt) for request in requests}
        prompts = {prompt: self.tokens(text) for prompt, text in texts.items()}
        read = [self._read(request, texts[request.prompt], prompts[request.prompt]) for request in requests]
        limit = self.context or 2**62
        if long := [each for each in read if each.longest > limit]:
            yield [(each.request, too_long(each)) for each in long]
        waiting = [each for each in read if each.longest <= limit]
        if not waiting:
            return
        beginnings = self._beginnings(waiting)
        # Similar lengths come together, for little padding. The longest come first: memory that is short is
        # short at once.
        waiting.sort(key=lambda each: (-len(each.prompt) + each.shared, each.rendered))
        longest = max(each.longest - each.shared for each in waiting)
        places = max((len(option.places) for each in waiting for option in each.options), default=1)
        size = self.batch_size or batching.sequences_at_once(self.model, longest, places)
        answers = self._score if waiting[0].options else self._decode
        run, longest_of = partial(answers, beginnings), attrgetter("longest")
        for finished in batching.finished(waiting, size, run, self.name, longest_of):
            yield [(each.request, response) for each, response in finished]

    def _read(self, request: Request, rendered: str, prompt: list[int]) -> Read:
        """A request as the model reads it."""
        options = []
        for text in request.options:
            if self.model.config.is_encoder_decoder:
                ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
                tokens, start = [loading.decoder_start(self.model), *ids], 1
            else:
                tokens = self.tokens(rendered + text)
                start = scoring.joined(prompt, tokens)
            options.append(scoring.Option(tuple(tokens), start, text in request.ended))
        return Read(request, rendered, prompt, options, self._query(request, rendered, prompt))

    def _query(self, request: Request, rendered: str, prompt: list[int]) -> int | None:
        """How many tokens of a prompt come from its query on; None where a template has changed the query."""
        start = rendered.rfind(request.prompt.query)
        if start < 0:
            return None
        return len(prompt) - cascade.common_length(self._before(rendered[:start]), [prompt])

    def _beginnings(self, read: Sequence[Read]) -> levels.Level | None:
        """What prompts with the same instruction and shots have in common, which is read once.

        Each of `read` is told which beginning it has, and its length.
        """
        texts: list[list[int]] = []
        for start in dict.fromkeys(_start(each.request.prompt) for each in read):
            alike = [each for each in read if _start(each.request.prompt) == start]
            length = 0
            if self.method == "cascade":
                # The reference has an empty query: the length then does not depend on which questions are
                # asked together.
                reference = self.tokens(self.render(replace(alike[0].request.prompt, query="", history=())))
                length = cascade.common_length(reference, [each.stem for each in alike])
            for each in alike:
                each.beginning, each.shared, each.bears = len(texts), length, each is alike[0]
            texts.append(alike[0].prompt[:length])
        return cascade.read_beginnings(self.model, texts)

    def _decode(self, beginnings: levels.Level | None, read: Sequence[Read], size: int) -> Iterator[Answered]:
        """Decode the answers to requests, at most `size` at a time."""
        how = read[0].request.decoding
        seeds = [each.request.seed for each in read]
        sampler = Sampler(seeds, how.max_tokens, how.temperature, how.top_p)
        # The tag of the thought that the prompts end in; the same template ends them all.
        opened = thoughts.opening(read[0].rendered)

        def ends(tokens: Sequence[int]) -> bool:
            # A stop string has at most as many tokens as bytes; a token before it may hold its first
            # character.
            tail = self._text(tokens[-1 - max(len(stop.encode()) for stop in how.stop) :])
            if not any(stop in tail for stop in how.stop):
                return False
            return thoughts.stop_at(opened + self._text(tokens), how.stop) is not None

        rules = decoding.Rules(how.max_tokens, self.eos, ends if how.stop else None)
        for finished in self._sequences(beginnings, read, size, sampler, rules):
            yield [(index, self._response(read[index], sequence)) for index, sequence in finished]

    def _sequences(
        self,
        beginnings: levels.Level | None,
        read: Sequence[Read],
        size: int,
        sampler: Sampler,
        rules: decoding.Rules,
    ) -> Iterator[decoding.Finished]:
        if self.method == "cascade":
            prompts = [cascade.Continuation(each.beginning, each.prompt[each.shared :]) for each in read]
            return decoding.decode_together(self.model, beginnings, prompts, size, sampler, rules)
        whole = [each.prompt for each in read]
        if self.method == "diffusion":
            return diffusion.decode_by_unmasking(self.model, whole, size, sampler, rules)
        if self.method == "continuous":
            return continuous.decode_continuously(self.model, whole, size, sampler, rules)
        return decoding.decode_plainly(self.model, whole, size, self.padding, sampler, rules)

    def _score(self, beginnings: levels.Level | None, read: Sequence[Read], size: int) -> Iterator[Answered]:
        """Score the options of requests, at most `size` of them at a time."""
        if self.method == "diffusion":
            raise UserError(
                f"{self.name} is a masked-diffusion model, which does not tell how probable given answers "
                "are. Use another selector for it, such as `choose`."
            )
        encoder = self.model.config.is_encoder_decoder
        options = [
            replace(
                option,
                wanted=(index, place),
                encoded=tuple(each.prompt) if encoder else (),
                beginning=each.beginning,
                skipped=each.shared,
            )
            for index, each in enumerate(read)
            for place, option in enumerate(each.options)
        ]
        if self.method == "cascade":
            scored = scoring.score_together(self.model, beginnings, options, size, self.vocabulary)
        else:
            scored = scoring.score_plainly(self.model, options, size, self.padding, self.vocabulary)
        for index, scores in scoring.whole(scored, [len(each.options) for each in read]):
            yield [(index, scored_response(read[index], scores, encoder))]

    @cached_property
    def vocabulary(self) -> scoring.Vocabulary:
        """The tokens that options are compared with, and those that end a line."""
        lines = [token for text, token in self.tokenizer.get_vocab().items() if text.startswith(LINE_FEEDS)]
        rows = self.model.get_output_embeddings().weight.shape[0]
        ends = [token for token in sorted({*lines, *self.eos}) if token < rows]
        return scoring.Vocabulary(
            torch.tensor(ends, device=self.model.device), min(len(self.tokenizer), rows)
        )

    def _response(self, read: Read, sequence: decoding.Generated) -> Response:
        text, tokens, opened = self._text(sequence.tokens), sequence.tokens, thoughts.opening(read.rendered)
        place = thoughts.stop_at(opened + text, read.request.decoding.stop)
        if place is not None:
            text = text[: place - len(opened)]
            while tokens and len(self._text(tokens[:-1])) >= len(text):
                tokens = tokens[:-1]  # a token that holds nothing of the answer, but its stop string
        reason = "stop" if sequence.ended else "length"
        # What fills a mask depends on what stands behind it: no probability of the answer follows.
        logprob = None if self.method == "diffusion" else sum(sequence.logprobs[: len(tokens)])
        tokens_in, thought = len(read.prompt), self._thought(opened, sequence.tokens)
        # What fills masks reads the whole text at every step.
        alone = (
            None
            if self.method == "diffusion"
            else read.alone + (0 if sequence.follows else tokens_in - read.shared)
        )
        return Response(
            text,
            read.rendered,
            reason,
            tokens_in,
            sequence.count,
            logprob,
            reasoning_tokens=thought,
            tokens_query=read.query,
            tokens_read=alone,
        )

    def _thought(self, opened: str, tokens: Sequence[int]) -> int | None:
        """How many of the tokens are a thought, with its tags; None without one."""
        place = thoughts.end(opened + self._text(tokens))
        if place is None:
            return None
        places = range(len(tokens) + 1)
        return bisect_left(places, place - len(opened), key=lambda count: len(self._text(tokens[:count])))

    def _text(self, tokens: Sequence[int]) -> str:
        """The tokens as text, without special ones but for those that a thought begins and ends with."""
        if not self.tags:
            return str(self.tokenizer.decode(tokens, skip_special_tokens=True))
        dropped = set(self.tokenizer.all_special_ids) - self.tags
        return str(self.tokenizer.decode([token for token in tokens if token not in dropped]))


def _start(prompt: Prompt) -> Start:
    return prompt.instruction, prompt.shots


def _kind(request: Request) -> tuple[Decoding, bool]:
    return request.decoding, bool(request.options)

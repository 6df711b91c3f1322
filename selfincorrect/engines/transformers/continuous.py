"""Decoding by transformers' continuous batching.

It has a paged cache, and prompts and tokens of many sequences in each pass. Its own sampling draws from one
generator for all sequences, so what a sequence gets depends on its batch. Here `Sampler` chooses inside of
it, as a logits processor that leaves one token: sequences get what they get everywhere.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig, LogitsProcessorList
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
)

from selfincorrect.engines.transformers.batching import SHARE
from selfincorrect.engines.transformers.decoding import CHANGE, Finished, Generated, Rules
from selfincorrect.engines.transformers.sampling import Sampler
from selfincorrect.jobs import stopping

# Tokens of a pass, where the library's own choice makes masks that do not fit the memory of a small machine.
READ_AT_ONCE = {"cpu": 1024}


class _ChooseInBatches(ContinuousBatchingLogitsProcessor):
    """Lets the sampler choose each sequence's next token: all others get no weight.

    A pass may be recorded as a CUDA graph, so what differs between passes comes in a tensor: a cell for each
    row, which says where its uniform number is and its token's log-probability goes. Cell 0 is of rows that
    are nobody's.
    """

    supported_kwargs: ClassVar[dict[str, type]] = {}
    ignored_kwargs = ()

    def __init__(
        self, sampler: Sampler, prompts: Sequence[Sequence[int]], steps: int, size: int, device: torch.device
    ) -> None:
        self.sampler, self.size = sampler, size
        self.width = steps + 2  # a pass may already be under way when a sequence is over
        self.first = [1 + index * self.width - len(prompt) for index, prompt in enumerate(prompts)]
        self.sequences: dict[str, int] = {}  # by name of the request
        cells = 1 + len(prompts) * self.width
        self.uniform = torch.zeros(cells, dtype=torch.float64, device=device)
        self.logprobs = torch.zeros(cells, device=device)
        if sampler.uniform is not None:
            self.uniform[1:].view(-1, self.width)[:, :steps] = sampler.uniform.to(device)

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        cells = [self._cell(each.state) for each in requests_with_new_token]
        # All rows there may be: those beyond would keep the cells of the pass before.
        return torch.tensor(cells + [0] * (self.size - len(cells)), dtype=torch.int32)

    def _cell(self, state: Any) -> int:
        index = self.sequences.get(state.request_id)
        return 0 if index is None else self.first[index] + state.position_offset

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        cells = tensor_arg[: len(scores)].long()
        tokens, logprobs = self.sampler.choose(scores.clone(), self.uniform[cells])
        self.logprobs[cells] = logprobs
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens[:, None], 0.0)

    def logprobs_of(self, sequence: int) -> list[float]:
        start = 1 + sequence * self.width
        values: list[float] = self.logprobs[start : start + self.width].tolist()
        return values


def decode_continuously(
    model: Any, prompts: Sequence[Sequence[int]], size: int, sampler: Sampler, rules: Rules
) -> Iterator[Finished]:
    """Decode one sequence for each of `prompts`, at most `size` in one pass.

    Yields sequences as they end. The cache takes most of the memory that is free. Raises
    torch.OutOfMemoryError where that was too much.
    """
    manager, chooser = _started(model, prompts, size, sampler, rules)
    waiting = dict(enumerate(Generated() for _ in prompts))
    try:
        _add(manager, prompts, chooser, rules)
        finished: Finished = []
        while waiting:
            output = manager.get_result(timeout=0.1)
            if output is not None:
                finished += _taken(manager, output, waiting, chooser, rules)
            elif not manager.is_running():
                raise RuntimeError("continuous batching has ended before its sequences")
            # After a stop each is handed over at once: those under way end when the time is over.
            soon = output is None or not waiting or stopping.requested()
            if finished and (soon or len(finished) > CHANGE * size):
                yield finished
                finished = []
    finally:
        manager.stop(block=True, hard_stop=True)
        manager.destroy()


@torch.inference_mode(False)  # its thread writes to these tensors
def _started(
    model: Any, prompts: Sequence[Sequence[int]], size: int, sampler: Sampler, rules: Rules
) -> tuple[Any, _ChooseInBatches]:
    chooser = _ChooseInBatches(sampler, prompts, rules.steps, size, model.device)
    how = GenerationConfig(max_new_tokens=rules.steps, do_sample=False, eos_token_id=sorted(rules.eos) or -1)
    share, read = SHARE[model.device.type], READ_AT_ONCE.get(model.device.type)
    limits = ContinuousBatchingConfig(
        max_requests_per_batch=size, max_memory_percent=share, max_batch_tokens=read
    )
    manager = model.init_continuous_batching(generation_config=how, continuous_batching_config=limits)
    manager.logit_processor = ContinuousBatchingLogitsProcessorList(LogitsProcessorList([chooser]))
    manager.logit_processor.tensors_required = 1
    if model.device.type == "cuda":
        manager.warmup()  # records CUDA graphs
    manager.start()
    return manager, chooser


def _add(manager: Any, prompts: Sequence[Sequence[int]], chooser: _ChooseInBatches, rules: Rules) -> None:
    """Ask for all sequences; those with the same prompt read it once."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for index, prompt in enumerate(prompts):
        alike.setdefault(tuple(prompt), []).append(index)
    requests = {f"request {indices[0]}": (prompt, indices) for prompt, indices in alike.items()}
    for name, (_, indices) in requests.items():
        names = [name, *(f"{name}__child#{i}" for i in range(len(indices) - 1))]
        chooser.sequences |= dict(zip(names, indices, strict=True))
    for name, (prompt, indices) in requests.items():
        manager.num_return_sequences = len(indices)
        manager.add_request(list(prompt), request_id=name, streaming=rules.ends is not None)


def _taken(
    manager: Any, output: Any, waiting: dict[int, Generated], chooser: _ChooseInBatches, rules: Rules
) -> Finished:
    """The sequence of `output` if it is over now; it is then no longer in `waiting`."""
    index = chooser.sequences[output.request_id]
    if index not in waiting:
        return []  # tokens that were under way when it ended
    if output.error is not None:
        if "out of memory" in output.error.lower():
            raise torch.OutOfMemoryError(output.error)
        raise RuntimeError(f"continuous batching failed: {output.error}")
    sequence = waiting[index]
    going = True
    for token in output.generated_tokens[sequence.count :]:
        if not (going := rules.take(sequence, token)):
            break
    if going:
        return []
    if not output.is_finished():
        manager.cancel_request(output.request_id)
    sequence.logprobs = chooser.logprobs_of(index)[: len(sequence.tokens)]
    return [(index, waiting.pop(index))]

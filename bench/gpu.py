"""Speed on a GPU, beside what the card can do: `python -m bench.gpu --help`.

Samples of random prompts by each way of decoding: tokens per second of reading prompts (a run of one new
token, beyond what one sequence takes; tokens of shared parts count as often as they are asked for) and of
decoding (what more new tokens take beyond that), and whether greedy decoding in float32 says what the CPU
says.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from selfincorrect.engines.transformers import batching, fitting
from selfincorrect.engines.transformers.cascade import Continuation, read_beginnings
from selfincorrect.engines.transformers.continuous import decode_continuously
from selfincorrect.engines.transformers.decoding import Generated, Rules, decode_plainly, decode_together
from selfincorrect.engines.transformers.fitting import Method
from selfincorrect.engines.transformers.sampling import Sampler
from selfincorrect.io import write_json
from selfincorrect.jobs.provenance import machine, versions

SEED = 20240404
METHODS: tuple[Method, ...] = ("cascade", "continuous", "plain")
# The shape of Llama-3.1-8B with its real vocabulary size; weights are random.
EIGHT = LlamaConfig(
    **{"vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32},
    **{"num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072},
    rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
)


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def rate(amount: float, work: Callable[[], Any], device: str, seconds: float = 1.0) -> float:
    """`amount` per second, measured by repeating `work` for about `seconds` after a first time."""
    work()
    wait(device)
    start, times = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        work()
        wait(device)
        times += 1
    return amount * times / (time.perf_counter() - start)


def card(device: str, dtype: torch.dtype) -> dict[str, float]:
    """What the device can do.

    That is bytes a second, read and written, of a copy, and operations a second of a large product.
    """
    size, side = (2**30, 8192) if device == "cuda" else (2**26, 1024)
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target, square = torch.empty_like(source), torch.randn(side, side, device=device).to(dtype)
    return {
        "copy_bytes_per_second": rate(2 * size, lambda: target.copy_(source), device),
        "product_operations_per_second": rate(2 * side**3, lambda: square @ square, device),
    }


def made_prompts(count: int, length: int, shared: int, vocabulary: int) -> list[list[int]]:
    """`count` prompts of random tokens, of which the first `shared` are alike."""
    draw = torch.Generator().manual_seed(SEED)
    tokens = torch.randint(10, vocabulary - 10, (count, length), generator=draw)
    tokens[:, :shared] = tokens[0, :shared]
    rows: list[list[int]] = tokens.tolist()
    return rows


@torch.inference_mode()
def decoded(
    model: Any,
    way: Method,
    prompts: Sequence[Sequence[int]],
    shared: int,
    samples: int,
    new: int,
    temperature: float,
) -> list[Generated]:
    """`samples` of `new` tokens to each prompt, none of which ends early. `model` is set to `way`."""
    wanted = [prompt for prompt in prompts for _ in range(samples)]
    sampler = Sampler(range(len(wanted)), new, temperature, 1.0)
    rules, size = Rules(new, frozenset(), None), batching.sequences_at_once(model, len(prompts[0]) + new)
    if way == "cascade":
        beginnings = read_beginnings(model, [prompts[0][:shared]])
        batches = decode_together(
            model, beginnings, [Continuation(0, prompt[shared:]) for prompt in wanted], size, sampler, rules
        )
    elif way == "continuous":
        batches = decode_continuously(model, wanted, size, sampler, rules)
    else:
        batches = decode_plainly(model, wanted, size, 0, sampler, rules)
    found = dict(pair for batch in batches for pair in batch)
    return [found[index] for index in range(len(wanted))]


def seconds(*arguments: Any) -> float:
    start = time.perf_counter()
    decoded(*arguments)
    return time.perf_counter() - start


def measured(name: str, model: Any, given: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each way of decoding."""
    prompts = made_prompts(given.prompts, given.length, given.shared, model.config.vocab_size)
    rows: list[dict[str, Any]] = []
    for way in METHODS:
        model.set_attn_implementation("sdpa")
        if fitting.method(model, name, way) != way:
            rows.append({"model": name, "way": way, "seconds": None})
            print(f"{name} {way}: does not fit this model")
            continue
        # A first time, in which kernels are chosen and graphs recorded.
        seconds(model, way, prompts[:2], given.shared, given.samples, 2, 0.7)
        if given.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        start = seconds(model, way, prompts[:1], given.shared, 1, 1, 0.7)
        first = seconds(model, way, prompts, given.shared, given.samples, 1, 0.7)
        whole = seconds(model, way, prompts, given.shared, given.samples, given.new, 0.7)
        sequences = given.prompts * given.samples
        row = {
            "model": name,
            "way": way,
            "dtype": str(model.dtype).removeprefix("torch."),
            "seconds": whole,
            "start_seconds": start,
            "prefill_tokens_per_second": (sequences - 1) * given.length / (first - start),
            "decode_tokens_per_second": sequences * (given.new - 1) / (whole - first),
            "peak_bytes": torch.cuda.max_memory_allocated() if given.device == "cuda" else None,
        }
        rows.append(row)
        print(
            f"{name} {way}: prompts {row['prefill_tokens_per_second']:.0f} tok/s, decoding "
            f"{row['decode_tokens_per_second']:.0f} tok/s, in all {whole:.1f} s",
            flush=True,
        )
    return rows


def agreement(
    name: str, load: Callable[[str, torch.dtype], Any], given: argparse.Namespace
) -> list[dict[str, Any]]:
    """Greedy decoding in float32 by each way on the device, beside plain `generate` on the CPU."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    model = load("cpu", torch.float32)
    prompts = made_prompts(8, min(given.length, 200), min(given.shared, 150), model.config.vocab_size)
    asked = prompts, min(given.shared, 150), 1, 32, 0.0
    expected, model = decoded(model, "plain", *asked), load(given.device, torch.float32)
    rows = []
    for way in METHODS:
        model.set_attn_implementation("sdpa")
        if fitting.method(model, name, way) != way:
            continue
        found = decoded(model, way, *asked)
        alike = [(x, y) for x, y in zip(found, expected, strict=True) if x.tokens == y.tokens]
        distance = max((abs(sum(x.logprobs) - sum(y.logprobs)) for x, y in alike), default=None)
        equal, of = len(alike), len(found)
        rows.append({"model": name, "way": way, "equal": equal, "of": of, "logprob_distance": distance})
        print(
            f"{name} {way} in float32: {equal} of {of} answers equal to the CPU's, "
            f"log-probabilities within {distance}"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("result", type=Path, help="JSON file of results")
    parser.add_argument(
        "--device", choices=["cuda", "cpu"], default="cuda", help="cpu: to try the script itself"
    )
    parser.add_argument(
        "--weights", type=Path, default=Path("resources/models/smollm2-135m-instruct/weights")
    )
    parser.add_argument(
        "--shape", choices=["8b", "none"], default="8b", help="a model of random weights beside it"
    )
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--prompts", type=int, default=256)
    parser.add_argument("--length", type=int, default=800, help="tokens of a prompt")
    parser.add_argument("--shared", type=int, default=600, help="of them alike in all prompts")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--new", type=int, default=256)
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error(f"PyTorch {torch.__version__} sees no GPU here (check with nvidia-smi)")
    dtype = getattr(torch, given.dtype)

    def small(device: str, dtype: torch.dtype) -> Any:
        return (
            AutoModelForCausalLM.from_pretrained(given.weights, dtype=dtype, use_safetensors=True)
            .to(device)
            .eval()
        )

    found: dict[str, Any] = {
        "card": torch.cuda.get_device_name() if given.device == "cuda" else "cpu",
        "rates": card(given.device, dtype),
    }
    rates = found["rates"]
    print(
        f"{found['card']}: copies {rates['copy_bytes_per_second'] / 1e9:.0f} GB/s, {given.dtype} products "
        f"{rates['product_operations_per_second'] / 1e12:.1f} Tflop/s",
        flush=True,
    )
    name = given.weights.parent.name
    found["agreement"] = agreement(name, small, given)
    found["speed"] = measured(name, small(given.device, dtype), given)
    if given.shape == "8b":
        torch.manual_seed(SEED)
        with torch.device(given.device):
            model = AutoModelForCausalLM.from_config(EIGHT, dtype=dtype).eval()
        found["speed"] += measured("random 8b", model, given)
    settings = {key: value for key, value in vars(given).items() if key not in ("result", "weights")}
    write_json(given.result, {**found, "settings": settings, "machine": machine(), "versions": versions()})
    print(f"written to {given.result}")


if __name__ == "__main__":
    main()

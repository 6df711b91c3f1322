"""Speed beside lm-evaluation-harness and llama.cpp's server on this machine: `make bench`, or `python -m
bench.compare --help`.

All get the same few-shot prompts, model, precision (llama.cpp also 8 bits), threads and number of new tokens,
each run in a process of its own, alternating, and the medians of the times of answering are compared (loading
is not counted).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from bench.gguf_weights import KINDS, write_gguf
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.view import AskingSettings, View
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Request
from selfincorrect.io import read_json, write_json
from selfincorrect.jobs.provenance import machine, versions
from selfincorrect.tasks.base import Question, sample_questions
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.generation import generation_prompt
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant

SEED, N = 20240404, 4
KINDS_OF_WORK = ("generation", "discrimination", "scoring")


def prompt_job(prompts: Sequence[Prompt], **settings: Any) -> dict[str, Any]:
    return {
        "prompts": [{"instruction": p.instruction, "shots": p.shots, "query": p.query} for p in prompts],
        "texts": [p.text() for p in prompts],
        **settings,
    }


def generation_job(
    task: str, questions: Sequence[Question], new_tokens: int, base: dict[str, Any]
) -> dict[str, Any]:
    """A job of N samples to each question, each of exactly `new_tokens` tokens: no early end is a gain."""
    prompts, shots = task_prompts(task), get_task(task).SHOTS
    asked = [generation_prompt(question, prompts, shots) for question in questions]
    return prompt_job(
        asked, samples=N, temperature=0.7, new_tokens=new_tokens, stop=[], may_end=False, **base
    )


def discrimination_job(
    task: str, questions: Sequence[Question], texts: Sequence[str], base: dict[str, Any]
) -> dict[str, Any]:
    """A job of the paper's question over N answers that the model gave; replies end as they do in a run."""
    requests = _asked(task, questions, texts, Variant())
    how = requests[0].decoding
    asked, tokens, stop = [request.prompt for request in requests], how.max_tokens, list(how.stop)
    return prompt_job(asked, samples=1, temperature=0.0, new_tokens=tokens, stop=stop, may_end=True, **base)


def scoring_job(
    task: str, questions: Sequence[Question], texts: Sequence[str], base: dict[str, Any]
) -> dict[str, Any]:
    """A job of how probable each label is as a reply, in all rotations: nothing is written."""
    variant = Variant(selector="label_probability", ask="all")
    prompts = [request.prompt for request in _asked(task, questions, texts, variant)]
    options = [f" {label}" for label in range(1, N + 1)]
    return prompt_job(prompts, samples=1, options=options, temperature=0.0, **base)


def _asked(task: str, questions: Sequence[Question], texts: Sequence[str], variant: Variant) -> list[Request]:
    """The requests of a variant over N answers to each question."""
    module, prompts = get_task(task), task_prompts(task)
    pool = {
        question.question_id: [Candidate(module.trim(text)) for text in texts[N * i : N * (i + 1)]]
        for i, question in enumerate(questions)
    }
    settings = AskingSettings(
        seed=SEED, shots=module.SHOTS, choice_tokens=64, answer_tokens=module.ANSWER_TOKENS
    )
    view = View(module, prompts, variant, N, questions, settings)
    return [request for each in discriminations(questions, pool, view) for request in each.requests]


def timed(command: Sequence[str], job: dict[str, Any], folder: Path) -> dict[str, Any]:
    (folder / "job.json").write_text(json.dumps(job))
    subprocess.run([*command, str(folder / "job.json"), str(folder / "result.json")], check=True)
    result: dict[str, Any] = read_json(folder / "result.json")
    return result


def compare(
    what: str, job: dict[str, Any], peer: str, rounds: int, folder: Path, llama: bool = True
) -> dict[str, Any]:
    """The medians of `rounds` alternating runs; `ratios` say how many times as fast this package is as each
    peer, of which `llama` is one.
    """
    here = Path(__file__).parent
    commands = {
        "ours": [sys.executable, "-m", "bench.ours"],
        "lm-eval": [peer, str(here / "lm_eval_peer.py")],
        **(
            {f"llama.cpp {kind}": [peer, str(here / "llama_peer.py"), kind] for kind in KINDS}
            if llama
            else {}
        ),
    }
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(timed(command, job, folder))
    seconds = {name: median(each["seconds"] for each in found) for name, found in runs.items()}
    tokens = {name: found[-1]["tokens"] for name, found in runs.items()}
    count = len(job["prompts"]) * job["samples"]
    ratios = {name: seconds[name] / seconds["ours"] for name in commands if name != "ours"}
    counted = runs["ours"][-1].get("read")
    share = {} if counted is None else {"counted": tokens["ours"] / counted}
    if counted is not None:
        print(f"{what}: by counting tokens read, {share['counted']:.2f} times less work", flush=True)
        share["of_counted"] = ratios["lm-eval"] / share["counted"]
        share["largest_difference"] = max(
            abs(one - other)
            for one, other in zip(runs["ours"][-1]["scores"], runs["lm-eval"][-1]["scores"], strict=True)
        )
    for name in commands:
        ratio = f", ours {ratios[name]:.2f} times as fast" if name in ratios else ""
        told = f"{count} answers in {seconds[name]:.1f} s, {tokens[name] / seconds[name]:.0f} tok/s"
        print(f"{what}: {name} {told}{ratio}", flush=True)
    return {
        **{"what": what, "answers": count, "seconds": seconds, "tokens": tokens, "ratios": ratios},
        **share,
        "rounds": rounds,
        "all_seconds": {name: [each["seconds"] for each in found] for name, found in runs.items()},
        "load": os.getloadavg()[0],
        "texts": runs["ours"][-1]["texts"],
    }


def table(found: Sequence[dict[str, Any]]) -> str:
    """The comparisons for readers, a row each: seconds, and how many times as fast this package is."""
    rows = ["| what | peer | ours, s | peer, s | ratio | of the counted limit |", "|---|---|---|---|---|---|"]
    for each in found:
        for name, ratio in each["ratios"].items():
            counted = each.get("of_counted") if name == "lm-eval" else None
            rows.append(
                f"| {each['what']} | {name} | {each['seconds']['ours']:.1f} | {each['seconds'][name]:.1f} | "
                f"{ratio:.2f} | {f'{counted:.0%}' if counted else ''} |"
            )
    return "\n".join(rows)


def _gguf(resources: Path, model: str, kind: str) -> Path:
    """The model's weights for llama.cpp, beside the prepared model."""
    return write_gguf(model, kind, (resources / "models" / model / f"{kind}.gguf").resolve())


def measured(model: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    """What `compare` finds of a model, for each task and each kind of work that is `given`."""
    found = []
    base = {
        "model": str((given.resources / "models" / model).resolve()),
        "threads": given.threads,
        "batch_size": given.batch_size,
        "peer_batch_size": given.peer_batch_size,
        "dtype": given.dtype,
        "gguf": {kind: str(_gguf(given.resources, model, kind)) for kind in KINDS},
    }

    def compared(kind: str, task: str, job: dict[str, Any], llama: bool = True) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            made = compare(f"{kind} {task} cpu {model}", job, given.peer, given.rounds, Path(folder), llama)
        texts: list[str] = made.pop("texts")
        found.append(made)
        return texts

    for task, new_tokens in (("gsm8k", 64), ("triviaqa", 24)):
        data = pl.read_parquet(given.resources / "datasets" / f"{task}.parquet")
        questions = sample_questions(questions_of(data), given.questions, SEED)
        job = generation_job(task, questions, new_tokens, base)
        if task == "gsm8k" and "generation" in given.only:
            texts = compared("generation", task, job)
        else:  # generated once, to have answers to choose among
            with tempfile.TemporaryDirectory() as folder:
                texts = timed([sys.executable, "-m", "bench.ours"], job, Path(folder))["texts"]
        if "discrimination" in given.only:
            compared("discrimination", task, discrimination_job(task, questions, texts, base))
        if "scoring" in given.only:
            compared("scoring", task, scoring_job(task, questions, texts, base), llama=False)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.compare", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("result", type=Path, help="JSON file of results")
    parser.add_argument("--peer", required=True, help="interpreter of an environment with lm_eval")
    parser.add_argument(
        "--resources", type=Path, default=Path("resources"), help="prepared models and data sets"
    )
    parser.add_argument("--models", nargs="+", default=["smollm2-135m-instruct", "gemma-3-270m"])
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--only", nargs="+", choices=KINDS_OF_WORK, default=KINDS_OF_WORK)
    parser.add_argument("--questions", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, help="sequences together; default: what fits")
    parser.add_argument("--peer-batch-size", type=int, default=16)
    given = parser.parse_args()
    found = [row for model in given.models for row in measured(model, given)]
    settings = {
        key: value for key, value in vars(given).items() if key not in ("result", "peer", "resources")
    }
    write_json(
        given.result,
        {
            "table": table(found),
            "comparisons": found,
            "settings": settings,
            "machine": machine(),
            "versions": versions(),
        },
    )
    print(table(found), f"written to {given.result}", sep="\n\n")


if __name__ == "__main__":
    main()

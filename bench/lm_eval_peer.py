"""The same run by lm-evaluation-harness: `python lm_eval_peer.py JOB.json RESULT.json`.

It is run with the peer's own interpreter. Prompts go in as text, in one batch size, through `generate_until`
of the `hf` model.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def scored(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    """The log-likelihood of each option after each prompt; options that differ in one token share a pass."""
    from lm_eval.api.instance import Instance

    pairs = [(text, option) for text in job["texts"] for option in job["options"]]
    instances = [Instance("loglikelihood", {}, pair, 0) for pair in pairs]
    start = time.perf_counter()
    found = peer.loglikelihood(instances, disable_tqdm=True)
    seconds = time.perf_counter() - start
    tokens = sum(len(peer.tok_encode(text)) for text in job["texts"])
    return {"seconds": seconds, "tokens": tokens, "scores": [score for score, _ in found], "texts": []}


def main(job_path: str, result_path: str) -> None:
    job = json.loads(Path(job_path).read_text())
    import torch

    torch.set_num_threads(job["threads"])
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    peer = HFLM(
        pretrained=str(Path(job["model"], "weights")),
        dtype=job["dtype"],
        device="cpu",
        batch_size=job["peer_batch_size"],
        logits_cache=True,
    )
    if "options" in job:
        result = scored(peer, job)
        Path(result_path).write_text(json.dumps(result))
        return
    how = {
        "until": job["stop"] or ["\x00never"],
        "max_gen_toks": job["new_tokens"],
        "do_sample": job["temperature"] > 0,
    }
    if job["temperature"]:
        how["temperature"] = job["temperature"]
    if not job["may_end"]:
        how["min_new_tokens"] = job["new_tokens"]
    instances = [
        Instance("generate_until", {}, (text, dict(how)), 0)
        for text in job["texts"]
        for _ in range(job["samples"])
    ]
    start = time.perf_counter()
    texts = peer.generate_until(instances, disable_tqdm=True)
    seconds = time.perf_counter() - start
    tokens = sum(len(peer.tok_encode(text, add_special_tokens=False)) for text in texts)
    if not job["may_end"]:
        tokens = len(instances) * job["new_tokens"]
    Path(result_path).write_text(json.dumps({"seconds": seconds, "tokens": tokens, "texts": texts}))


if __name__ == "__main__":
    main(*sys.argv[1:])

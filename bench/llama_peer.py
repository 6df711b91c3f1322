"""The same run by llama.cpp's server: `python llama_peer.py f32|q8_0 JOB.json RESULT.json`.

It is run with the peer's own interpreter. The server has a slot for each of so many requests, keeps the
prompts that it has read, and is asked as its users ask it, over HTTP, several at a time.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

SLOTS = 16


def serve(job: dict[str, Any], gguf: str) -> Any:
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = gguf
    longest = (
        max(len(text) for text in job["texts"]) // 2 + job["new_tokens"]
    )  # a token has two characters or more
    settings.n_parallel, settings.n_ctx = SLOTS, SLOTS * longest
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = job["threads"]
    settings.verbosity = 0
    return xllamacpp.Server(settings)


def main(kind: str, job_path: str, result_path: str) -> None:
    job = json.loads(Path(job_path).read_text())
    server = serve(job, job["gguf"][kind])

    def ask(text: str, seed: int) -> dict[str, Any]:
        body = {
            "prompt": text,
            "n_predict": job["new_tokens"],
            "temperature": job["temperature"],
            "seed": seed,
            "stop": job["stop"],
            "ignore_eos": not job["may_end"],
            "cache_prompt": True,
            **{"top_k": 0, "top_p": 1.0, "min_p": 0.0},  # the plain distribution, as the others draw from it
        }
        sent = Request(
            f"{server.listening_address}/completion",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urlopen(sent, timeout=3600) as reply:
            found: dict[str, Any] = json.loads(reply.read())
            return found

    asked = [(text, seed) for text in job["texts"] for seed in range(job["samples"])]
    ask("Hello", 0)  # the first call reads the weights in
    start = time.perf_counter()
    with ThreadPoolExecutor(SLOTS) as pool:
        found = list(pool.map(lambda each: ask(*each), asked))
    seconds = time.perf_counter() - start
    told = {
        "seconds": seconds,
        "tokens": sum(each["tokens_predicted"] for each in found),
        "read": sum(each["timings"]["prompt_n"] for each in found),
        "texts": [each["content"] for each in found],
    }
    Path(result_path).write_text(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])

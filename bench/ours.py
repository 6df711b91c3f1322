"""One timed run of this package's engine: `python -m bench.ours JOB.json RESULT.json`.

It has a process of its own. A job names a prepared model, prompts (instruction, shots, query), how to decode,
and whether answers may end early.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import SCORED, Decoding, Request
from selfincorrect.engines.transformers.engine import TransformersEngine
from selfincorrect.engines.transformers.trees import Tree
from selfincorrect.io import read_json, write_json


def requests_of(job: dict[str, Any]) -> list[Request]:
    """`samples` requests for each prompt, in order."""
    options = tuple(job.get("options", ()))
    decoding = SCORED if options else Decoding(job["new_tokens"], job["temperature"], 1.0, tuple(job["stop"]))
    return [
        Request(
            Prompt(each["instruction"], tuple(map(tuple, each["shots"])), each["query"]),
            decoding,
            seed=1000 * index + sample if job["temperature"] else None,
            options=options,
        )
        for index, each in enumerate(job["prompts"])
        for sample in range(job["samples"])
    ]


def main(job_path: str, result_path: str) -> None:
    job = json.loads(Path(job_path).read_text())
    folder = Path(job["model"])
    run = Running("cpu", job["threads"], job["batch_size"])
    engine = TransformersEngine(
        Manifest(**read_json(folder / "manifest.json") | {"prompt": "completion", "dtype": job["dtype"]}),
        folder / "weights",
        run,
    )
    if not job.get("may_end", True):
        engine.eos = frozenset()
    requests = requests_of(job)
    start = time.perf_counter()
    found = {id(request): response for batch in engine.answer(requests) for request, response in batch}
    seconds = time.perf_counter() - start
    responses = [found[id(request)] for request in requests]
    if "options" in job:
        scores = [score for response in responses for score in response.options or ()]
        ids = [engine.tokenizer.encode(text) for text in job["texts"]]
        tree = Tree()
        for each in ids:
            tree.add(each)
        whole = sum(map(len, ids))
        write_json(
            result_path,
            {"seconds": seconds, "tokens": whole, "read": len(tree), "scores": scores, "texts": []},
        )
        return
    write_json(
        result_path,
        {
            "seconds": seconds,
            "tokens": sum(r.tokens_out for r in responses),
            "texts": [r.text for r in responses],
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

"""How the cost of a run grows with questions, samples, candidates shown and variants:
`python -m bench.growth --help`.

Each measurement is what the model's jobs of such a run take: loading, generating, loading, discriminating, on
one small task. One size grows at a time, the others stay at their base.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.config.schema import Config
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.view import AskingSettings, View
from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.registry import engine_kind
from selfincorrect.engines.requests import Engine, Request, Response
from selfincorrect.generate.candidates import generation_requests
from selfincorrect.generate.settings import SamplingConfig, Settings
from selfincorrect.io import read_json, write_text
from selfincorrect.report.figures import style
from selfincorrect.tasks.base import Question, sample_questions
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant

SEED = 20240404
BASE = {"questions": 12, "n": 4, "k": 2, "variants": 1}
SIZES = {"questions": (6, 12, 24), "n": (4, 8, 16), "k": (2, 3, 4), "variants": (1, 2, 4)}
ORDER, LABELS = {"order": "permuted"}, {"labels": "letters"}
VARIANTS: list[dict[str, Any]] = [{}, ORDER, LABELS, ORDER | LABELS]


def answered(engine: Engine, requests: list[Request]) -> list[Response]:
    found = {id(request): response for batch in engine.answer(requests) for request, response in batch}
    return [found[id(request)] for request in requests]


def seconds(
    size: Mapping[str, int], task: str, questions: list[Question], folder: Path, run: Running
) -> float:
    """Of one run of this size: n samples of each question, then a choice among k of them in each variant."""
    start, manifest = time.perf_counter(), Manifest(**read_json(folder / "manifest.json"))
    module, prompts, asked = get_task(task), task_prompts(task), questions[: size["questions"]]
    settings = AskingSettings(
        seed=SEED, shots=module.SHOTS, answer_tokens=module.ANSWER_TOKENS, choice_tokens=module.CHOICE_TOKENS
    )
    drawn = Settings(**settings.model_dump(), sampling=SamplingConfig(n=size["n"]))
    wanted = generation_requests(asked, task, prompts, manifest.digest, drawn)
    texts = iter(answered(engine_kind(manifest.engine).open_engine(manifest, folder, run), wanted))
    pool = {each.question_id: [Candidate(next(texts).text) for _ in range(size["n"])] for each in asked}
    variants = [Variant(**options) for options in VARIANTS[: size["variants"]]]
    wanted = [
        request
        for variant in variants
        for each in discriminations(
            asked, pool, View(module, prompts, variant, size["k"], questions, settings)
        )
        for request in each.requests
    ]
    answered(engine_kind(manifest.engine).open_engine(manifest, folder, run), wanted)
    return time.perf_counter() - start


def draw(costs: pl.DataFrame) -> Figure:
    """Cost over size, both as multiples of the smallest; the dashed line is a cost in proportion."""
    figure, axis = subplots(figsize=(5, 3.8))
    largest = float(costs["multiple"].max())  # type: ignore[arg-type]
    axis.plot([1, largest], [1, largest], "--", color="black", linewidth=0.8, label="in proportion")
    for index, name in enumerate(SIZES):
        rows = costs.filter(pl.col("grows") == name)
        axis.plot(rows["multiple"], rows["cost"], **style.series(index), label=name)
    axis.set_xlabel("size (multiple of the smallest)")
    axis.set_ylabel("cost (multiple of the smallest)")
    axis.legend()
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument(
        "result", help="path of the results, without ending: a CSV file and a figure are written"
    )
    parser.add_argument(
        "--resources", type=Path, default=Path("resources"), help="prepared models and data sets"
    )
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--task", default="triviaqa")
    parser.add_argument("--rounds", type=int, default=3, help="the median is taken")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    data = questions_of(pl.read_parquet(given.resources / "datasets" / f"{given.task}.parquet"))
    questions = sample_questions(data, max(SIZES["questions"]), SEED)
    folder, run = given.resources / "models" / given.model, Running("cpu", given.threads)
    seconds({**BASE, "questions": 1}, given.task, questions, folder, run)  # imports, and files into memory
    rows = []
    for _ in range(given.rounds):
        for name, sizes in SIZES.items():
            for size in sizes:
                found = seconds({**BASE, name: size}, given.task, questions, folder, run)
                rows.append({"grows": name, "size": size, "multiple": size / sizes[0], "seconds": found})
    costs = (
        pl.DataFrame(rows)
        .group_by("grows", "size", "multiple", maintain_order=True)
        .agg(pl.col("seconds").median())
    )
    costs = costs.with_columns(cost=pl.col("seconds") / pl.col("seconds").first().over("grows"))
    write_text(f"{given.result}.csv", costs.write_csv())
    style.apply(Config.model_fields["figures"].get_default(call_default_factory=True).model_dump())
    style.save(draw(costs), [f"{given.result}.pdf", f"{given.result}.png"])
    for row in costs.iter_rows(named=True):
        print("cost {grows} x{multiple:g}: {seconds:.1f} s, x{cost:.2f}".format(**row))


if __name__ == "__main__":
    main()

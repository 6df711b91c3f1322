"""What the report shows, gathered from the files of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from selfincorrect.columns import WAY
from selfincorrect.discriminate.choices import distinct
from selfincorrect.discriminate.selectors.registry import askers
from selfincorrect.io import read_json, read_provenance
from selfincorrect.jobs.provenance import commit, machine, now
from selfincorrect.paper import tables as paper
from selfincorrect.report import shown, ways
from selfincorrect.report.contrasts import best_of_several
from selfincorrect.report.costs import by_model, costs
from selfincorrect.report.headline import headlines
from selfincorrect.report.page.belief import doubts
from selfincorrect.report.page.captions import CAPTIONS
from selfincorrect.report.page.opening import panels, sentence, ways_told
from selfincorrect.report.page.render import figure_data
from selfincorrect.report.page.samples import sample_pairs, sample_question, some
from selfincorrect.report.page.viewer import viewer
from selfincorrect.report.pooled import findings as pooled_findings
from selfincorrect.report.stage import by_pair, datasets_of
from selfincorrect.report.tables import Pair
from selfincorrect.report.worth import worth
from selfincorrect.sections import StageSettings
from selfincorrect.tasks.questions import questions_of


class Settings(StageSettings):
    """What the report is told: how many sample `questions` it shows, and at most in its `viewer`; the
    `prices` of served models.
    """

    seed: int
    questions: int
    viewer: int
    pairs: list[Pair]
    pooled: list[str]
    prices: dict[str, dict[str, float]]


def gather(
    inputs: Any, settings: Settings, config: Mapping[str, Any], code: Path, results: Path
) -> dict[str, Any]:
    """The context of the report's template.

    `inputs` are the rule's: paths of `metrics`, `gradings`, `differences`, `contrasts`, `pooled`,
    `selectors`, `compute`, `overtaking`, `accounting`, `figures`, `paper`, `figure9`, `refinements`,
    `manifests`, `datasets`, `candidates`, `grades`, `choices`. `config` is the configuration as given, `code`
    the folder whose commit is named, and `results` the folder that holds the benchmarks.
    """
    candidates, grades, choices = (
        by_pair(settings.pairs, inputs[name]) for name in ("candidates", "grades", "choices")
    )
    datasets = datasets_of(settings.pairs, inputs.datasets)
    asked = {pair: _asked(paths) for pair, paths in candidates.items()}
    metrics, contrasts = (shown.labelled(pl.read_parquet(inputs[name])) for name in ("metrics", "contrasts"))
    selectors = pl.read_parquet(inputs.selectors)
    known = shown.knowing(selectors)
    files = {
        pair: {"candidates": candidates[pair], "grades": grades[pair], "choices": choices[pair]}
        for pair in settings.pairs
    }
    questions = {
        task: {question.question_id: question.row() for question in questions_of(pl.read_parquet(path))}
        for task, path in datasets.items()
    }
    return {
        **_numbers(inputs, metrics, settings.seed),
        "sentence": sentence(metrics, known),
        "panels": panels(metrics, known),
        "ways_told": ways_told(metrics),
        "doubts": doubts(metrics, known),
        "headlines": headlines(metrics, contrasts, known),
        "contrasts": contrasts.to_dicts(),
        "ways": ways.findings(selectors),
        "best_of_several": best_of_several(metrics, askers()),
        **_choices(choices, settings.seed),
        "models": _models(inputs.manifests, candidates, settings.pooled),
        "tasks": [_task(task, path, asked, metrics) for task, path in datasets.items()],
        "pools": [_pool(pair, paths, grades[pair]) for pair, paths in candidates.items()],
        "samples": _samples(questions, files, asked, settings),
        "viewer": viewer(settings.pairs, questions, files, asked, known, settings.viewer),
        "time": now(),
        "commit": commit(code),
        "machine": machine(),
        "versions": read_provenance(next(iter(candidates.values()))[0])["versions"],
        "seed": settings.seed,
        "costs": costs(results).to_dicts(),
        "spent": by_model(results, settings.prices).to_dicts(),
        "worth": worth(pl.read_parquet(inputs.compute), pl.read_parquet(inputs.overtaking)),
        "accounting": pl.read_parquet(inputs.accounting).to_dicts(),
        "prompts": {
            f"{stage} {model} {task}": read_provenance(paths[0])["prompt"]
            for stage, by_stage in (("generate", candidates), ("discriminate", choices))
            for (model, task), paths in by_stage.items()
            if model not in settings.pooled
        },
        "configuration": yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
    }


def _numbers(inputs: Any, metrics: pl.DataFrame, seed: int) -> dict[str, Any]:
    """What the tables and figures over all cells say."""
    gradings, differences = (
        shown.labelled(pl.read_parquet(inputs[name])) for name in ("gradings", "differences")
    )
    first = pl.col("variant") == pl.col("variant").first().over("model", "task", "k")
    return {
        "metrics": metrics.to_dicts(),
        "notes": shown.numbered_notes(metrics),
        "pooled": pooled_findings(pl.read_parquet(inputs.pooled)),
        "ks": metrics["k"].unique(maintain_order=True).to_list(),
        "variants": metrics["variant"].unique(maintain_order=True).to_list(),
        "gradings": gradings.filter(first).to_dicts(),
        "difference_count": differences.height,
        "differences": some(differences, seed),
        "figures": [
            {"data": figure_data(path), "path": path, "caption": CAPTIONS[Path(path).stem]}
            for path in inputs.figures
            if path.endswith(".png")
        ],
        "paper": [_paper(path) for path in inputs.paper],
        "figure9": figure_data(str(inputs.figure9)),
        "refinements": [row for path in inputs.refinements for row in pl.read_parquet(path).to_dicts()],
    }


def _choices(choices: Mapping[Pair, list[str]], seed: int) -> dict[str, Any]:
    count, invalid = _asked_choices(choices)
    return {"choice_count": count, "invalid_count": invalid.height, "invalid": some(invalid, seed)}


def _models(
    manifests: Sequence[str], candidates: Mapping[Pair, list[str]], pooled: Sequence[str]
) -> list[dict[str, Any]]:
    """The models with weights or a server, then the pools from elsewhere."""
    found = [{**each, "origin": _origin(each["source"])} for each in map(read_json, manifests)]
    return found + [_pooled_model(pair, paths[0]) for pair, paths in candidates.items() if pair[0] in pooled]


def _samples(
    questions: Mapping[str, Mapping[str, Mapping[str, Any]]],
    files: Mapping[Pair, Mapping[str, list[str]]],
    asked: Mapping[Pair, list[str]],
    settings: Settings,
) -> list[dict[str, Any]]:
    """All that happened to a seeded sample of questions."""
    mixed, samples = {pair: _mixed(paths["grades"]) for pair, paths in files.items()}, []
    for model, task, identity in sample_pairs(
        settings.pairs, mixed, asked, settings.questions, settings.seed
    ):
        pool, graded, chosen = (
            pl.scan_parquet(paths).filter(pl.col("question_id") == identity).collect()
            for paths in files[model, task].values()
        )
        chosen = shown.labelled(chosen.with_columns(pl.lit(model).alias("model")))
        sample = sample_question(questions[task][identity], pool, graded, chosen)
        samples.append({"model": model, "task": task, **sample})
    return samples


def _paper(path: str) -> dict[str, Any]:
    """One of the paper's tables: its rows for readers, those that were measured and those that were not
    run.
    """
    name = Path(path).stem
    table = pl.read_csv(path, schema=paper.SCHEMA)
    run, others = (
        paper.lines(table.filter(pl.col("n_measured").is_null() == empty)) for empty in (False, True)
    )
    return {"name": name, "title": paper.title(name), "rows": run, "others": others}


def _asked_choices(paths: Mapping[Pair, list[str]]) -> tuple[int, pl.DataFrame]:
    """How many choices models were asked for, and the invalid ones without their prompts.

    Read a cell at a time, without prompts: those of a large experiment do not fit in memory together.
    """
    count, invalid = 0, []
    columns = ["question_id", "asked", "k", *WAY, "selector", "output", "how", "valid"]
    for (model, task), files in paths.items():
        chosen = (
            pl.read_parquet(files, columns=columns)
            .select(pl.lit(model).alias("model"), pl.lit(task).alias("task"), pl.all())
            .filter(pl.col("selector").is_in(askers()) | pl.col("discriminator").is_not_null())
        )
        asked = shown.labelled(distinct(chosen))
        count += asked.height
        invalid.append(asked.filter(~pl.col("valid")))
    return count, pl.concat(invalid)


def _asked(paths: list[str]) -> list[str]:
    ids: list[str] = (
        pl.read_parquet(paths, columns=["question_id"])["question_id"].unique(maintain_order=True).to_list()
    )
    return ids


def _mixed(paths: list[str]) -> set[str]:
    """Questions whose candidates differ in grade."""
    spread = pl.read_parquet(paths).group_by("question_id").agg(pl.col("grade").max() > pl.col("grade").min())
    return set(spread.filter("grade")["question_id"])


def _pooled_model(pair: Pair, candidates: str) -> dict[str, Any]:
    """A pool from elsewhere, in the place of a model's manifest."""
    origin = read_provenance(candidates)
    name, (model, task) = "pool from elsewhere", pair
    return {
        "name": model, "origin": f"{task}: {_origin(origin['model']['source'])}", "architecture": name,
        "prompt": "–",
        "dtype": "–", "context": None, "license": "see its source",
        "revision": f"sha256 {origin['settings']['sha256']}",
        "digest": origin["model"]["digest"],
    }  # fmt: skip


def _task(task: str, path: str, asked: Mapping[Pair, list[str]], metrics: pl.DataFrame) -> dict[str, Any]:
    provenance = read_provenance(path)
    return {
        "name": task,
        "asked": max(len(ids) for (_, name), ids in asked.items() if name == task),
        "all": pl.scan_parquet(path).select(pl.len()).collect().item(),
        "origin": _origin(provenance["source"]),
        "variants": metrics.filter(pl.col("task") == task)["variant"].unique(maintain_order=True).to_list(),
        "data": provenance["data"],
    }


def _pool(pair: Pair, candidates: list[str], grades: list[str]) -> dict[str, Any]:
    pool = pl.read_parquet(candidates, columns=["finish_reason", "tokens_in", "tokens_out"])
    judges = dict.fromkeys(each["name"] for each in read_provenance(grades[0]).get("judges", {}).values())
    return {
        "model": pair[0],
        "task": pair[1],
        "candidates": pool.height,
        "judges": ", ".join(f"{name} (itself)" if name == pair[0] else name for name in judges),
        "without": pl.read_parquet(grades).filter(~pl.col("valid")).height,
        "cut": pool.filter(pl.col("finish_reason") == "length").height,
        "too_long": pool.filter(pl.col("finish_reason") == "context").height,
        **{
            name: None
            if pool[name].null_count() == pool.height
            else round(pool[name].cast(pl.Float64).fill_null(0).quantile(0.5) or 0)
            for name in ("tokens_in", "tokens_out")
        },
    }


def _origin(source: Any) -> str:
    """A source of a model or data set in one line."""
    if isinstance(source, Mapping):
        shown = {
            key: value
            for key, value in source.items()
            if value is not None and key not in ("license", "parts")
        }
        return ", ".join(f"{key} {value}" for key, value in shown.items())
    return str(source)

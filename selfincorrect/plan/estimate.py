"""What a run will take, before anything is asked: answers, tokens, cost, time, disk for each model and task.

Prompts are made as they will be sent, for some questions of each task; candidates that do not exist yet are
as long as the limit allows, and beginnings that prompts share are counted each time. So a run takes less, as
a rule; judges that are asked again for want of a rating come on top.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.config.model_section import ModelConfig
from selfincorrect.config.schema import Config, VariantConfig
from selfincorrect.config.task_settings import TaskSettings
from selfincorrect.discriminate.asked import Asked
from selfincorrect.discriminate.choices import read_for
from selfincorrect.discriminate.requests import decoding_of, discriminations
from selfincorrect.discriminate.selectors.registry import asking
from selfincorrect.discriminate.view import View
from selfincorrect.engines.registry import engine_kind
from selfincorrect.engines.requests import Request, Response, accounted
from selfincorrect.grade.judges import cases, requests
from selfincorrect.grade.roles import SECOND
from selfincorrect.plan.rates import Rates, answering_seconds, weight_bytes
from selfincorrect.refine.refinement import FEEDBACK_TOKENS
from selfincorrect.tasks.base import Question, judges_of, sample_questions
from selfincorrect.tasks.conversations import Candidate, joined, joined_pool, turns_of
from selfincorrect.tasks.generation import generation_prompt
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts

# Characters of a prompt in a token: from 2.6 (GSM8K) to 4.6 on prompts of the tasks here, by SmolLM2's
# tokenizer.
CHARACTERS = 3.5
LOOKED_AT = 20  # conversations of each task whose prompts are made
BYTES_A_TOKEN = 12  # what a token of an answer or its prompt takes in tables and store, compressed and not

_CALLS = "calls to a server that draws the samples of a question in one; empty where there is none"
_HOURS = "time of one device; empty for served models, or without a number of parameters"
COLUMNS = [
    Column("model", pl.String, "model that is asked"),
    Column("task", pl.String, "task; empty for the weights"),
    Column("stage", pl.String, "stage that asks"),
    Column("answers", pl.Int64, "answers asked for"),
    Column("calls", pl.Int64, _CALLS),
    Column("tokens_in", pl.Int64, "tokens of prompts"),
    Column("tokens_read", pl.Int64, "of these and of options, about those that are read where prompts of a "
        "question share what they begin with, and all share the demonstrations"),
    Column("tokens_out", pl.Int64, "tokens of answers at most: every answer as long as its limit"),
    Column("operations", pl.Float64, "operations for tokens read and written, 2 · parameters a token; empty "
        "for served models, or without a number of parameters"),
    Column("cost", pl.Float64, "cost in the currency of the configured prices; empty without one"),
    Column("hours", pl.Float64, _HOURS, "hours"),
    Column("gigabytes", pl.Float64, "weights and results on disk", "GB"),
]  # fmt: skip
SCHEMA = schema_of(COLUMNS)


@dataclass(frozen=True)
class Load:
    """The answers that a model is asked for, the tokens of their prompts, of answers at most, and those that
    are read where what is alike is read once.
    """

    model: str
    task: str
    stage: str
    answers: float
    tokens_in: float
    tokens_out: float
    tokens_read: float


def tokens(text: str) -> float:
    """About how many tokens a text has."""
    return len(text) / CHARACTERS


def loads(config: Config, task: str, questions: Sequence[Question], settings: TaskSettings) -> Iterator[Load]:
    """What each model is asked about one task; `settings` are the task's, with its defaults filled in."""
    for load in _loads(config, task, questions, settings):
        entry = config.weighted[load.model]
        thoughts = load.answers * ((entry.reasoning and entry.reasoning.budget) or 0)
        # A prompt whose thought was closed is read again, with the thought.
        again = load.tokens_in + thoughts if thoughts and not entry.server else 0.0
        yield replace(
            load,
            tokens_in=load.tokens_in + again,
            tokens_out=load.tokens_out + thoughts,
            tokens_read=load.tokens_read + again,
        )


def _loads(
    config: Config, task: str, questions: Sequence[Question], settings: TaskSettings
) -> Iterator[Load]:
    chosen = turns_of(sample_questions(questions, settings.limit, config.seed))
    looked_at = [turn for turns in list(chosen.values())[:LOOKED_AT] for turn in turns]
    scale = len(chosen) / max(len(turns_of(looked_at)), 1)
    models = [name for name in config.models if task in config.tasks_of(name)]
    for name in models:
        if name in config.weighted:
            yield Load(name, task, "generate", *_generation(config, task, looked_at, settings, scale))
            if (name, task) in config.refined():
                yield Load(name, task, "refine", *_refinement(config, task, looked_at, settings, scale))
        for asked in config.discriminators(task, name):
            stage = "discriminate" if asked == name else f"discriminate {name}"
            choices = _discrimination(config, name, task, asked, looked_at, settings, scale)
            yield Load(asked, task, stage, *choices)
        for judge, load in _judging(config, task, looked_at, settings, scale):
            yield Load(judge, task, f"judge {name}", *load)


Sums = tuple[float, float, float, float]  # answers, tokens in, tokens out, tokens read


def _made_up(settings: TaskSettings, number: int = 0) -> str:
    """A candidate as long as one can be, which begins with a number of its own, since no two begin alike, and
    ends on it, for tasks that show only that.
    """
    return (
        f"{10 + number} " + "word " * int(settings.answer_tokens * CHARACTERS / 5 - 2) + f"#### {10 + number}"
    )


def _generation(
    config: Config, task: str, items: Sequence[Question], settings: TaskSettings, scale: float
) -> Sums:
    prompts, text, total, own = task_prompts(task), _made_up(settings), 0.0, 0.0
    for turns in turns_of(items).values():
        for place, question in enumerate(turns):
            history = tuple((turn.question, text) for turn in turns[:place])
            prompt = generation_prompt(question, prompts, settings.shots, history)
            total += tokens(prompt.text())
            own += tokens(prompt.query)
    count = config.sampling.n * scale
    return count * len(items), count * total, count * len(items) * settings.answer_tokens, own * scale


def _discrimination(
    config: Config,
    model: str,
    task: str,
    discriminator: str,
    items: Sequence[Question],
    settings: TaskSettings,
    scale: float,
) -> Sums:
    module, prompts = get_task(task), task_prompts(task)
    answers = [Candidate(_made_up(settings, number)) for number in range(max(config.k))]
    pool = joined_pool(items, {item.question_id: answers for item in items}, module)
    asked: list[Request] = []
    own = 0.0
    for k in config.k:
        for variant in config.asked(task, model, discriminator).values():
            view = View(module, prompts, variant, k, joined(items), settings)
            for each in discriminations(joined(items), pool, view):
                made = each.requests
                if variant.schedule != "round_robin" and made:
                    # Later rounds follow from answers: the first stands for them.
                    made = list(islice(cycle(made), max(asking(variant).calls(variant, k), len(made))))
                asked += made
                own += _own(each) * len(made) / max(len(each.requests), 1)
    answers_, read, written, _ = _sums(asked, scale)
    return answers_, read, written, own * scale


def _own(asked: Asked) -> float:
    """The tokens that are read for one question: what its prompts share once, demonstrations not at all."""
    answers = []
    for request in asked.requests:
        text, options = request.prompt.text(), tuple(round(tokens(option)) for option in request.options)
        answer = Response("", text, "stop", round(tokens(text)), 0, None, option_tokens=options)
        answers.append(accounted(answer, ""))
    return float(read_for(asked, answers)["tokens_own"] or 0) if answers else 0.0


def _judging(
    config: Config, task: str, items: Sequence[Question], settings: TaskSettings, scale: float
) -> Iterator[tuple[str, Sums]]:
    module, text = get_task(task), _made_up(settings)
    rows = [(item.question_id, sample, text) for item in items for sample in range(config.sampling.n)]
    pool = pl.DataFrame(rows, schema=["question_id", "sample", "text"], orient="row")
    for role, model in config.tasks[task].raters.items():
        judge = judges_of(module)[role.removesuffix(SECOND)]
        asked = requests(cases(items, pool, role, judge, module), judge, 1, config.seed)
        answers, read, written, whole = _sums(asked, scale * config.tasks[task].ratings)
        longest = config.tasks[task].judge_tokens
        most = answers * longest if longest and judge.tokens > 1 else written
        yield model, (answers, read, most, whole)


def _refinement(
    config: Config, task: str, items: Sequence[Question], settings: TaskSettings, scale: float
) -> Sums:
    assert config.refinement is not None
    prompts, answer = task_prompts(task), settings.answer_tokens
    plain = sum(tokens(generation_prompt(item, prompts, settings.shots).text()) for item in items)
    steps = config.refinement.rounds * scale
    extra = len(items) * (2 * (settings.shots + 1) * (answer + FEEDBACK_TOKENS))
    # Four prompts: feedback, refinement, and two orders of the pair.
    read = steps * (4 * plain + extra + len(items) * 4 * answer)
    view = View(get_task(task), prompts, VariantConfig(), 2, items, settings)
    chosen = decoding_of(view).max_tokens
    written = steps * len(items) * (FEEDBACK_TOKENS + answer + 2 * chosen)
    return 4 * steps * len(items), read, written, read


def _sums(asked: Sequence[Request], scale: float) -> Sums:
    scored = sum(max(map(tokens, request.options), default=0.0) for request in asked)
    read = sum(tokens(request.prompt.text()) for request in asked) + scored
    written = sum(request.decoding.max_tokens for request in asked)
    own = sum(tokens(request.prompt.query) for request in asked) + scored
    return len(asked) * scale, read * scale, written * scale, own * scale


def estimate(config: Config, found: Sequence[Load], rate: Rates) -> pl.DataFrame:
    """Rows of SCHEMA: one for the weights of each model, then one for each load."""
    rows = []
    for name, model in config.weighted.items():
        if model.parameters is not None and (size := weight_bytes(model)):
            rows.append({"model": name, "stage": "weights", "gigabytes": size / 1e9})
    for load in found:
        model = config.weighted[load.model]
        price = model.server.price if model.server else None
        together = config.sampling.n if load.stage == "generate" else 1
        read = load.tokens_in / together  # a prompt is paid once for its samples
        cost = None if price is None else (read * price.input + load.tokens_out * price.output) / 1e6
        calls = round(load.answers / together) if model.server else None
        size = (load.tokens_in + load.tokens_out) * BYTES_A_TOKEN / 1e9
        rows.append(
            {
                **{"model": load.model, "task": load.task, "stage": load.stage},
                **{"answers": round(load.answers), "calls": calls},
                **{"tokens_in": round(load.tokens_in), "tokens_out": round(load.tokens_out)},
                "tokens_read": round(load.tokens_read),
                "operations": _operations(model, load),
                **{"cost": cost, "hours": _hours(model, load, rate), "gigabytes": size},
            }
        )
    return pl.DataFrame(rows, schema=SCHEMA)


def _operations(model: ModelConfig, load: Load) -> float | None:
    if not engine_kind(model.engine).in_process or model.parameters is None:
        return None
    return 2 * model.parameters * (load.tokens_read + load.tokens_out)


def _hours(model: ModelConfig, load: Load, rate: Rates) -> float | None:
    if not engine_kind(model.engine).in_process or model.parameters is None:
        return None
    return answering_seconds(model, load.answers, load.tokens_in, load.tokens_out, rate) / 3600


def summary(config: Config, table: pl.DataFrame, rate: Rates) -> list[str]:
    """The estimate in lines for a terminal: one for each model and one for their sum."""
    names = ("answers", "calls", "tokens_in", "tokens_out", "cost", "hours", "gigabytes")
    sums = [pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name) for name in names]
    by_model = table.group_by("model", maintain_order=True).agg(sums)
    whole = by_model.select(pl.lit("together").alias("model"), *sums)
    lines = [
        f"{'model':<28}{'answers':>12}{'calls':>10}{'k tokens in':>13}"
        f"{'k out, at most':>16}{'cost':>10}{'device hours':>14}{'GB':>9}"
    ]
    for row in pl.concat([by_model, whole], how="vertical_relaxed").iter_rows(named=True):
        cost = "–" if row["cost"] is None else f"{row['cost']:,.2f}"
        calls = "–" if row["calls"] is None else f"{row['calls']:,}"
        hours = "–" if row["hours"] is None else f"{row['hours']:,.2f}"
        lines.append(
            f"{row['model']:<28}{row['answers'] or 0:>12,}{calls:>10}{(row['tokens_in'] or 0) / 1e3:>13,.0f}"
            f"{(row['tokens_out'] or 0) / 1e3:>16,.0f}{cost:>10}{hours:>14}{row['gigabytes'] or 0:>9,.1f}"
        )
    speeds = f"{rate.reading:.2g} reading, {rate.decoding:.2g} decoding"
    limits = (
        "Every answer is taken as long as its limit, and beginnings that prompts share are counted each time."
    )
    sizeless = [
        name
        for name, model in config.weighted.items()
        if engine_kind(model.engine).in_process and model.parameters is None
    ]
    if sizeless:
        limits += (
            f" Without hours and weights: {', '.join(sizeless)}. Write the number of `parameters` of each "
            "into its entry under `models`, such as `parameters: 8.0e+9`."
        )
    return [*lines, "", f"Hours by operations a second, {rate.basis}: {speeds}.", limits]

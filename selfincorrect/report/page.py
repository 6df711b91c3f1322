"""The report: what was run, what came out, and where every number comes from, as one HTML file.

Text of models and data sets is hostile: it reaches the page through Jinja's autoescape and in no other way.
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, get_args

import jinja2
import polars as pl

from selfincorrect.digest import seed_of
from selfincorrect.measure.cell import FEW_VALID
from selfincorrect.measure.columns import REPORT, TEXT
from selfincorrect.measure.hypothesis import ALPHA, Verdict
from selfincorrect.measure.positions import FEW_PICKS
from selfincorrect.report import shown
from selfincorrect.report.contrasts import by_how_much
from selfincorrect.report.tables import Pair

CAPTIONS = {
    "dg_diff": "DG-Diff = S_disc − S_gen for every cell, with 95 % intervals clustered by question. Above 0, "
    "choosing beats "
    "drawing one of the candidates at random. Hollow marks cannot speak about discrimination: no question is "
    "mixed, "
    "nearly all picks fall on one position, or hardly any output is valid. Grey marks: the models of the "
    "paper's Table 2, for context.",
    "scores": "Generation score, discrimination score, majority vote over the candidates and the oracle that "
    "always finds a "
    "right candidate, over the number of candidates shown. 95 % intervals.",
    "selectors": "Every way of choosing among the same candidates, with 95 % intervals: who sees the same "
    "answers chooses well or badly by how it is asked. Lines: the majority vote and the oracle. Grey: cannot "
    "speak about discrimination.",
    "best_of": "Best of j of the same candidates, for every j: what ways of choosing gain from more of them. "
    "Exact, as the mean over all subsets of j candidates, with 95 % intervals; of ways whose scores of "
    "candidates do not depend on each other, and of the majority vote.",
    "matrix": "DG-Diff of every model that was asked about the answers of every other, at the largest k, "
    "with 95 % intervals; framed about its own. Blue: better than drawing one, red: worse, on one scale; a "
    "star where that survives Holm over all cells; grey, without colour: cannot speak about discrimination.",
    "forest": "Skill: how often a model takes a best answer where it would otherwise draw one, comparable "
    "over k and tasks, with exact 95 % intervals. Below, the random-effects mean with its interval; the thin "
    "line is where one more such cell is expected. Grey: cannot speak about discrimination; not in the mean.",
    "difficulty": "Skill of each way of choosing by how hard questions are, with exact 95 % intervals: by "
    "the task's levels where it has some, else by how often the candidates that were not shown are right. "
    "Groups of fewer than five mixed questions are left out.",
    "positions": "How often each shown position is picked among the outputs with a usable label, with "
    "Wilson's 95 % interval. "
    "The dashed line is an even choice; a model that sits at 100 % on one position does not look at the "
    "answers.",
}
ROWS_SHOWN = 20


def sample_pairs(
    pairs: Sequence[Pair],
    mixed: Mapping[Pair, set[str]],
    questions: Mapping[Pair, list[str]],
    count: int,
    seed: int,
) -> list[tuple[str, str, str]]:
    """`count` seeded (model, task, question id), pairs taken in turn; in each, mixed and other questions
    alternate.
    """
    queues = {}
    for pair in pairs:
        names = list(questions[pair])
        Random(seed_of("report", seed, *pair)).shuffle(names)
        sides = [[q for q in names if q in mixed[pair]], [q for q in names if q not in mixed[pair]]]
        longest = max(map(len, sides))
        queues[pair] = [side[i] for i in range(longest) for side in sides if i < len(side)]
    picked = []
    for turn in range(max(map(len, queues.values()), default=0)):
        picked += [(*pair, queue[turn]) for pair, queue in queues.items() if turn < len(queue)]
    return sorted(picked[:count], key=lambda each: list(pairs).index(each[:2]))


def sample_question(
    question: Mapping[str, Any], candidates: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame
) -> dict[str, Any]:
    """Everything that happened to one question: candidates with grades, choices by k and variant, prompts
    as sent.
    """
    one = pl.col("question_id") == question["question_id"]
    pool = candidates.filter(one).join(grades, on=["question_id", "sample"]).sort("sample")
    chosen = choices.filter(one)
    grade_of = dict(pool.select("sample", "grade").iter_rows())
    return {
        **question,
        "candidates": pool.to_dicts(),
        "choices": [{**row, "grade": _grade(row, grade_of)} for row in chosen.iter_rows(named=True)],
        "prompts": {
            name: prompt
            for name, prompt in (
                ("generating", pool["prompt"][0]),
                *(
                    (f"discriminating, {r['variant']}, k = {r['k']}", r["prompt"])
                    for r in chosen.iter_rows(named=True)
                ),
            )
            if prompt is not None
        },
    }


def _grade(choice: Mapping[str, Any], grades: Mapping[int, float | None]) -> float | None:
    """The grade of a choice, of candidates that share it their mean."""
    shared = [grades.get(sample) for sample in choice["shared"] or [choice["chosen_sample"]]]
    known = [grade for grade in shared if grade is not None]
    return sum(known) / len(known) if known and len(known) == len(shared) else None


def some(table: pl.DataFrame, seed: int) -> list[dict[str, Any]]:
    """A seeded sample of at most ROWS_SHOWN rows."""
    return table.sample(min(ROWS_SHOWN, table.height), seed=seed % 2**32, shuffle=True).to_dicts()


def figure_data(path: str) -> str:
    """A PNG as a data URL."""
    return "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def findings(metrics: pl.DataFrame) -> list[str]:
    """What the metrics say at a glance, computed from them."""
    metrics = metrics.filter(pl.col("p_holm").is_not_null())
    if not metrics.height:
        return [
            "Only rules that need no model chose here: they are the baselines that a model's own choice has "
            "to beat."
        ]
    cells = metrics.height
    constant = metrics.filter("nearly_constant").height
    unmixed = metrics.filter(pl.col("mixed_questions") == 0).height
    tied = metrics.filter((pl.col("mixed_questions") > 0) & (pl.col("tied_mixed") == 1)).height
    few = metrics.filter(
        (pl.col("valid") < FEW_PICKS) | (pl.col("valid") < FEW_VALID * pl.col("choices"))
    ).height
    usable = metrics.filter("informative")
    verdicts = {name: usable.filter(pl.col("verdict") == name).height for name in get_args(Verdict)}
    holm = usable.filter(pl.col("p_holm") <= ALPHA).height
    # The first k candidates are among those of a larger k: a question mixed there stays mixed.
    questions = (
        metrics.group_by("model", "task").agg(pl.col("mixed_questions").max())["mixed_questions"].sum()
    )
    lines = [
        f"{cells} cells; {questions} mixed questions over the models and tasks (only mixed ones can move "
        f"DG-Diff)."
    ]
    if constant:
        lines.append(
            f"In {constant} of {cells} cells the picks are (nearly) constant: at least 90 % of the valid "
            f"answers name the same "
            "position. DG-Diff there is that position's luck and says nothing of discrimination."
        )
    if unmixed:
        lines.append(f"In {unmixed} cells no question is mixed, so DG-Diff is 0 whatever is picked.")
    if tied:
        lines.append(f"In {tied} cells all candidates of every mixed question tie: it does not choose.")
    if few:
        lines.append(
            f"In {few} cells there are fewer than {FEW_PICKS} usable choices, or they are fewer than half."
        )
    if usable.height:
        lines.append(
            f"Of the {usable.height} remaining cells, choosing is better than drawing in "
            f"{verdicts['better']}, worse in "
            f"{verdicts['worse']}, equivalent (within a point) in {verdicts['equivalent']}, and undecided in "
            f"{verdicts['undecided']}, each test at 5 %. Corrected for the number of cells (Holm), it is "
            f"better in {holm}."
        )
        survives = (pl.col("p_holm") <= ALPHA) | (pl.col("p_worse_holm") <= ALPHA)
        lines += shown.findings_of(usable.filter(survives))
    else:
        lines.append(
            "No cell remains that could speak about discrimination: take more questions or a stronger model."
        )
    return lines


def render(context: Mapping[str, Any]) -> str:
    """The page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": shown.percent,
        "score": shown.score,
        "shown": shown.text,
        "probability": shown.probability,
    }
    environment.filters["by_how_much"] = by_how_much
    return environment.get_template("report.html.j2").render(
        columns=shown.columns_of(REPORT), text=TEXT, **context
    )

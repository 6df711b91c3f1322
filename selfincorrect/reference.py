"""The generated pages: the schema of the configuration and its table, what every column of every table means,
and all tasks.
"""

from collections.abc import Sequence
from pathlib import Path

from selfincorrect.columns import Column, markdown
from selfincorrect.commands import commands_page
from selfincorrect.config.reference import configuration_page, schema_text
from selfincorrect.discriminate import choices
from selfincorrect.discriminate.selectors.page import selectors_page
from selfincorrect.generate import candidates
from selfincorrect.grade import grades, judges
from selfincorrect.io import write_text
from selfincorrect.measure import items
from selfincorrect.measure.columns import GRADED, METRICS
from selfincorrect.paper import tables as paper
from selfincorrect.plan import estimate
from selfincorrect.refine.refinement import MEASURED, PREFERENCES, ROUNDS
from selfincorrect.report.accounting import COLUMNS as ACCOUNTING
from selfincorrect.report.best_of import COLUMNS as BEST_OF
from selfincorrect.report.columns import COVERAGE, DIFFERENCES, FLIPS, PASS_AT, SLOTS
from selfincorrect.report.compute import COMPUTE, OVERTAKING
from selfincorrect.report.contrasts import COLUMNS as CONTRASTS
from selfincorrect.report.difficulty import COLUMNS as DIFFICULTY
from selfincorrect.report.matrix import COLUMNS as MATRIX
from selfincorrect.report.pooled import COLUMNS as POOLED
from selfincorrect.report.selectors import AGREEMENT, SELECTORS
from selfincorrect.tasks.page import tasks_page

TABLES: list[tuple[str, str, Sequence[Column]]] = [
    ("results/tables/metrics", "A row a cell: model × task × k × variant.", METRICS),
    ("results/tables/gradings", "The same choices under each way of grading, the primary one first.", GRADED),
    ("results/tables/grading_differences", "A row for each candidate that two ways of grading grade "
                                           "otherwise.", DIFFERENCES),
    ("results/tables/pass_at", "pass@j for each j of each pool that is graded 0 or 1.", PASS_AT),
    ("results/tables/slots", "A row for each cell in which a model chose and each position shown.", SLOTS),
    ("results/tables/flips", "For variants that differ in their order alone: how often the pick changes with "
                             "it.", FLIPS),
    ("results/tables/contrasts", "A row for each pair of cells that is compared.", CONTRASTS),
    ("results/tables/pooled", "Skill over models and tasks: a row for what is pooled, each k and "
                              "variant.", POOLED),
    ("results/tables/coverage", "Accuracy of the surest choices: a row for each cell with margins and each "
                                "share of the questions.", COVERAGE),
    ("results/tables/selectors", "A row a cell: what each way of choosing gains and costs.", SELECTORS),
    ("results/tables/agreement", "A row for every two ways of choosing.", AGREEMENT),
    ("results/tables/best_of", "Best of j candidates: a row for each way of choosing and each j.", BEST_OF),
    ("results/tables/compute", "Scores against compute: a row for each way of choosing, each rule by which "
                               "it goes on, and each number of candidates.", COMPUTE),
    ("results/tables/overtaking", "From which budget on a way of choosing scores more than votes for as "
                                  "much: two rows for each.", OVERTAKING),
    ("results/tables/accounting", "What each stage asked of each model, every answer once.", ACCOUNTING),
    ("results/tables/difficulty", "Skill by difficulty: a row for each cell and group of questions.",
    DIFFICULTY),
    ("results/tables/matrix", "A row for each cell in which a model was asked: whose answers, and by whom.",
    MATRIX),
    ("results/{model}/{task}/candidates", "The pool: a row a candidate.", candidates.COLUMNS),
    ("results/{model}/{task}/grades", "A row a candidate.", grades.COLUMNS),
    ("results/{model}/{task}/judgements", "A row for each candidate, role of a judge and attempt.",
    judges.COLUMNS),
    ("results/{model}/{task}/k{k}/choices", "A row for each question and variant.", choices.COLUMNS),
    ("results/{model}/{task}/k{k}/per_question", "What scores are made of: a row for each question and "
                                                 "variant.", items.COLUMNS),
    ("results/{model}/{task}/refinement/rounds", "A row for each question and round.", ROUNDS),
    ("results/{model}/{task}/refinement/preferences", "A row for each refined answer and order "
                                                      "shown.", PREFERENCES),
    ("results/{model}/{task}/refinement/metrics", "A row a round.", MEASURED),
    ("results/paper/*", "The paper's tables and Figure 9 (CSV), in points, or grades on MT-Bench.",
    paper.COLUMNS),
    ("results/estimate", "What a run will take, by model, task and stage (CSV).", estimate.COLUMNS),
]  # fmt: skip
INTRODUCTION = """\
# What every column means

Scores are fractions of 1, or grades where a task is graded by a score (MT-Bench, 1 to 10); reports show
fractions in percent. For question *i*, *f* are the grades of the *k* candidates shown, *p* is their mean, *c*
the grade of the chosen one, and *d = c − p*. Formulas, sources and when to believe what are in
[statistics.md](statistics.md), `audit_<name>.csv` [too](statistics.md#the-audit-of-published-tables).

What a column means stands in the metadata of each parquet file too, under `columns`, beside the digests of
prompts, data and model, the settings and the package versions: `polars.read_parquet_metadata(path)`. Tables
of `results/tables` are there as CSV as well.

This page is generated (`make docs`) from the lists of columns in the code."""


def columns_page() -> str:
    """The page of all columns, a section a table."""
    sections = [f"## `{name}`\n\n{about}\n\n{markdown(columns)}" for name, about, columns in TABLES]
    return "\n\n".join([INTRODUCTION, *sections]) + "\n"


def pages() -> dict[str, str]:
    """The text of each generated file, by its path from the project's root."""
    return {
        "workflow/schemas/config.schema.json": schema_text(),
        "docs/configuration.md": configuration_page(),
        "docs/columns.md": columns_page(),
        "docs/tasks.md": tasks_page(),
        "docs/selectors.md": selectors_page(),
        "docs/commands.md": commands_page(),
    }


def main(arguments: Sequence[str]) -> int:
    """Write what is generated into the copy of the project that this package lies in; exit code 0."""
    root = Path(__file__).parent.parent
    for path, text in pages().items():
        write_text(root / path, text)
    return 0

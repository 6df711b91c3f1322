"""The paper's tables and its Figure 9: what was published beside what was measured, and the difference."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import polars as pl
from tabulate import tabulate

from selfincorrect.columns import Column, schema_of
from selfincorrect.discriminate.selectors.registry import askers
from selfincorrect.paper import published

TABLES = ("table2", "table3", "table4", "table5", "table6", "table7", "table8", "figure9")
TITLES = {
    "table2": "Generation and discrimination, four candidates",
    "table3": "More demonstrations, and demonstrations with reasons",
    "table4": "Encoder-decoder models",
    "table5": "Self-refinement: share of choices that prefer the refined answer",
    "table6": "Answering with a label or with the candidate's text",
    "table7": "Scoring each candidate alone",
    "table8": "Three wordings of the instruction",
    "figure9": "Simplified distractors",
}
FULL = "full"
NOT_STATED = "(not stated)"  # the paper's Table 5 names no model
PREFERENCE = "prefers refined"  # the quantity of Table 5

COLUMNS = [
    Column("task", pl.String, "task"),
    Column("model", pl.String, "model as configured; as published where it was not run"),
    Column("setting", pl.String, "setting of the paper"),
    Column("quantity", pl.String, "what is compared"),
    Column("published", pl.Float64, "as printed, in points or grades"),
    Column("measured", pl.Float64, "as measured, in the same"),
    Column("low", pl.Float64, "lower end of the 95 % interval of what was measured, where there is one"),
    Column("high", pl.Float64, "its upper end"),
    Column("difference", pl.Float64, "`measured` − `published`"),
    Column("n_published", pl.Int64, "questions of the paper"),
    Column("n_measured", pl.Int64, "questions measured; empty for what was not run"),
    Column("grading", pl.String, "way of grading behind what was measured"),
]  # fmt: skip
SCHEMA = schema_of(COLUMNS)
Key = tuple[str, str, str, str]  # task, published model, setting, quantity

# For each quantity its column of the metrics and the two columns of its interval, where it has one.
_COLUMNS = {
    "S_gen": ("s_gen", "s_gen_low", "s_gen_high"),
    "S_disc": ("s_disc", "s_disc_low", "s_disc_high"),
    "DG-Diff": ("dg_diff", "ci_low", "ci_high"),
    "invalid": ("invalid", None, None),
    "top score is best": ("best_mixed", None, None),
}
_SHARES = ("invalid", "top score is best")
_WANTED = {
    "table2": ((FULL,), ("S_gen", "S_disc", "DG-Diff", "p")),
    "table3": (("icl-2x", "icl-3x", "cot"), ("DG-Diff",)),
    "table4": ((FULL,), ("S_gen", "S_disc", "DG-Diff")),
    "table6": ((FULL, "verbatim"), ("S_gen", "S_disc", "invalid")),
    "table7": (("score",), ("top score is best", "S_disc")),
    "table8": ((FULL, "wording-2", "wording-3"), ("S_gen", "S_disc")),
    "figure9": ((FULL, "simplified"), ("DG-Diff",)),
}


def _key(row: Mapping[str, Any], setting: str, quantity: str) -> Key:
    return row["task"], row.get("model", NOT_STATED), setting, quantity


def printed(name: str) -> dict[Key, float]:
    """The values of a published table."""
    rows = published.table(name).iter_rows(named=True)
    found: dict[Key, float | None] = {}
    for row in rows:
        at = partial(_key, row)
        match name:
            case "table2" | "table4":
                found |= {at(FULL, "S_gen"): row["s_gen"], at(FULL, "S_disc"): row["s_disc"]}
                found |= {at(FULL, "DG-Diff"): row["dg_diff"], at(FULL, "p"): row.get("p_value")}
            case "table3":
                found[at(row["setting"], "DG-Diff")] = row["dg_diff"]
            case "table5":
                found[at("refined", PREFERENCE)] = row["preference_for_refined_pct"]
            case "table6":
                for setting, column in ((FULL, "option"), ("verbatim", "verbatim")):
                    found[at(setting, "S_gen")] = row["s_gen"]
                    found[at(setting, "S_disc")] = row[f"s_disc_{column}"]
                    found[at(setting, "invalid")] = row[f"invalid_pct_{column}"]
            case "table7":
                found[at("score", "top score is best")] = row["pct_top_score_is_best"]
                found[at("score", "S_disc")] = row["s_disc"]
            case "table8":
                setting = FULL if row["wording"] == 1 else f"wording-{row['wording']}"
                found |= {at(setting, "S_gen"): row["s_gen"], at(setting, "S_disc"): row["s_disc"]}
            case "figure9":
                found[at(FULL, "DG-Diff")] = row["dg_diff_original"]
                found[at("simplified", "DG-Diff")] = row["dg_diff_simplified"]
    return {key: float(value) for key, value in found.items() if value is not None}


def tables(
    metrics: pl.DataFrame,
    refinements: Iterable[pl.DataFrame],
    settings: Mapping[str, Any],
    encoder_decoders: Iterable[str],
) -> dict[str, pl.DataFrame]:
    """Each of TABLES as rows of SCHEMA.

    `settings` has `k`, `settings` (the paper's setting of each variant) and `published` (the paper's name of
    each model); `encoder_decoders` are the models for Table 4.
    """
    shown = _asked_itself(metrics).filter(pl.col("k") == settings["k"])
    setting = pl.col("variant").replace_strict(settings["settings"], default=None, return_dtype=pl.String)
    shown = shown.with_columns(setting.alias("setting")).drop_nulls("setting")
    shown = shown.unique(["model", "task", "setting"], keep="first", maintain_order=True)
    other = pl.col("model").is_in(list(encoder_decoders))
    made = {}
    for name, (wanted, quantities) in _WANTED.items():
        rows = shown.filter(pl.col("setting").is_in(list(wanted)))
        rows = rows.filter(other) if name == "table4" else rows.filter(~other) if name == "table2" else rows
        if name not in ("table2", "table4"):  # a comparison needs the setting that the table is about
            cells = rows.filter(pl.col("setting") != FULL).select("model", "task").unique()
            rows = rows.join(cells, on=["model", "task"], how="semi", maintain_order="left")
        measured = {}
        for row in rows.iter_rows(named=True):
            for quantity in quantities:
                measured[row["task"], row["model"], row["setting"], quantity] = _measured(row, quantity)
        made[name] = _beside(printed(name), measured, settings["published"])
    made["table5"] = _refinement(refinements)
    return {name: made[name] for name in TABLES}


def _measured(row: Mapping[str, Any], quantity: str) -> dict[str, Any]:
    about = {"n_measured": row["n"], "grading": row["grading"]}
    if quantity == "p":  # the paper's own tests
        return about | {"measured": row["p_mcnemar"] if row["unit"] == "percent" else row["p_wilcoxon_drop"]}
    names = _COLUMNS[quantity]
    factor = 100.0 if row["unit"] == "percent" or quantity in _SHARES else 1.0
    values = [None if name is None or row[name] is None else factor * row[name] for name in names]
    return about | dict(zip(("measured", "low", "high"), values, strict=True))


def _beside(
    printed_: Mapping[Key, float], measured: Mapping[Key, Mapping[str, Any]], names: Mapping[str, str]
) -> pl.DataFrame:
    """Rows of SCHEMA: first what was measured, beside what was published of the same model, then the rest."""
    items = published.items()
    rows, used = [], set()
    for (task, model, setting, quantity), values in measured.items():
        key = (task, names.get(model, ""), setting, quantity)
        used.add(key)
        rows.append(_row(task, model, setting, quantity, printed_.get(key), items, values))
    rows += [_row(*key, value, items, {}) for key, value in printed_.items() if key not in used]
    return pl.DataFrame(rows, schema=SCHEMA)


def _row(
    task: str,
    model: str,
    setting: str,
    quantity: str,
    value: float | None,
    items: Mapping[str, int],
    measured: Mapping[str, Any],
) -> dict[str, Any]:
    found = measured.get("measured")
    return {
        **{"task": task, "model": model, "setting": setting, "quantity": quantity, "published": value},
        **measured,
        "difference": None if value is None or found is None else found - value,
        "n_published": None if value is None else items.get(task),
    }


def _refinement(refinements: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Table 5: each model's preference in each round beside the value printed for the same kind of task."""
    values = {task: value for (task, *_), value in printed("table5").items()}
    rows = []
    for table in refinements:
        for row in table.filter(pl.col("round") > 0).iter_rows(named=True):
            columns = {"measured": "preference", "low": "preference_low", "high": "preference_high"}
            shares = {key: row[column] for key, column in columns.items()}
            measured = {key: None if share is None else 100 * share for key, share in shares.items()}
            measured |= {"n_measured": row["pairs"], "grading": row["grading"]}
            task, setting = row["task"], f"round {row['round']}"
            rows.append(_row(task, row["model"], setting, PREFERENCE, values.get(task), {}, measured))
    seen = {row["task"] for row in rows}
    unseen = {task: value for task, value in values.items() if task not in seen}
    rows += [_row(task, NOT_STATED, "refined", PREFERENCE, value, {}, {}) for task, value in unseen.items()]
    return pl.DataFrame(rows, schema=SCHEMA)


def ran(table: pl.DataFrame) -> bool:
    """Whether anything of a table was measured."""
    return table["measured"].is_not_null().any()


def lines(table: pl.DataFrame) -> list[dict[str, str]]:
    """A table of SCHEMA for readers, with a row for each task, model and setting.

    Each quantity has three columns: as published, as measured, and the difference.
    """
    quantities = table["quantity"].unique(maintain_order=True).to_list()
    found = []
    for (task, model, setting), part in table.group_by("task", "model", "setting", maintain_order=True):
        row = {"task": str(task), "model": str(model), "setting": str(setting)}
        by_quantity = {each["quantity"]: each for each in part.iter_rows(named=True)}
        for quantity in quantities:
            each = by_quantity.get(quantity, {})
            grades = task == "mt_bench" and quantity in ("S_gen", "S_disc", "DG-Diff")
            digits = 3 if quantity == "p" else 2 if grades else 1
            row[f"{quantity} published"] = _number(each.get("published"), digits)
            row[f"{quantity} measured"] = _number(each.get("measured"), digits) + _between(each, digits)
            row[f"{quantity} difference"] = _number(each.get("difference"), digits, sign=True)
        for side in ("n_published", "n_measured"):
            known = part[side].drop_nulls()
            row[side.replace("_", " ")] = str(known[0]) if len(known) else "–"
        graded = part["grading"].drop_nulls()
        row["graded by"] = graded[0] if len(graded) else "–"
        found.append(row)
    return found


def _number(value: float | None, digits: int, sign: bool = False) -> str:
    if value is None:
        return "–"
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def _between(each: Mapping[str, Any], digits: int) -> str:
    low, high = each.get("low"), each.get("high")
    return "" if low is None or high is None else f" [{low:.{digits}f}, {high:.{digits}f}]"


def markdown(name: str, table: pl.DataFrame) -> str:
    """A table as Markdown, its title first."""
    body = tabulate(lines(table), headers="keys", tablefmt="pipe", disable_numparse=True)
    return f"{title(name)}\n\n{body}\n"


def latex(name: str, table: pl.DataFrame) -> str:
    """A table as a LaTeX tabular; rows that were not run are grey (package xcolor)."""
    rows = [
        {
            _escaped(key): _escaped(value) if _was_run(row) else rf"\textcolor{{gray}}{{{_escaped(value)}}}"
            for key, value in row.items()
        }
        for row in lines(table)
    ]
    body = tabulate(rows, headers="keys", tablefmt="latex_raw", disable_numparse=True)
    return f"% {title(name)}\n{body}\n"


def _was_run(row: Mapping[str, str]) -> bool:
    return row["n measured"] != "–"


_LATEX = str.maketrans(
    {c: rf"\{c}" for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--"}
)


def _escaped(text: str) -> str:
    return text.translate(_LATEX)


def title(name: str) -> str:
    """What a table is called in the paper, and what it shows."""
    return f"{name[:-1].title()} {name[-1]}. {TITLES[name]}"


def _asked_itself(metrics: pl.DataFrame) -> pl.DataFrame:
    """The cells in which each model chose among its own answers, as in the paper."""
    own = pl.col("discriminator").is_null() | (pl.col("discriminator") == pl.col("model"))
    return metrics.filter(pl.col("selector").is_in(askers()) & own)


def cells_of_figure9(metrics: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """The metrics that Figure 9 compares: original and simplified distractors where both were run."""
    compared = (FULL, "simplified")
    names = {name: setting for name, setting in settings["settings"].items() if setting in compared}
    rows = _asked_itself(metrics).filter(pl.col("k") == settings["k"])
    rows = rows.filter(pl.col("variant").is_in(list(names)) & (pl.col("n") > 0))
    simplified = rows.filter(pl.col("variant").replace_strict(names) == "simplified")
    both = simplified.select("model", "task").unique()
    return rows.join(both, on=["model", "task"], how="semi", maintain_order="left")

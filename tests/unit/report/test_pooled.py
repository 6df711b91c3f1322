"""What is pooled with what."""

import polars as pl
import pytest

from selfincorrect.report.figures.forest import draw
from selfincorrect.report.pooled import findings, groups_of, pooled_table


def metrics(*cells):
    made = pl.DataFrame(cells, schema=["model", "task", "skill"], orient="row")
    skill = pl.col("skill")
    return made.with_columns(
        k=pl.lit(2, dtype=pl.Int64), variant=pl.lit("full"),
        discriminator=pl.col("model"), selector=pl.lit("choose"), n=9,
        informative=True, skill_low=skill - 0.2, skill_high=skill + 0.2,
    )  # fmt: skip


GRID = metrics(("m", "s", 0.1), ("m", "t", 0.3), ("n", "s", 0.0), ("n", "t", None))


def test_everything_then_models_then_tasks():
    groups = [(shared, cells.height) for shared, cells in groups_of(GRID)]
    assert groups == [
        ({"k": 2, "variant": "full", "discriminator": None}, 3),
        ({"model": "m", "k": 2, "variant": "full", "discriminator": None}, 2),
        ({"task": "s", "k": 2, "variant": "full", "discriminator": None}, 2),
    ]


def test_cells_that_cannot_speak_are_left_out():
    silent = GRID.with_columns(informative=pl.col("task") == "t")
    assert list(groups_of(silent)) == []
    labels = [text.get_text() for text in draw({"metrics": silent}).axes[0].get_yticklabels()]
    assert labels == ["m, s", "m, t", "n, s"]


def test_what_is_pooled_twice_stands_once():
    assert len(list(groups_of(GRID[:2]))) == 1


def items(model, task):
    return pl.DataFrame(
        {
            "model": model, "task": task, "k": 2, "variant": "full", "discriminator": model,
            "grades": [[1.0, 0.0]] * 3, "chosen_grade": [1.0] * 3, "asked": ["a", "b", "c"],
            "shared": pl.Series([None] * 3, dtype=pl.List(pl.Int32)),
        }
    )  # fmt: skip


def test_joint_p_is_of_distinct_questions_alone():
    table = pooled_table(GRID, pl.concat([items(*each) for each in GRID.select("model", "task").rows()]), [])
    assert table.select("model", "task", "cells").rows() == [(None, None, 3), ("m", None, 2), (None, "s", 2)]
    assert table["p_joint"].to_list() == [None, pytest.approx(2**-6), None]
    [line] = findings(table)
    assert line.startswith("Over 3 cells (k = 2, full): mean skill 0.13 [")
    assert "in a further such cell between" in line
    assert pooled_table(GRID, pl.DataFrame(schema=items("m", "s").schema), ["choose"]).height == 0


def test_the_forest_has_a_row_a_cell_and_the_mean():
    figure = draw({"metrics": GRID})
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[:3] == ["m, s", "m, t", "n, s"]
    assert labels[3].startswith("mean of 3")
    figure.canvas.draw()
    draw({"metrics": GRID[:0]}).canvas.draw()

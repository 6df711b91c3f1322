"""What the report gathers from many files."""

import polars as pl

from selfincorrect.report.page.gather import _asked_choices


def _choices(path, k, rows):
    columns = ["question_id", "asked", "selector", "valid", "output"]
    table = pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        k=k,
        variant=pl.lit("full"),
        discriminator=pl.lit(None, dtype=pl.String),
        how=pl.lit("label"),
        prompt=pl.lit("long " * 100),
    )
    table.write_parquet(path)
    return str(path)


def test_choices_are_counted_once_each_and_kept_if_invalid(tmp_path):
    paths = {
        ("a", "turns"): [  # two turns share a choice; rules without a model are no choices of it
            _choices(tmp_path / "k2", 2, [("q-1", "q", "choose", False, "?"), ("q-2", "q", "choose", False,
            "?")]),
            _choices(tmp_path / "k4", 4, [("q-1", "q", "choose", True, "1"), ("q-1", None, "oracle", False,
            None)]),
        ],
        ("b", "other"): [_choices(tmp_path / "b", 2, [("q", None, "choose", False, "!"), ("r", None, "score",
        True, "7")])],
    }  # fmt: skip
    count, invalid = _asked_choices(paths)
    assert count == 4
    assert invalid.select("model", "task", "k", "asked", "output").rows() == [
        ("a", "turns", 2, "q", "?"), ("b", "other", 2, "q", "!"),
    ]  # fmt: skip
    assert "prompt" not in invalid.columns

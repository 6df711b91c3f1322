"""Columns of the tables over all cells other than the metrics."""

import polars as pl

from selfincorrect.columns import Column

TEXT, COUNT, NUMBER = pl.String, pl.Int64, pl.Float64
MODEL, TASK = (
    Column("model", TEXT, "model whose answers are the candidates"),
    Column("task", TEXT, "task that they answer"),
)
K, VARIANT = Column("k", pl.Int32, "number of candidates shown"), Column("variant", TEXT, "variant")
DISCRIMINATOR = Column("discriminator", TEXT, "model that was asked; empty where none was")


def _ends(of: str, kind: str = "Wilson's") -> list[Column]:
    return [
        Column(f"ci_{end}", NUMBER, f"{word} end of {kind} 95 % interval of `{of}`", "share")
        for end, word in (("low", "lower"), ("high", "upper"))
    ]


SLOTS = [
    MODEL, TASK, K, VARIANT, DISCRIMINATOR,
    Column("position", COUNT, "position shown, 1 is first"),
    Column("picked", COUNT, "how often it was picked"),
    Column("valid", COUNT, "outputs with a usable label"),
    Column("share", NUMBER, "`picked` / `valid`", "share"),
    *_ends("share"),
]  # fmt: skip
FLIPS = [
    MODEL, TASK, K, VARIANT, DISCRIMINATOR,
    Column("other_variant", TEXT, "variant that shows the same candidates in another order; the same one "
        "where it shows several itself"),
    Column("n", COUNT, "questions with two valid outputs; of one variant, pairs of orders"),
    Column("flips", COUNT, "of these, those in which another answer is picked: another normal form"),
    Column("flip_rate", NUMBER, "`flips` / `n`", "share"),
    *_ends("flip_rate"),
    Column("uniform_rate", NUMBER, "what a uniform choice would do: 1 − 1/k", "share"),
]  # fmt: skip
PASS_AT = [
    MODEL, TASK,
    Column("j", COUNT, "candidates drawn, up to `n`"),
    Column("n", COUNT, "candidates in the pool"),
    Column("questions", COUNT, "questions with at least j grades"),
    Column("pass_at_j", NUMBER, "unbiased estimate that j candidates hold a right one: 1 − C(n − right, "
        "j)/C(n, j)", "share"),
    *_ends("pass_at_j", "the clustered"),
]  # fmt: skip
COVERAGE = [
    MODEL, TASK, K, VARIANT, DISCRIMINATOR,
    Column("coverage", NUMBER, "share of the questions that are answered, those with the largest margins",
        "share"),
    Column("n", COUNT, "number of these"),
    Column("accuracy", NUMBER, "mean grade of their choices; of margins that tie an even share", "score"),
    Column("margin", NUMBER, "the smallest margin among them"),
]  # fmt: skip
DIFFERENCES = [
    MODEL, TASK,
    Column("question_id", TEXT, "question"),
    Column("sample", pl.Int32, "candidate"),
    Column("grading", TEXT, "the primary way of grading"),
    Column("extracted", TEXT, "what it read"),
    Column("grade", NUMBER, "the grade it gave", "score"),
    Column("other_grading", TEXT, "another way of grading, which grades this candidate otherwise"),
    Column("other_extracted", TEXT, "what that one read"),
    Column("other_grade", NUMBER, "the grade it gave", "score"),
]  # fmt: skip
